import type { FleetStatus } from '@data-in-motion/shared/api/fleet';

/** The most pressing thing about the datasets that do not have all copies, in a few words; what lacks copies comes before what has no place, and both before what is not imported yet. */
export function datasetsNote({ short, infeasible, empty }: Pick<FleetStatus['datasets'], 'short' | 'infeasible' | 'empty'>): string {
  if (short > 0) return `${short} short of copies`;
  if (infeasible > 0) return `no place meets the policy of ${infeasible}`;
  return empty > 0 ? `${empty} without a version yet` : 'none is short';
}
