import { consistencyView } from '@data-in-motion/shared/api/operations';
import type { Finding, Invariant } from './invariant.ts';

export const telemetryWhole: Invariant = {
  says: 'the batches of every agent are stored without a hole, up to the highest that was seen, and none was unreadable',
  when: 'healed',
  async check({ api }): Promise<Finding> {
    const { streams } = await api.call('consistency', consistencyView);
    const torn = streams.filter((one) => one.holes > 0 || one.watermark < one.highestSeen);
    return {
      holds: torn.length === 0,
      detail:
        torn.length === 0
          ? streams.map((one) => `${one.nodeId} ${one.watermark}`).join(', ')
          : torn.map((one) => `${one.nodeId} is stored to ${one.watermark} of ${one.highestSeen}, ${one.holes} missing`).join('; '),
    };
  },
};
