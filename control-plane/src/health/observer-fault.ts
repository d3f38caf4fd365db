import { isRisky } from '@data-in-motion/shared/domain/assessment';
import type { ObserverGuard } from '../fleet/decision-settings.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';

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
  const enough = Math.max(guard.atLeast, Math.floor(guard.share * snapshot.devices.length) + 1);
  const changes = snapshot.devices
    .flatMap((device) => (isRisky(device.level) && device.levelSinceMs !== null ? [device.levelSinceMs] : []))
    .sort((a, b) => a - b);
  for (let last = enough - 1; last < changes.length; last++) {
    const spanMs = changes[last]! - changes[last - enough + 1]!;
    const ageMs = snapshot.takenAtMs - changes[last]!;
    if (spanMs > guard.withinMs || ageMs > guard.holdMs) continue;
    const words = `${changes.length} of ${snapshot.devices.length} devices turned risky, ${enough} of them within ${Math.ceil(guard.withinMs / 60_000)} minutes`;
    return {
      holding: true,
      reason: `${words}: the judge is the likelier fault, so evacuation waits for a person or for ${Math.ceil((guard.holdMs - ageMs) / 60_000)} more minutes`,
    };
  }
  return { holding: false, reason: '' };
}
