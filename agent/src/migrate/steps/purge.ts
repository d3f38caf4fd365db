import { asFailure, Failure } from '@data-in-motion/shared/failure';
import type { OrderOf } from '@data-in-motion/shared/protocol/messages';
import type { Directory } from '../directory.ts';
import { isMissing, removeManifest } from '../fetch-manifest.ts';
import { findWrite } from '../find-write.ts';
import { type ManifestFiles, statedTotals } from '../manifest.ts';
import { findUserOf } from '../open-files.ts';
import { type Permit, usePermit } from '../permit.ts';
import { printable, type RawPath } from '../raw-path.ts';
import { removeTree } from '../remove-tree.ts';
import { removeStaging } from '../staging-place.ts';
import { aboutJob, type StepParts, type StepRun, targetOf } from '../step-parts.ts';
import { currentLink, inDirectory, isPlaced, manifestFilesOf, openTarget, ownPath } from '../target-layout.ts';
import { leavingName, moveToTrash } from '../trash.ts';
import { compareTree } from '../verify-tree.ts';

/**
 * Delete a copy out of the trash, by a second permit. It is read whole first: a program that still had a file open may have written
 * after the copy was renamed, and then these bytes are nowhere else. Reports `purged`, or `conflict` and deletes nothing.
 *
 * A copy that never counted is taken out of its place first, and what its job left in staging goes with it. Its content is not read:
 * it is looked at for signs of a write alone, as one is that was found bad and replaced.
 */
export async function purge(order: OrderOf<'purge'>, permit: Permit, parts: StepParts, run: StepRun): Promise<void> {
  const { replicaId, targetId } = order.target;
  const target = targetOf(parts, targetId);
  const files = manifestFilesOf(target, replicaId);
  const replica = replicaId as string as RawPath;
  const leaving = leavingName(replicaId);
  const about = { ...aboutJob(run, parts), replicaId };
  const root = await openTarget(target, parts.journal);
  try {
    if (order.neverCounted === true) {
      const counts = await takeOutUncounted(order, permit, root, parts);
      if (counts !== null) return run.report({ ...about, event: 'conflict', path: '', detail: counts });
    }
    await inDirectory(root, ownPath('trash'), async (trash) => {
      const isThere = (await trash.exists(replica)) || (await trash.exists(leaving));
      // What never got its name has a manifest too, and freed none of the bytes that it lists.
      const freedBytes = isThere || order.neverCounted !== true ? ((await statedTotals(files.manifest))?.bytes ?? 0) : 0;
      if (await trash.exists(replica)) {
        const late = await lateWrite(order, trash, parts, run);
        if (late !== null) return run.report({ ...about, event: 'conflict', ...late });
        usePermit(permit, parts);
        parts.faults.failpoint('C25');
        await removeTree(trash, leaving);
        await trash.moveTo(replica, trash, leaving);
        await trash.sync();
      }
      if (await trash.exists(leaving)) {
        usePermit(permit, parts);
        await parts.faults.before('remove', targetId);
        await removeTree(trash, leaving, () => parts.faults.failpoint('C26'));
        await trash.sync();
      }
      // A power cut can undo a rename that was reported: then nothing was purged, and the copy needs its manifest.
      if (await isPlaced(root, order.target))
        return run.report({ ...about, event: 'conflict', path: '', detail: 'the copy is in its place and not in the trash' });
      await removeManifest(files);
      parts.faults.failpoint('C27');
      run.report({ ...about, event: 'purged', freedBytes });
    });
  } finally {
    await root.close();
  }
}

/**
 * Bring a copy that never counted from its place to the trash, where nothing can newly open it, and remove what its job left in staging.
 * @returns why it does count after all; null when it does not
 */
async function takeOutUncounted(order: OrderOf<'purge'>, permit: Permit, root: Directory, parts: StepParts): Promise<string | null> {
  const { replicaId, targetId, datasetId } = order.target;
  const replica = replicaId as string as RawPath;
  if (parts.journal.certificates().some((one) => one.role === 'activate' && one.replicaId === replicaId)) return 'readers were switched to the copy';
  const making = parts.journal.copies().find((one) => one.replicaId === replicaId);
  if (making !== undefined) {
    // Of a newer attempt of the same job nothing is touched: it makes another copy, and may do so right now.
    await removeStaging(making.jobId, making.epoch, root);
    parts.journal.forgetCopy(making.jobId, making.epoch);
  }
  if (!(await isPlaced(root, order.target))) return null;
  if (await inDirectory(root, datasetId, (dataset) => isCurrent(dataset, replica))) return 'the link "current" names the copy';
  usePermit(permit, parts);
  await parts.faults.before('rename', targetId);
  await moveToTrash(root, order.target, parts);
  return null;
}

async function isCurrent(dataset: Directory, replica: RawPath): Promise<boolean> {
  return (await dataset.exists(currentLink)) && (await dataset.readLink(currentLink)) === replica;
}

/**
 * Nothing can newly open what is in the trash, so once nobody has it open it is what it will be, and reading it then is final.
 * @returns what speaks against deleting, null when nothing does
 * @throws Failure `unavailable` (`purge.in-use`) while a program has a file of the copy open, before it is read or after
 */
async function lateWrite(order: OrderOf<'purge'>, trash: Directory, parts: StepParts, run: StepRun): Promise<{ path: string; detail: string } | null> {
  const target = targetOf(parts, order.target.targetId);
  const files = manifestFilesOf(target, order.target.replicaId);
  const path = `${target.root}/${ownPath('trash')}/${order.target.replicaId}`;
  await assertNotInUse(path);
  try {
    const written = await inDirectory(trash, order.target.replicaId, (tree) => writeIn(order, tree, files, parts, run));
    if (written !== null) return { path: printable(written.path), detail: written.detail };
  } catch (thrown) {
    const failure = asFailure(thrown);
    // Without its manifest nothing proves that the copy is what was meant to go.
    if (isMissing(thrown) || failure.code.startsWith('manifest.')) return { path: '', detail: failure.message.slice(0, 500) };
    throw thrown;
  }
  // A descriptor can be handed from a process that was not looked at yet to one that was.
  await assertNotInUse(path);
  return null;
}

/** What keeps a copy: any difference, and where the bytes are known to be worth nothing only a sign that somebody wrote to it. */
async function writeIn(
  order: OrderOf<'purge'>,
  tree: Directory,
  files: ManifestFiles,
  parts: StepParts,
  run: StepRun,
): Promise<{ path: RawPath; detail: string } | null> {
  if (order.neverCounted === true) {
    if ((await statedTotals(files.manifest))?.root !== order.root) return { path: '' as RawPath, detail: 'its manifest is not there, or of another version' };
    return findWrite(tree, files);
  }
  const compared = await compareTree(tree, files, { root: order.root }, { targetId: order.target.targetId, step: 'purge' }, parts, run);
  if (compared.same) return null;
  return order.knownBad === true ? findWrite(tree, files) : compared;
}

async function assertNotInUse(path: string): Promise<void> {
  const user = await findUserOf(path);
  if (user !== null) throw new Failure('unavailable', { code: 'purge.in-use', message: `process ${user.pid} has a file of the copy open`, ids: user });
}
