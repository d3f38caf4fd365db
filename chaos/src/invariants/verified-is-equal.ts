import { datasetDetail } from '@data-in-motion/shared/api/datasets';
import { checkCopy } from './check-copy.ts';
import type { Finding, Invariant } from './invariant.ts';

export const verifiedIsEqual: Invariant = {
  says: 'every copy that the fleet calls verified is equal to its manifest, byte for byte, and `current` names the primary',
  when: 'healed',
  async check({ api, known, targets }): Promise<Finding> {
    const wrong: string[] = [];
    let copies = 0;
    for (const { datasetId } of known) {
      const { dataset, replicas } = await api.call('dataset', datasetDetail, { path: { datasetId } });
      for (const replica of replicas.filter((one) => one.state === 'verified' && one.current)) {
        const target = targets.find((one) => one.targetId === replica.targetId);
        if (target === undefined || dataset.root === null) continue;
        copies++;
        const verdict = await checkCopy(target.root, datasetId, replica.replicaId, dataset.root);
        if (!verdict.good) wrong.push(`${datasetId} on ${target.targetId}: ${verdict.because}`);
      }
    }
    return { holds: wrong.length === 0, detail: wrong.length === 0 ? `${copies} copies` : wrong.join('; ') };
  },
};
