import type { FleetSnapshot } from '../fleet/snapshot.ts';

/**
 * The fleet with only those jobs that keep agents busy: one whose switch is made only waits for readers and for the trash time, for days, and would
 * use up the limits meanwhile. Its key still keeps it from being planned twice.
 */
export function atWork(snapshot: FleetSnapshot): FleetSnapshot {
  return { ...snapshot, jobs: snapshot.jobs.filter((one) => !['switched', 'grace', 'retiring'].includes(one.state)) };
}
