import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { ulidPattern } from '@data-in-motion/shared/domain/ids';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { type Directory, errnoOf } from '../directory.ts';
import { listTarget } from '../list-target.ts';
import type { RawPath } from '../raw-path.ts';
import { removeTree } from '../remove-tree.ts';
import type { StepParts } from '../step-parts.ts';
import { inDirectory, newLinkPrefix, openTarget, ownPath } from '../target-layout.ts';

/**
 * Remove what jobs left behind that are not alive: staging trees, manifests without a copy, scans and samples, links half made and
 * datasets without a copy. Only what is older than the settings say, and only by a list that came to its end. Copies and trash are never
 * touched here: they need a permit.
 *
 * @throws what the first target said that could not be swept, after all the rest is
 */
export async function sweep(liveJobs: ReadonlySet<string>, parts: StepParts): Promise<void> {
  const failures: unknown[] = [];
  for (const target of parts.targets) await sweepTarget(target, liveJobs, parts).catch((thrown: unknown) => failures.push(thrown));
  for (const kind of ['scans', 'samples']) await sweepState(path.join(parts.stateDirectory, kind), liveJobs, parts);
  parts.journal.forgetJobsExcept([...liveJobs], parts.clock.nowMs() - parts.settings.sweepAfterMs);
  if (failures.length > 0) throw failures[0];
}

async function sweepTarget(target: TargetDescription, liveJobs: ReadonlySet<string>, parts: StepParts): Promise<void> {
  const listed = await listTarget(target, parts.journal);
  const root = await openTarget(target, parts.journal);
  try {
    const isMadeHere = (jobId: string): boolean => liveJobs.has(jobId) && (parts.journal.copy(jobId)?.targetId ?? target.targetId) === target.targetId;
    await inDirectory(root, ownPath('staging'), async (staging) => {
      for (const name of listed.staging) {
        if (isMadeHere(name.slice(0, 26)) || !isOld(Number((await staging.lstat(name as RawPath)).mtimeMs), parts)) continue;
        await parts.faults.before('remove', target.targetId);
        await removeTree(staging, name as RawPath);
      }
    });
    // A copy in the making has its manifest first, so those of live jobs stay.
    const making = parts.journal.copies().filter((one) => liveJobs.has(one.jobId));
    const wanted = new Set<string>([...listed.replicas, ...making].map((replica) => replica.replicaId));
    await inDirectory(root, ownPath('manifests'), async (manifests) => {
      for (const name of listed.manifests) {
        const replicaId = name.slice(0, 26);
        if (!ulidPattern.test(replicaId) || wanted.has(replicaId) || listed.leaving.includes(replicaId)) continue;
        if (isOld(Number((await manifests.lstat(name as RawPath)).mtimeMs), parts)) await manifests.removeFile(name as RawPath);
      }
    });
    for (const dataset of listed.datasets) {
      const isEmpty = await sweepLinks(dataset, root, liveJobs, parts);
      // A copy in the making will want its place there, also one of a job that is newer than the list of those alive.
      if (isEmpty && !parts.journal.copies().some((one) => one.datasetId === (dataset as string))) await root.removeEmptyDirectory(dataset).catch(ignoreKept);
    }
  } finally {
    await root.close();
  }
}

/** Remove links that a crash kept from being made current. @returns whether nothing else has been in the dataset's directory for a while */
async function sweepLinks(name: RawPath, root: Directory, liveJobs: ReadonlySet<string>, parts: StepParts): Promise<boolean> {
  return inDirectory(root, name, async (dataset) => {
    let kept = 0;
    for (const child of await dataset.children()) {
      const jobId = child.name.startsWith(newLinkPrefix) ? child.name.slice(newLinkPrefix.length) : null;
      if (jobId !== null && !liveJobs.has(jobId) && isOld(Number((await dataset.lstat(child.name)).mtimeMs), parts)) await dataset.removeFile(child.name);
      else kept++;
    }
    return kept === 0 && isOld(Number((await dataset.stat()).mtimeMs), parts);
  });
}

/** Something came into it meanwhile, or it is not ours to remove: an empty directory of somebody is no harm. */
function ignoreKept(thrown: unknown): void {
  if (!['ENOTEMPTY', 'EBUSY', 'EPERM', 'EACCES'].includes(errnoOf(thrown))) throw thrown;
}

async function sweepState(directory: string, liveJobs: ReadonlySet<string>, parts: StepParts): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const jobId = name.slice(0, 26);
    if (!ulidPattern.test(jobId) || liveJobs.has(jobId)) continue;
    const file = path.join(directory, name);
    if (isOld((await stat(file)).mtimeMs, parts)) await rm(file, { recursive: true, force: true });
  }
}

function isOld(atMs: number, parts: StepParts): boolean {
  return parts.clock.nowMs() - atMs > parts.settings.sweepAfterMs;
}
