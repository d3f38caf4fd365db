import { asFailure, Failure } from '@data-in-motion/shared/failure';
import type { OrderOf } from '@data-in-motion/shared/protocol/messages';
import type { Directory } from '../directory.ts';
import { isMissing, removeManifest } from '../fetch-manifest.ts';
import { findWrite } from '../find-write.ts';
import { statedTotals } from '../manifest.ts';
import { findOpenFileBelow } from '../open-files.ts';
import { assertPermit, type Permit } from '../permit.ts';
import { printable, type RawPath } from '../raw-path.ts';
import { removeTree } from '../remove-tree.ts';
import { aboutJob, type StepParts, type StepRun, targetOf } from '../step-parts.ts';
import { inDirectory, manifestFilesOf, openTarget, ownPath } from '../target-layout.ts';
import { compareTree } from '../verify-tree.ts';

/**
 * Delete a copy out of the trash, by a second permit. It is read whole first: a program that still had a file open may have written
 * after the copy was renamed, and then these bytes are nowhere else. Reports `purged`, or `conflict` and deletes nothing.
 *
 * From the moment the first file may be unlinked the copy carries another name, so that half of it is never taken for a changed whole.
 */
export async function purge(order: OrderOf<'purge'>, permit: Permit, parts: StepParts, run: StepRun): Promise<void> {
  const { replicaId, targetId } = order.target;
  const target = targetOf(parts, targetId);
  const files = manifestFilesOf(target, replicaId);
  const replica = replicaId as string as RawPath;
  const leaving = `${replica}.leaving` as RawPath;
  const about = { ...aboutJob(run, parts), replicaId };
  const stage = (to: 'checked' | 'deleting' | 'done'): void =>
    parts.journal.savePermit({ permitId: order.permitId, kind: 'purge', targetId, replicaId, stage: to });
  const root = await openTarget(target);
  try {
    const freedBytes = (await statedTotals(files.manifest))?.bytes ?? 0;
    await inDirectory(root, ownPath('trash'), async (trash) => {
      if (await trash.exists(replica)) {
        const late = await lateWrite(order, trash, parts, run);
        if (late !== null) return run.report({ ...about, event: 'conflict', ...late });
        assertPermit(permit, parts);
        stage('checked');
        parts.faults.failpoint('C25');
        await removeTree(trash, leaving);
        await trash.moveTo(replica, trash, leaving);
        await trash.sync();
      }
      if (await trash.exists(leaving)) {
        assertPermit(permit, parts);
        stage('deleting');
        await parts.faults.before('remove', targetId);
        await removeTree(trash, leaving, () => parts.faults.failpoint('C26'));
        await trash.sync();
      }
      if (await isLive(root, order)) return run.report({ ...about, event: 'conflict', path: '', detail: 'the copy is in its place and not in the trash' });
      await removeManifest(files);
      stage('done');
      parts.faults.failpoint('C27');
      run.report({ ...about, event: 'purged', freedBytes });
    });
  } finally {
    await root.close();
  }
}

/** A power cut can undo a rename that was reported: then nothing was purged, and the copy needs its manifest. */
async function isLive(root: Directory, order: OrderOf<'purge'>): Promise<boolean> {
  const { datasetId, replicaId } = order.target;
  if (!(await root.exists(datasetId as string as RawPath))) return false;
  return inDirectory(root, datasetId, (dataset) => dataset.exists(replicaId as string as RawPath));
}

/** @returns what speaks against deleting, null when nothing does. @throws Failure `unavailable` while a program has a file of the copy open */
async function lateWrite(order: OrderOf<'purge'>, trash: Directory, parts: StepParts, run: StepRun): Promise<{ path: string; detail: string } | null> {
  const { replicaId, targetId } = order.target;
  const target = targetOf(parts, targetId);
  const files = manifestFilesOf(target, replicaId);
  try {
    const compared = await inDirectory(trash, replicaId, (tree) => compareTree(tree, files, { root: order.root }, { targetId, step: 'purge' }, parts, run));
    const written = compared.same ? null : order.knownBad === true ? await inDirectory(trash, replicaId, (tree) => findWrite(tree, files)) : compared;
    if (written !== null) return { path: printable(written.path), detail: written.detail };
  } catch (thrown) {
    const failure = asFailure(thrown);
    // Without its manifest nothing proves that the copy is what was meant to go.
    if (isMissing(thrown) || failure.code.startsWith('manifest.')) return { path: '', detail: failure.message.slice(0, 500) };
    throw thrown;
  }
  const open = await findOpenFileBelow(`${target.root}/${ownPath('trash')}/${replicaId}`);
  if (open !== null) throw new Failure('unavailable', { code: 'purge.in-use', message: `process ${open.pid} has a file of the copy open` });
  return null;
}
