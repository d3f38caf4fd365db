import { datasetDetail } from '@data-in-motion/shared/api/datasets';
import type { Finding, Invariant } from './invariant.ts';

export const policyMet: Invariant = {
  says: 'every dataset of the run has again as many verified copies as its policy wants',
  when: 'healed',
  async check({ api, datasetIds }): Promise<Finding> {
    const short: string[] = [];
    for (const datasetId of datasetIds) {
      const { dataset } = await api.call('dataset', datasetDetail, { path: { datasetId } });
      if (dataset.policyState !== 'met' || dataset.copiesVerified < dataset.copiesWanted)
        short.push(`${datasetId} is ${dataset.policyState} with ${dataset.copiesVerified} of ${dataset.copiesWanted} copies`);
    }
    return { holds: short.length === 0, detail: short.length === 0 ? `${datasetIds.length} datasets` : short.join('; ') };
  },
};
