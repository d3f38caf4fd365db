import { asFailure } from '@data-in-motion/shared/failure';
import type { OrderOf } from '@data-in-motion/shared/protocol/messages';
import { type Directory, errnoOf } from '../directory.ts';
import { isMissing } from '../fetch-manifest.ts';
import { printable } from '../raw-path.ts';
import { aboutJob, type StepParts, type StepRun, targetOf } from '../step-parts.ts';
import { inDirectory, manifestFilesOf, openTarget, type ReplicaPlace } from '../target-layout.ts';
import { type Comparison, compareTree, type VersionIdentity } from '../verify-tree.ts';

/**
 * Read a replica back, every byte of it, from its name on. Reports `started`, then `verified` or `mismatched`.
 * A medium that gives no bytes is thrown on: it says nothing about what is on it.
 */
export async function verify(order: OrderOf<'verify'>, parts: StepParts, run: StepRun): Promise<void> {
  run.report({ ...aboutJob(run, parts), event: 'started', step: 'verify' });
  const { target: replica } = order;
  const { replicaId } = replica;
  const about = { ...aboutJob(run, parts), replicaId };
  const root = await openTarget(targetOf(parts, replica.targetId), parts.journal);
  try {
    const compared = await verifyReplica(root, replica, order, parts, run);
    const found = { root: order.root, objects: order.objects, bytes: order.bytes };
    if (compared.same) run.report({ ...about, event: 'verified', ...found, level: 'L2', readFrom: 'cache' });
    else run.report({ ...about, event: 'mismatched', found: 'corrupt', path: printable(compared.path), detail: compared.detail });
  } catch (thrown) {
    const isManifestBad = asFailure(thrown).code.startsWith('manifest.');
    if (!isMissing(thrown) && !isManifestBad) throw thrown;
    const detail = isManifestBad ? asFailure(thrown).message : `${errnoOf(thrown)}: the replica or its manifest is not there`;
    run.report({ ...about, event: 'mismatched', found: isManifestBad ? 'corrupt' : 'missing', path: '', detail });
  } finally {
    await root.close();
  }
}

/** Compare the tree under a replica's final name with the manifest beside it and the version it should be. */
export async function verifyReplica(root: Directory, replica: ReplicaPlace, version: VersionIdentity, parts: StepParts, run: StepRun): Promise<Comparison> {
  const files = manifestFilesOf(targetOf(parts, replica.targetId), replica.replicaId);
  parts.noteOwnRead(replica.replicaId);
  return inDirectory(root, `${replica.datasetId}/${replica.replicaId}`, async (tree) => {
    try {
      return await compareTree(tree, files, version, { targetId: replica.targetId, step: 'verify' }, parts, run);
    } finally {
      parts.noteOwnRead(replica.replicaId);
    }
  });
}
