import type { CopyPlace } from '../journal/migrations-journal.ts';
import type { Directory } from './directory.ts';
import { removeManifest } from './fetch-manifest.ts';
import type { RawPath } from './raw-path.ts';
import { removeTree } from './remove-tree.ts';
import { type StepParts, targetOf } from './step-parts.ts';
import { inDirectory, manifestFilesOf, openTarget, ownPath } from './target-layout.ts';
import { isAnywhere } from './trash.ts';

/** A tree in the making lies in a target's staging as `<job>.<epoch>`. */
export function stagingName(order: { readonly jobId: string; readonly epoch: number }): RawPath {
  return `${order.jobId}.${order.epoch}` as RawPath;
}

export function epochOf(name: RawPath): number {
  return Number(name.slice(name.indexOf('.') + 1)) || 0;
}

/** All that the attempts of one job, up to that of an epoch, left in a target's staging. */
export async function removeStaging(jobId: string, uptoEpoch: number, root: Directory): Promise<void> {
  await inDirectory(root, ownPath('staging'), async (staging) => {
    const own = (await staging.children()).filter(({ name }) => name.startsWith(`${jobId}.`) && epochOf(name) <= uptoEpoch);
    for (const { name } of own) await removeTree(staging, name);
    if (own.length > 0) await staging.sync();
  });
}

/** Give back the room that a copy in the making takes, so that other work can use it: its staging, its manifest, and what is remembered of both. */
export async function releaseStaging(made: CopyPlace, uptoEpoch: number, parts: StepParts): Promise<void> {
  const target = targetOf(parts, made.targetId);
  const root = await openTarget(target, parts.journal);
  try {
    await removeStaging(made.jobId, uptoEpoch, root);
    // A copy that had its place needs its manifest, whatever becomes of it, also on its way out.
    if (!(await isAnywhere(root, made))) await removeManifest(manifestFilesOf(target, made.replicaId));
    parts.journal.forgetCopy(made.jobId, made.epoch);
  } finally {
    await root.close();
  }
}
