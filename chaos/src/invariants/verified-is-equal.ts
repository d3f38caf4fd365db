import { readlink } from 'node:fs/promises';
import path from 'node:path';
import { type DatasetDetail, datasetDetail, type ReplicaView } from '@data-in-motion/shared/api/datasets';
import { wrongTwice } from './check-again.ts';
import { checkCopy } from './check-copy.ts';
import type { Finding, Invariant, KnownTarget } from './invariant.ts';

export const verifiedIsEqual: Invariant = {
  says: 'every copy that the fleet calls verified is equal to its manifest, byte for byte, and `current` names the primary',
  when: 'healed',
  async check({ api, known, targets }): Promise<Finding> {
    const wrong: string[] = [];
    let copies = 0;
    for (const { datasetId } of known) {
      const ask = (): Promise<DatasetDetail> => api.call('dataset', datasetDetail, { path: { datasetId } });
      for (const { replicaId, targetId } of counted(await ask())) {
        const target = targets.find((one) => one.targetId === targetId);
        if (target === undefined) continue;
        copies++;
        const found = await wrongTwice(
          async () => claimOf(await ask(), replicaId),
          (claim) => whatIsWrong(target, datasetId, claim),
        );
        if (found !== undefined) wrong.push(`${datasetId} on ${targetId}: ${found}`);
      }
    }
    return { holds: wrong.length === 0, detail: wrong.length === 0 ? `${copies} copies` : wrong.join('; ') };
  },
};

/** What the fleet says of one copy. */
interface Claim {
  readonly replicaId: string;
  readonly primary: boolean;
  readonly root: string;
}

function counted({ replicas }: DatasetDetail): ReplicaView[] {
  return replicas.filter((one) => one.state === 'verified' && one.current);
}

function claimOf(detail: DatasetDetail, replicaId: string): Claim | undefined {
  const replica = counted(detail).find((one) => one.replicaId === replicaId);
  const { root } = detail.dataset;
  return replica === undefined || root === null ? undefined : { replicaId, primary: replica.primary, root };
}

async function whatIsWrong(target: KnownTarget, datasetId: string, { replicaId, primary, root }: Claim): Promise<string | undefined> {
  const verdict = await checkCopy(target.root, datasetId, replicaId, root);
  if (!verdict.good) return verdict.because;
  if (!primary) return undefined;
  const named = await readlink(path.join(target.root, datasetId, 'current')).catch((error: NodeJS.ErrnoException) => `nothing (${error.code})`);
  return named === replicaId ? undefined : `it is the primary, but current names ${named}`;
}
