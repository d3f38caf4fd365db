import { consistencyView } from '@data-in-motion/shared/api/operations';
import type { Finding, Invariant } from './invariant.ts';

export const telemetryWhole: Invariant = {
  says: 'the batches of every agent, also of a life that ended in the run, are stored without a hole up to the highest that was seen, and none of the run was unreadable',
  when: 'healed',
  async check({ api, consistencyBefore }): Promise<Finding> {
    const { streams, quarantine } = await api.call('consistency', consistencyView);
    const torn = streams.filter((one) => one.holes > 0 || one.watermark < one.highestSeen);
    const losses = streams.map(({ nodeId, lostBefore }) => {
      const known = consistencyBefore.streams.find((one) => one.nodeId === nodeId);
      return { nodeId, lost: lostBefore - (known?.lostBefore ?? 0) };
    });
    // Only so many are kept: their number says nothing about what came.
    const unreadable = quarantine.filter((one) => one.atMs > consistencyBefore.asOfMs).length;
    const wrong = [
      ...torn.map((one) => `${one.nodeId} is stored to ${one.watermark} of ${one.highestSeen}, ${one.holes} missing`),
      ...losses.filter(({ lost }) => lost > 0).map(({ nodeId, lost }) => `${nodeId} lost ${lost} batches with its journal`),
      ...(unreadable === 0 ? [] : [`${unreadable} messages were unreadable`]),
    ];
    return { holds: wrong.length === 0, detail: wrong.length === 0 ? streams.map((one) => `${one.nodeId} ${one.watermark}`).join(', ') : wrong.join('; ') };
  },
};
