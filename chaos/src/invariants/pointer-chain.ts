import type { Finding, Invariant } from './invariant.ts';
import { eventsOf } from './read-events.ts';

export const pointerChain: Invariant = {
  says: 'the pointer of every dataset moves by one revision at a time, once for each job that moves it',
  when: 'healed',
  async check({ api, sinceSeq }): Promise<Finding> {
    const moves = await eventsOf(api, 'dataset.pointer-moved', sinceSeq);
    const last = new Map<string, number>();
    const jobs = new Set<string>();
    const wrong: string[] = [];
    for (const { ids, seq } of moves) {
      const datasetId = String(ids.datasetId);
      const rev = Number(ids.rev);
      const before = last.get(datasetId);
      if (before !== undefined && rev !== before + 1) wrong.push(`${datasetId} went from ${before} to ${rev} (event ${seq})`);
      if (jobs.has(String(ids.jobId))) wrong.push(`job ${ids.jobId} moved the pointer of ${datasetId} twice`);
      jobs.add(String(ids.jobId));
      last.set(datasetId, rev);
    }
    return { holds: wrong.length === 0, detail: wrong.length === 0 ? `${moves.length} moves of ${last.size} pointers` : wrong.join('; ') };
  },
};
