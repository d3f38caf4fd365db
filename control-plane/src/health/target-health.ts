import type { AgentState } from '@data-in-motion/shared/domain/agent-health';
import { isRisky } from '@data-in-motion/shared/domain/assessment';
import type { DeviceId, TargetId } from '@data-in-motion/shared/domain/ids';
import { defaultDecisionSettings, type ObserverGuard } from '../fleet/decision-settings.ts';
import { indexOf } from '../fleet/lookup.ts';
import type { DeviceFacts, FleetSnapshot, TargetFacts } from '../fleet/snapshot.ts';
import { type ObserverFault, observerFault } from './observer-fault.ts';

/** What a target may be used for now. */
export interface TargetHealth {
  readonly targetId: TargetId;
  /** New copies may be made here. */
  readonly takesData: boolean;
  /** Verified copies here count for policy. */
  readonly counts: boolean;
  /** Copies here shall leave. */
  readonly drain: boolean;
  /** Its agent answers and nothing forbids taking copies away. */
  readonly mayLetGo: boolean;
  /** The risky device under it, whether or not its evacuation is held. */
  readonly riskyDeviceId: DeviceId | null;
  /** Why it is not simply usable, in words; null when it is. */
  readonly reason: string | null;
}

/** What each target of the fleet may be used for. A target of a node that is not in the snapshot is not usable. */
export function targetHealth(snapshot: FleetSnapshot, guard: ObserverGuard = defaultDecisionSettings.observer): Map<TargetId, TargetHealth> {
  const fleet = indexOf(snapshot);
  const fault = observerFault(snapshot, guard);
  return new Map(
    snapshot.targets.map((target) => {
      const devices = target.deviceIds.flatMap((deviceId) => fleet.devices.get(deviceId) ?? []);
      return [target.targetId, judgeTarget(target, fleet.nodes.get(target.nodeId)?.agentState, devices, fault)];
    }),
  );
}

function judgeTarget(target: TargetFacts, agent: AgentState | undefined, devices: readonly DeviceFacts[], fault: ObserverFault): TargetHealth {
  const risky = devices.find((device) => device.level === 'failing') ?? devices.find((device) => isRisky(device.level)) ?? null;
  const of = (use: Pick<TargetHealth, 'takesData' | 'counts' | 'drain' | 'mayLetGo'>, reason: string | null): TargetHealth => ({
    targetId: target.targetId,
    ...use,
    riskyDeviceId: risky?.deviceId ?? null,
    reason,
  });
  const late = agent === 'late';

  const gone = goneBecause(target, agent);
  if (gone !== null) return of({ takesData: false, counts: false, drain: false, mayLetGo: false }, gone);
  if (target.state === 'frozen')
    return of({ takesData: false, counts: true, drain: false, mayLetGo: false }, `${target.targetId} is frozen: nothing is added and nothing is taken away`);
  if (risky !== null && fault.holding) return of({ takesData: false, counts: true, drain: false, mayLetGo: false }, fault.reason);
  if (risky !== null)
    return of(
      { takesData: false, counts: false, drain: true, mayLetGo: !late },
      `device ${risky.deviceId} is ${risky.level}${risky.reasons[0] === undefined ? '' : `: ${risky.reasons[0]}`}`,
    );
  if (target.state === 'draining') return of({ takesData: false, counts: true, drain: true, mayLetGo: !late }, `${target.targetId} is being drained`);
  if (late) return of({ takesData: false, counts: true, drain: false, mayLetGo: false }, `the agent of ${target.nodeId} is late`);
  if (agent === 'returned')
    return of({ takesData: false, counts: true, drain: false, mayLetGo: true }, `the agent of ${target.nodeId} is back, its copies are being verified first`);
  return of({ takesData: true, counts: true, drain: false, mayLetGo: true }, null);
}

function goneBecause(target: TargetFacts, agent: AgentState | undefined): string | null {
  if (agent === undefined || agent === 'expected') return `the agent of ${target.nodeId} was never heard`;
  if (agent === 'lost') return `the agent of ${target.nodeId} is lost`;
  if (agent === 'revoked') return `the agent of ${target.nodeId} was revoked`;
  return target.state === 'lost' ? `${target.targetId} can not be reached` : null;
}
