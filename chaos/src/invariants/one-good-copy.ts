import { readdirSync } from 'node:fs';
import path from 'node:path';
import { datasetDetail } from '@data-in-motion/shared/api/datasets';
import { Failure } from '@data-in-motion/shared/failure';
import { wrongTwice } from './check-again.ts';
import { checkCopy } from './check-copy.ts';
import type { Finding, Invariant, KnownDataset, KnownTarget, Witness } from './invariant.ts';

/** Believes nobody: whatever the control plane counts, the bytes of every committed version are on some disk, whole. */
export const oneGoodCopy: Invariant = {
  says: 'every committed version has a copy whose bytes, hashed again, are those of its manifest',
  when: 'always',
  async check(witness): Promise<Finding> {
    const { known, targets } = witness;
    const lost: string[] = [];
    for (const dataset of known) {
      const found = await wrongTwice(
        () => versionNow(witness, dataset),
        (now) => goodCopy(now, targets),
      );
      if (found !== undefined) lost.push(`${dataset.datasetId}: ${found}`);
    }
    return { holds: lost.length === 0, detail: lost.length === 0 ? `${known.length} datasets, on ${targets.length} targets` : lost.join('; ') };
  },
};

/** Which version must be whole: another one may have been committed meanwhile. A control plane that is dead does not take the last one back. */
async function versionNow({ api }: Witness, last: KnownDataset): Promise<KnownDataset> {
  try {
    const { dataset } = await api.call('dataset', datasetDetail, { path: { datasetId: last.datasetId } });
    return dataset.root === null || dataset.versionId === null ? last : { ...last, root: dataset.root, versionId: dataset.versionId };
  } catch (error) {
    if (error instanceof Failure && error.kind === 'unavailable') return last;
    throw error;
  }
}

/** Undefined when there is one; otherwise why each candidate is not. */
async function goodCopy(dataset: KnownDataset, targets: readonly KnownTarget[]): Promise<string | undefined> {
  const reasons: string[] = [];
  for (const target of targets) {
    for (const replicaId of copiesOn(target, dataset.datasetId)) {
      const verdict = await checkCopy(target.root, dataset.datasetId, replicaId, dataset.root);
      if (verdict.good) return undefined;
      reasons.push(`${target.targetId}/${replicaId} ${verdict.because}`);
    }
  }
  return reasons.length === 0 ? 'no copy anywhere' : reasons.join(', ');
}

export function copiesOn(target: KnownTarget, datasetId: string): string[] {
  try {
    return readdirSync(path.join(target.root, datasetId)).filter((name) => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
