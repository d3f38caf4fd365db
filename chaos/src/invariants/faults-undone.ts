import { chaosView } from '@data-in-motion/shared/api/operations';
import type { Finding, Invariant } from './invariant.ts';

export const faultsUndone: Invariant = {
  says: 'every fault of the run is undone',
  when: 'healed',
  async check({ api, experimentIds }): Promise<Finding> {
    const view = await api.call('chaos', chaosView);
    const still = view.armed.filter((one) => experimentIds.includes(one.experimentId));
    return {
      holds: still.length === 0,
      detail: still.length === 0 ? `${experimentIds.length} faults` : still.map((one) => `${one.kind} on ${one.subject} is ${one.state}`).join('; '),
    };
  },
};
