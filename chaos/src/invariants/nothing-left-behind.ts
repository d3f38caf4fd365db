import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { type JobView, jobView } from '@data-in-motion/shared/api/decisions';
import { Failure } from '@data-in-motion/shared/failure';
import type { Finding, Invariant } from './invariant.ts';

export const nothingLeftBehind: Invariant = {
  says: 'no half copy of a job that is done lies on any target',
  when: 'healed',
  async check({ api, targets }): Promise<Finding> {
    const left: string[] = [];
    for (const target of targets) {
      const staging = path.join(target.root, '.dim/staging');
      for (const name of existsSync(staging) ? readdirSync(staging) : []) {
        const jobId = name.split('.')[0]!;
        const job = await api.call('job', jobView, { path: { jobId } }).catch(unknownJob);
        if (job?.state === 'done') left.push(`${target.targetId}: ${name}`);
      }
    }
    return { holds: left.length === 0, detail: left.length === 0 ? `${targets.length} targets` : left.join('; ') };
  },
};

function unknownJob(error: unknown): JobView | undefined {
  if (error instanceof Failure && error.kind === 'refused') return undefined;
  throw error;
}
