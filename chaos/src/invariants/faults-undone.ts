import type { Finding, Invariant } from './invariant.ts';
import { eventsOf } from './read-events.ts';

/** A fault whose time is over is not undone by that: its agent has to have said so, or to have refused it. */
export const faultsUndone: Invariant = {
  says: 'of every fault of the run its agent said that it is undone, or that it was never made',
  when: 'healed',
  async check({ api, experimentIds, sinceSeq }): Promise<Finding> {
    const [undone, refused] = await Promise.all(
      ['fault.undone', 'fault.refused'].map(async (type) => new Set((await eventsOf(api, type, sinceSeq)).map(({ ids }) => String(ids.experimentId)))),
    );
    const open = experimentIds.filter((experimentId) => !undone!.has(experimentId) && !refused!.has(experimentId));
    return {
      holds: open.length === 0,
      detail: open.length === 0 ? `${experimentIds.length} faults` : `nobody said of ${open.join(', ')} that it is undone`,
    };
  },
};
