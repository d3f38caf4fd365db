import { statfs } from 'node:fs/promises';
import { Failure } from '@data-in-motion/shared/failure';
import type { OrderOf } from '@data-in-motion/shared/protocol/messages';
import { openCopySource } from '../copy-source.ts';
import { copyTree } from '../copy-tree.ts';
import type { Directory } from '../directory.ts';
import { haveManifest } from '../fetch-manifest.ts';
import { printable, type RawPath } from '../raw-path.ts';
import { removeTree } from '../remove-tree.ts';
import { Staging } from '../staging.ts';
import { aboutJob, type StepParts, type StepRun, targetOf } from '../step-parts.ts';
import { inDirectory, manifestFilesOf, openTarget, ownPath } from '../target-layout.ts';
import type { Comparison } from '../verify-tree.ts';
import { verifyReplica } from './verify.ts';

/** A copy that reads back wrong is made again once; a medium that does it twice is not to be trusted. */
const attempts = 2;

/**
 * Make one more replica: copy under a partial name, bring it to stable storage, give it its name, and read all of it back.
 * Reports `started`, `copied`, `started` (verify), `verified`; with `mismatched` in between when it had to be made again.
 * Killed at any point and called again it goes on from what is on the disk.
 */
export async function copy(order: OrderOf<'copy'>, parts: StepParts, run: StepRun): Promise<void> {
  const { destination } = order;
  const target = targetOf(parts, destination.targetId);
  await parts.faults.before('stat', target.targetId);
  const root = await openTarget(target);
  try {
    await root.makeDirectory(destination.datasetId as string as RawPath);
    run.report({ ...aboutJob(run, parts), event: 'started', step: 'copy' });
    for (let attempt = 1; ; attempt++) {
      const movedBytes = await haveCopy(order, root, parts, run);
      run.report({ ...aboutJob(run, parts), event: 'copied', bytes: order.bytes, movedBytes });
      run.report({ ...aboutJob(run, parts), event: 'started', step: 'verify' });
      const compared = await verifyReplica(root, destination, order, parts, run);
      if (compared.same) break;
      if (attempt >= attempts) {
        throw new Failure('corrupt', {
          code: 'copy.read-back-differs',
          message: `${printable(compared.path)} ${compared.detail}, also after it was copied again`,
        });
      }
      const { replicaId } = destination;
      run.report({ ...aboutJob(run, parts), event: 'mismatched', replicaId, found: 'corrupt', path: printable(compared.path), detail: compared.detail });
      await takeBack(order, root, compared, parts);
    }
    const { replicaId } = destination;
    const found = { root: order.root, objects: order.objects, bytes: order.bytes };
    run.report({ ...aboutJob(run, parts), event: 'verified', replicaId, ...found, level: 'L2', readFrom: 'cache' });
    parts.faults.failpoint('C20');
  } finally {
    await root.close();
  }
}

/** Have the tree under its final name, durable; whether now or before a crash. @returns bytes that crossed from the source, all attempts together */
async function haveCopy(order: OrderOf<'copy'>, root: Directory, parts: StepParts, run: StepRun): Promise<number> {
  const { destination } = order;
  const dataset = destination.datasetId as string as RawPath;
  const replica = destination.replicaId as string as RawPath;
  const target = targetOf(parts, destination.targetId);
  const files = manifestFilesOf(target, destination.replicaId);
  const isPlaced = await inDirectory(root, dataset, (directory) => directory.exists(replica));
  if (isPlaced) {
    // The rename may have been done, and not flushed, by a process that was killed.
    await inDirectory(root, dataset, (directory) => directory.sync());
    parts.faults.failpoint('C14');
    return parts.journal.copy(order.jobId)?.movedBytes ?? order.bytes;
  }
  const source = await openCopySource(order, parts, run);
  try {
    const found = await haveStaging(order, root, parts);
    await haveManifest(files, order, source.fetchManifest);
    const done = parts.journal.copy(order.jobId);
    await haveRoom(order, root, done?.leavesDone ?? 0, parts);
    const staging = await inDirectory(root, ownPath('staging'), async (directory) => {
      const tree = await directory.directory(stagingName(order));
      return new Staging(tree, `${target.root}/${ownPath('staging')}/${stagingName(order)}`, target.targetId, parts.faults, parts.small);
    });
    try {
      const moved = await copyTree(order, { source: source.leaves, files, staging, leavesDone: done?.leavesDone ?? 0, found }, parts, run);
      await place(order, root, parts);
      return moved + (done?.movedBytes ?? 0);
    } finally {
      await staging.close();
    }
  } finally {
    await source.leaves.close();
  }
}

/**
 * The staging of this epoch: made, or taken over from an earlier epoch of the same job, whose process is not there any more because
 * this one owns the node's state. The journal says how much of it is on stable storage; without its word every leaf is looked at again.
 */
async function haveStaging(order: OrderOf<'copy'>, root: Directory, parts: StepParts): Promise<'fresh' | 'left-behind'> {
  const { jobId, epoch, destination } = order;
  const noted = parts.journal.copy(jobId);
  const isSame = noted?.targetId === destination.targetId && noted.replicaId === destination.replicaId && noted.root === order.root;
  return inDirectory(root, ownPath('staging'), async (directory) => {
    const own = stagingName(order);
    const older = (await directory.children()).map((child) => child.name).filter((name) => name.startsWith(`${jobId}.`) && name !== own);
    // What an attempt for another place or version wrote is of no use here.
    const useless = noted === undefined || isSame ? [] : [own, ...older];
    for (const name of useless) await removeTree(directory, name);
    let found: 'fresh' | 'left-behind' = 'left-behind';
    if (!(await directory.exists(own))) {
      const adopted = useless.length > 0 ? undefined : older.sort((a, b) => epochOf(b) - epochOf(a))[0];
      if (adopted !== undefined) await directory.moveTo(adopted, directory, own);
      else {
        await directory.makeDirectory(own, 0o755);
        found = 'fresh';
      }
    }
    await directory.sync();
    parts.faults.failpoint('C5');
    const place = { targetId: destination.targetId, datasetId: destination.datasetId, replicaId: destination.replicaId, root: order.root };
    const leavesDone = isSame && found === 'left-behind' ? noted.leavesDone : 0;
    parts.journal.saveCopy({ jobId, epoch, ...place, leavesDone, movedBytes: noted?.movedBytes ?? 0 });
    parts.faults.failpoint('C2');
    return found;
  });
}

/** @throws Failure `exhausted` before a byte is written, rather than in the middle */
async function haveRoom(order: OrderOf<'copy'>, root: Directory, leavesDone: number, parts: StepParts): Promise<void> {
  const target = targetOf(parts, order.destination.targetId);
  const { bavail, bsize } = await statfs(`/proc/self/fd/${root.fd}`);
  // What is in staging already is not free any more and not needed again; names and directories take a little.
  const missing = leavesDone === 0 ? order.bytes : 0;
  if (bavail * bsize - missing * 1.02 >= target.reserveBytes) return;
  throw new Failure('exhausted', {
    code: 'target.full',
    message: `${order.bytes} bytes do not fit on ${target.targetId}: ${bavail * bsize} are free, ${target.reserveBytes} of them reserved`,
    ids: { targetId: target.targetId },
  });
}

/** Give the finished tree its name, in one step. */
async function place(order: OrderOf<'copy'>, root: Directory, parts: StepParts): Promise<void> {
  const dataset = order.destination.datasetId as string as RawPath;
  await parts.faults.before('rename', order.destination.targetId);
  await inDirectory(root, ownPath('staging'), (staging) =>
    inDirectory(root, dataset, async (directory) => {
      await staging.moveTo(stagingName(order), directory, order.destination.replicaId as string as RawPath);
      parts.faults.failpoint('C13');
      await directory.sync();
      await staging.sync();
      await root.sync();
    }),
  );
  parts.faults.failpoint('C14');
}

/** Under its partial name again, without what read back wrong; nobody was told of the copy yet. */
async function takeBack(order: OrderOf<'copy'>, root: Directory, compared: Comparison & { same: false }, parts: StepParts): Promise<void> {
  const noted = parts.journal.copy(order.jobId);
  if (noted !== undefined) parts.journal.saveCopy({ ...noted, leavesDone: Math.min(noted.leavesDone, compared.leavesBefore) });
  const dataset = order.destination.datasetId as string as RawPath;
  await inDirectory(root, dataset, (directory) =>
    inDirectory(root, ownPath('staging'), async (staging) => {
      await removeTree(staging, stagingName(order));
      await directory.moveTo(order.destination.replicaId as string as RawPath, staging, stagingName(order));
      await inDirectory(staging, stagingName(order), (tree) => removePath(tree, compared.path));
      await directory.sync();
      await staging.sync();
    }),
  );
}

async function removePath(tree: Directory, path: RawPath): Promise<void> {
  const slash = path.lastIndexOf('/');
  await inDirectory(tree, path.slice(0, Math.max(0, slash)), (parent) => removeTree(parent, path.slice(slash + 1) as RawPath));
}

function stagingName(order: OrderOf<'copy'>): RawPath {
  return `${order.jobId}.${order.epoch}` as RawPath;
}

function epochOf(name: RawPath): number {
  return Number(name.slice(name.indexOf('.') + 1)) || 0;
}
