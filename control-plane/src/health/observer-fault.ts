import { isRisky } from '@data-in-motion/shared/domain/assessment';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import type { ObserverGuard } from '../fleet/decision-settings.ts';
import { indexOf } from '../fleet/lookup.ts';
import type { DeviceFacts, FleetSnapshot } from '../fleet/snapshot.ts';

export interface ObserverFault {
  readonly holding: boolean;
  /** In words, for a person; empty when nothing is held. */
  readonly reason: string;
}

/**
 * Whether so many devices turned risky within a short time that what judges them is the likelier fault.
 * A bad firmware, a wrong model or a broken reader condemns many drives at once, real drives die one by one; evacuating half a fleet
 * on such a word costs more than waiting `holdMs` for a person. Devices whose change has no time count as old.
 */
export function observerFault(snapshot: FleetSnapshot, guard: ObserverGuard): ObserverFault {
  return flood(snapshot.devices, snapshot.devices.length, snapshot.takenAtMs, guard, {
    share: guard.share,
    withinMs: guard.withinMs,
    of: 'devices',
    likelier: 'the judge',
  });
}

/**
 * The devices whose alarm is not acted on for now, with why. Beside the whole fleet, at once:
 *
 * - one failure domain: a shelf's power, cable or controller makes all its drives look bad, and moving everything through it helps nobody.
 *   Drives do follow each other there, so it is held for `holdMs` only, like everything here;
 * - one version of a model, soon after it judged its first device. What a drive says of itself is no matter of a model, and is not held by this.
 */
export function observerHolds(snapshot: FleetSnapshot, guard: ObserverGuard): Map<DeviceId, string> {
  const held = new Map<DeviceId, string>();
  const hold = (devices: readonly DeviceFacts[], fault: ObserverFault): void => {
    if (fault.holding) for (const device of devices) if (!held.has(device.deviceId)) held.set(device.deviceId, fault.reason);
  };
  hold(snapshot.devices, observerFault(snapshot, guard));
  for (const [domain, devices] of devicesByDomain(snapshot))
    hold(
      devices,
      flood(devices, devices.length, snapshot.takenAtMs, guard, {
        share: guard.domainShare,
        withinMs: guard.domainWithinMs,
        of: `devices in ${domain}`,
        likelier: 'what they share',
      }),
    );
  const judged = snapshot.devices.filter((device) => device.judgeKind === 'model' && device.judgeSinceMs !== null);
  for (const [judge, devices] of Map.groupBy(judged, (device) => device.judge)) {
    const untilMs = Math.min(...devices.map((device) => device.judgeSinceMs!)) + guard.modelTrialMs;
    const byIt = devices.filter(
      (device) => !device.saysItFails && device.levelSinceMs !== null && device.levelSinceMs >= device.judgeSinceMs! && device.levelSinceMs <= untilMs,
    );
    const watched = devices.filter((device) => !device.saysItFails);
    hold(
      watched,
      flood(byIt, devices.length, snapshot.takenAtMs, guard, {
        share: guard.modelShare,
        withinMs: guard.modelTrialMs,
        of: `devices judged by ${judge}`,
        likelier: 'the new model',
      }),
    );
  }
  return held;
}

/** Devices by the failure domain of their targets; places that stand alone are no flood. */
function devicesByDomain(snapshot: FleetSnapshot): ReadonlyMap<string, DeviceFacts[]> {
  const fleet = indexOf(snapshot);
  const domains = new Map<string, Map<DeviceId, DeviceFacts>>();
  for (const target of snapshot.targets)
    for (const deviceId of target.deviceIds) {
      const device = fleet.devices.get(deviceId);
      if (device === undefined) continue;
      // Racks of two sites may have the same name.
      const domain = `${target.failureDomain} at ${target.siteId}`;
      const there = domains.get(domain) ?? new Map<DeviceId, DeviceFacts>();
      domains.set(domain, there.set(deviceId, device));
    }
  return new Map([...domains].map(([domain, devices]) => [domain, [...devices.values()]]));
}

function flood(
  devices: readonly DeviceFacts[],
  total: number,
  nowMs: number,
  guard: ObserverGuard,
  what: { readonly share: number; readonly withinMs: number; readonly of: string; readonly likelier: string },
): ObserverFault {
  const enough = Math.max(guard.atLeast, Math.floor(what.share * total) + 1);
  const changes = devices.flatMap((device) => (isRisky(device.level) && device.levelSinceMs !== null ? [device.levelSinceMs] : [])).sort((a, b) => a - b);
  for (let last = enough - 1; last < changes.length; last++) {
    const spanMs = changes[last]! - changes[last - enough + 1]!;
    const ageMs = nowMs - changes[last]!;
    if (spanMs > what.withinMs || ageMs > guard.holdMs) continue;
    const words = `${changes.length} of ${total} ${what.of} turned risky, ${enough} of them within ${spanText(what.withinMs)}`;
    return {
      holding: true,
      reason: `${words}: ${what.likelier} is the likelier fault, so evacuation waits for a person or for ${Math.ceil((guard.holdMs - ageMs) / 60_000)} more minutes`,
    };
  }
  return { holding: false, reason: '' };
}

function spanText(ms: number): string {
  return ms > 7_200_000 ? `${Math.ceil(ms / 3_600_000)} hours` : `${Math.ceil(ms / 60_000)} minutes`;
}
