import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { ulidPattern } from '@data-in-motion/shared/domain/ids';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { listTarget } from '../list-target.ts';
import type { RawPath } from '../raw-path.ts';
import { removeTree } from '../remove-tree.ts';
import type { StepParts } from '../step-parts.ts';
import { inDirectory, openTarget, ownPath } from '../target-layout.ts';

/**
 * Remove what jobs left behind that are not alive: staging trees, manifests without a copy, scans and samples. Only what is older than
 * the settings say, and only by a list that came to its end. Copies and trash are never touched here: they need a permit.
 */
export async function sweep(liveJobs: ReadonlySet<string>, parts: StepParts): Promise<void> {
  for (const target of parts.targets) await sweepTarget(target, liveJobs, parts);
  for (const kind of ['scans', 'samples']) await sweepState(path.join(parts.stateDirectory, kind), liveJobs, parts);
  parts.journal.forgetJobsExcept([...liveJobs], parts.clock.nowMs() - parts.settings.sweepAfterMs);
}

async function sweepTarget(target: TargetDescription, liveJobs: ReadonlySet<string>, parts: StepParts): Promise<void> {
  const listed = await listTarget(target);
  const root = await openTarget(target);
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
  } finally {
    await root.close();
  }
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
