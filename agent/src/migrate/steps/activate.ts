import { Failure } from '@data-in-motion/shared/failure';
import type { OrderOf } from '@data-in-motion/shared/protocol/messages';
import { type Directory, errnoOf } from '../directory.ts';
import type { RawPath } from '../raw-path.ts';
import { aboutJob, type StepParts, type StepRun, targetOf } from '../step-parts.ts';
import { currentLink, inDirectory, newLinkPrefix, openTarget } from '../target-layout.ts';

/**
 * The switch is committed: keep its certificate, then let `<root>/<dataset>/current` name the replica, by one rename.
 * An order that comes late, after a newer switch, changes nothing and is answered all the same. Reports `activated`.
 */
export async function activate(order: OrderOf<'activate'>, parts: StepParts, run: StepRun): Promise<void> {
  const { destination, rev, certificate, jobId } = order;
  const { targetId, datasetId, replicaId } = destination;
  const isNewest = rev >= (parts.journal.currentRev(targetId, datasetId) ?? 0);
  parts.faults.failpoint('C37');
  parts.journal.saveCertificate({ jobId, role: 'activate', targetId, datasetId, replicaId, rev, certificate });
  if (isNewest) {
    const root = await openTarget(targetOf(parts, targetId), parts.journal);
    try {
      await parts.faults.before('rename', targetId);
      await inDirectory(root, datasetId, (dataset) => nameCurrent(dataset, replicaId as string as RawPath, jobId));
    } catch (thrown) {
      if (errnoOf(thrown) === 'ENOENT') throw new Failure('corrupt', { code: 'replica.missing', message: `replica ${replicaId} is not on ${targetId}` });
      throw thrown;
    } finally {
      await root.close();
    }
  }
  run.report({ ...aboutJob(run, parts), event: 'activated', replicaId, rev });
}

/** The source's agent keeps the certificate too: two witnesses outlive a control plane that forgot the switch. Reports `witnessed`. */
export async function witness(order: OrderOf<'witness'>, parts: StepParts, run: StepRun): Promise<void> {
  parts.faults.failpoint('C37');
  const { jobId, replicaId, rev, certificate } = order;
  parts.journal.saveCertificate({ jobId, role: 'witness', targetId: null, datasetId: null, replicaId, rev, certificate });
  run.report({ ...aboutJob(run, parts), event: 'witnessed', replicaId, rev });
}

async function nameCurrent(dataset: Directory, replica: RawPath, jobId: string): Promise<void> {
  await dataset.lstat(replica);
  const next = `${newLinkPrefix}${jobId}` as RawPath;
  await dataset.removeFile(next);
  await dataset.makeSymlink(next, replica);
  await dataset.replace(next, currentLink);
  await dataset.sync();
}
