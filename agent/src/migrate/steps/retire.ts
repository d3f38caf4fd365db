import { asFailure } from '@data-in-motion/shared/failure';
import type { OrderOf } from '@data-in-motion/shared/protocol/messages';
import type { Directory } from '../directory.ts';
import { isUnreadable } from '../error-class.ts';
import { isMissing } from '../fetch-manifest.ts';
import { findWrite } from '../find-write.ts';
import { type Permit, usePermit } from '../permit.ts';
import { printable, type RawPath } from '../raw-path.ts';
import { aboutJob, type StepParts, type StepRun, targetOf } from '../step-parts.ts';
import { inDirectory, manifestFilesOf, openTarget, ownPath } from '../target-layout.ts';
import { moveToTrash } from '../trash.ts';
import { type Comparison, compareTree } from '../verify-tree.ts';

/**
 * Let an old copy leave, by permit: read whole once more, then renamed into the trash, where it can be fetched back from.
 * Reports `started` and `trashed`, or `conflict` when somebody wrote to it, or `kept` when it can not be read: then nothing is moved.
 * A copy that was found bad before, and replaced, may leave with the bytes that rotted; not with any that somebody wrote.
 */
export async function retire(order: OrderOf<'retire'>, permit: Permit, parts: StepParts, run: StepRun): Promise<void> {
  const { target: replica } = order;
  const { replicaId, targetId, datasetId } = replica;
  const about = { ...aboutJob(run, parts), replicaId };
  const kept = (because: string): void => run.report({ ...about, event: 'kept', replicaId, because });
  const root = await openTarget(targetOf(parts, targetId), parts.journal);
  try {
    const inTrash = await inDirectory(root, ownPath('trash'), (trash) => trash.exists(replicaId as string as RawPath));
    if (inTrash) {
      // The rename was done before a crash, and perhaps not flushed.
      await syncBoth(root, datasetId);
      parts.faults.failpoint('C24');
      run.report({ ...about, event: 'trashed' });
      return;
    }
    run.report({ ...about, event: 'started', step: 'retire' });
    const answer = await check(order, root, parts, run);
    if ('because' in answer) return kept(answer.because);
    const written = answer.same ? null : await writeIn(order, answer, root, parts);
    if (written !== null) return run.report({ ...about, event: 'conflict', path: printable(written.path), detail: written.detail });
    usePermit(permit, parts);
    parts.faults.failpoint('C22');
    await parts.faults.before('rename', targetId);
    await moveToTrash(root, replica, parts);
    parts.faults.failpoint('C24');
    run.report({ ...about, event: 'trashed' });
  } finally {
    await root.close();
  }
}

async function check(order: OrderOf<'retire'>, root: Directory, parts: StepParts, run: StepRun): Promise<Comparison | { because: string }> {
  const { replicaId, targetId, datasetId } = order.target;
  const files = manifestFilesOf(targetOf(parts, targetId), replicaId);
  try {
    return await inDirectory(root, `${datasetId}/${replicaId}`, (tree) =>
      compareTree(tree, files, { root: order.root }, { targetId, step: 'retire' }, parts, run),
    );
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (isMissing(thrown)) return { because: 'the copy or its manifest is not there' };
    if (isUnreadable(thrown)) return { because: `it can not be read: ${failure.message}`.slice(0, 500) };
    if (failure.code.startsWith('manifest.')) return { because: failure.message.slice(0, 500) };
    throw thrown;
  }
}

/** What keeps a copy that differs: any difference, and in a copy that is known to have rotted only a sign that somebody wrote to it. */
async function writeIn(
  order: OrderOf<'retire'>,
  found: { path: RawPath; detail: string },
  root: Directory,
  parts: StepParts,
): Promise<{ path: RawPath; detail: string } | null> {
  if (order.knownBad !== true) return found;
  const { replicaId, targetId, datasetId } = order.target;
  return inDirectory(root, `${datasetId}/${replicaId}`, (tree) => findWrite(tree, manifestFilesOf(targetOf(parts, targetId), replicaId)));
}

async function syncBoth(root: Directory, datasetId: string): Promise<void> {
  await inDirectory(root, datasetId, (dataset) => dataset.sync()).catch((thrown: unknown) => {
    if (!isMissing(thrown)) throw thrown;
  });
  await inDirectory(root, ownPath('trash'), (trash) => trash.sync());
}
