import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { checkCopy } from './check-copy.ts';
import type { Finding, Invariant, KnownDataset, KnownTarget } from './invariant.ts';

/** Asks nobody: whatever the control plane believes, the bytes of every committed version are on some disk, whole. */
export const oneGoodCopy: Invariant = {
  says: 'every committed version has a copy whose bytes, hashed again, are those of its manifest',
  when: 'always',
  async check({ known, targets }): Promise<Finding> {
    const lost: string[] = [];
    for (const dataset of known) {
      const found = await goodCopy(dataset, targets);
      if (found !== undefined) lost.push(`${dataset.datasetId}: ${found}`);
    }
    return { holds: lost.length === 0, detail: lost.length === 0 ? `${known.length} datasets, on ${targets.length} targets` : lost.join('; ') };
  },
};

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
  const directory = path.join(target.root, datasetId);
  return existsSync(directory) ? readdirSync(directory).filter((name) => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(name)) : [];
}
