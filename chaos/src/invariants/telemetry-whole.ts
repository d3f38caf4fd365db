import { consistencyView } from '@data-in-motion/shared/api/operations';
import type { Finding, Invariant } from './invariant.ts';

export const telemetryWhole: Invariant = {
  says: 'the batches of every agent, also of a life that ended in the run, are stored without a hole up to the highest that was seen, and none of the run was unreadable',
  when: 'healed',
  async check({ api, consistencyBefore }): Promise<Finding> {
    const { streams, quarantined } = await api.call('consistency', consistencyView);
    const torn = streams.filter((one) => one.holes > 0 || one.watermark < one.highestSeen);
    const lost = streams.filter((one) => one.lostBefore > (consistencyBefore.streams.find(({ nodeId }) => nodeId === one.nodeId)?.lostBefore ?? 0));
    const unreadable = quarantined - consistencyBefore.quarantined;
    const wrong = [
      ...torn.map((one) => `${one.nodeId} is stored to ${one.watermark} of ${one.highestSeen}, ${one.holes} missing`),
      ...lost.map((one) => `${one.nodeId} lost ${one.lostBefore} batches with its journal`),
      ...(unreadable === 0 ? [] : [`${unreadable} messages were unreadable`]),
    ];
    return { holds: wrong.length === 0, detail: wrong.length === 0 ? streams.map((one) => `${one.nodeId} ${one.watermark}`).join(', ') : wrong.join('; ') };
  },
};
