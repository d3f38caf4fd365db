import type { AgentState } from '@data-in-motion/shared/domain/agent-health';
import type { DeviceId, TargetId } from '@data-in-motion/shared/domain/ids';
import { defaultDecisionSettings, type RiskSettings } from '../fleet/decision-settings.ts';
import { indexOf } from '../fleet/lookup.ts';
import type { FleetSnapshot, TargetFacts } from '../fleet/snapshot.ts';
import { type DeviceEvacuation, deviceEvacuations, type EvacuationVerdict } from './evacuations.ts';

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
  /** The device under it that gives signs, whether or not it is evacuated. */
  readonly riskyDeviceId: DeviceId | null;
  /** What is done about that device; null when there is none. */
  readonly evacuation: EvacuationVerdict | null;
  /** What would keep it from taking data with sound devices under it too, in words; null when nothing would. */
  readonly otherwise: string | null;
  /** Why it is not simply usable, in words; null when it is. */
  readonly reason: string | null;
}

/** What each target of the fleet may be used for. A target of a node that is not in the snapshot is not usable. */
export function targetHealth(snapshot: FleetSnapshot, settings: RiskSettings = defaultDecisionSettings): Map<TargetId, TargetHealth> {
  const fleet = indexOf(snapshot);
  const evacuations = deviceEvacuations(snapshot, settings);
  return new Map(
    snapshot.targets.map((target) => {
      const signs = target.deviceIds.flatMap((deviceId) => evacuations.get(deviceId) ?? []);
      return [target.targetId, judgeTarget(target, fleet.nodes.get(target.nodeId)?.agentState, signs)];
    }),
  );
}

const gravest: readonly EvacuationVerdict[] = ['evacuated', 'held', 'waits', 'watched'];

function judgeTarget(target: TargetFacts, agent: AgentState | undefined, signs: readonly DeviceEvacuation[]): TargetHealth {
  const risky = gravest.flatMap((verdict) => signs.find((one) => one.verdict === verdict) ?? [])[0] ?? null;
  const of = (use: Pick<TargetHealth, 'takesData' | 'counts' | 'drain' | 'mayLetGo'>, reason: string | null): TargetHealth => ({
    targetId: target.targetId,
    ...use,
    riskyDeviceId: risky?.deviceId ?? null,
    evacuation: risky?.verdict ?? null,
    otherwise,
    reason,
  });
  const late = agent === 'late';
  const gone = goneBecause(target, agent);
  const otherwise = gone ?? closedBecause(target, agent);

  if (gone !== null) return of({ takesData: false, counts: false, drain: false, mayLetGo: false }, gone);
  if (target.state === 'frozen') return of({ takesData: false, counts: true, drain: false, mayLetGo: false }, otherwise);
  if (risky?.verdict === 'held') return of({ takesData: false, counts: true, drain: false, mayLetGo: false }, risky.reason);
  if (risky?.verdict === 'evacuated') return of({ takesData: false, counts: false, drain: true, mayLetGo: !late }, risky.reason);
  if (target.state === 'draining') return of({ takesData: false, counts: true, drain: true, mayLetGo: !late }, otherwise);
  if (risky !== null) return of({ takesData: false, counts: true, drain: false, mayLetGo: !late }, risky.reason);
  return of({ takesData: otherwise === null, counts: true, drain: false, mayLetGo: !late }, otherwise);
}

/** Why a place that is there takes nothing new. */
function closedBecause(target: TargetFacts, agent: AgentState | undefined): string | null {
  if (target.state === 'frozen') return `${target.targetId} is frozen: nothing is added and nothing is taken away`;
  if (target.state === 'draining') return `${target.targetId} is being drained`;
  if (agent === 'late') return `the agent of ${target.nodeId} is late`;
  return agent === 'returned' ? `the agent of ${target.nodeId} is back, its copies are being verified first` : null;
}

function goneBecause(target: TargetFacts, agent: AgentState | undefined): string | null {
  if (agent === undefined || agent === 'expected') return `the agent of ${target.nodeId} was never heard`;
  if (agent === 'lost') return `the agent of ${target.nodeId} is lost`;
  if (agent === 'revoked') return `the agent of ${target.nodeId} was revoked`;
  return target.state === 'lost' ? `${target.targetId} can not be reached` : null;
}
