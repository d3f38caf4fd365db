import { jobView } from '@data-in-motion/shared/api/decisions';
import type { Finding, Invariant } from './invariant.ts';

/** States whose entering is an effect on the fleet: each at most once in the life of a job. */
const effects = ['switched', 'trashed', 'purged', 'done'];

export const noEffectTwice: Invariant = {
  says: 'no job switches, removes or ends twice, however often its reports arrive',
  when: 'healed',
  async check({ api, datasetIds }): Promise<Finding> {
    const twice: string[] = [];
    let looked = 0;
    for (const datasetId of datasetIds) {
      for (const { jobId } of (await api.list('jobs', jobView, { dataset: datasetId })).items) {
        const { transitions = [] } = await api.call('job', jobView, { path: { jobId } });
        looked++;
        for (const effect of effects) {
          const times = transitions.filter((one) => one.to === effect && one.from !== effect).length;
          if (times > 1) twice.push(`job ${jobId} of ${datasetId} became ${effect} ${times} times`);
        }
      }
    }
    return { holds: twice.length === 0, detail: twice.length === 0 ? `${looked} jobs` : twice.join('; ') };
  },
};
