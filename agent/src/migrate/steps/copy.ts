import { statfs } from 'node:fs/promises';
import { Failure } from '@data-in-motion/shared/failure';
import type { OrderOf } from '@data-in-motion/shared/protocol/messages';
import type { CopyPlace } from '../../journal/migrations-journal.ts';
import { openCopySource } from '../copy-source.ts';
import { copyTree } from '../copy-tree.ts';
import type { Directory } from '../directory.ts';
import { classifyError } from '../error-class.ts';
import { haveManifest } from '../fetch-manifest.ts';
import { printable, type RawPath } from '../raw-path.ts';
import { removeTree } from '../remove-tree.ts';
import type { Room } from '../room.ts';
import { Staging } from '../staging.ts';
import { epochOf, releaseStaging, stagingName } from '../staging-place.ts';
import { aboutJob, type StepParts, type StepRun, targetOf } from '../step-parts.ts';
import { inDirectory, isPlaced, manifestFilesOf, openTarget, ownPath } from '../target-layout.ts';
import type { Comparison } from '../verify-tree.ts';
import { walkTree } from '../walk-tree.ts';
import { verifyReplica } from './verify.ts';

/** A copy that reads back wrong is made again once; a medium that does it twice is not to be trusted. */
const attempts = 2;

/**
 * Make one more replica: copy under a partial name, bring it to stable storage, give it its name, and read all of it back.
 * Reports `started`, `copied`, `started` (verify), `verified`; with `mismatched` in between when it had to be made again.
 * Killed at any point and called again it goes on from what is on the disk.
 */
export async function copy(order: OrderOf<'copy'>, parts: StepParts, run: StepRun): Promise<void> {
  await releaseElsewhere(order, parts);
  try {
    await copyAndReadBack(order, parts, run);
  } catch (thrown) {
    // Who has no room must not keep what others could use; the next attempt may well be given another target.
    if (classifyError(thrown).class === 'space') await releaseIfThere(parts.journal.copy(order.jobId), order, parts);
    throw thrown;
  }
}

/** A job that was given another target takes no room on the one before. */
async function releaseElsewhere(order: OrderOf<'copy'>, parts: StepParts): Promise<void> {
  const noted = parts.journal.copy(order.jobId);
  if (noted !== undefined && noted.targetId !== order.destination.targetId) await releaseIfThere(noted, order, parts);
}

/** What can not be removed now is swept later. */
async function releaseIfThere(made: CopyPlace | undefined, { epoch }: OrderOf<'copy'>, parts: StepParts): Promise<void> {
  if (made !== undefined) await releaseStaging(made, epoch, parts).catch(() => undefined);
}

async function copyAndReadBack(order: OrderOf<'copy'>, parts: StepParts, run: StepRun): Promise<void> {
  const { destination } = order;
  const target = targetOf(parts, destination.targetId);
  await parts.faults.before('stat', target.targetId);
  const root = await openTarget(target, parts.journal);
  try {
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
  const target = targetOf(parts, destination.targetId);
  const files = manifestFilesOf(target, destination.replicaId);
  if (await isPlaced(root, destination)) {
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
    const tree = await inDirectory(root, ownPath('staging'), (directory) => directory.directory(stagingName(order)));
    const staging = new Staging(
      tree,
      `${target.root}/${ownPath('staging')}/${stagingName(order)}`,
      target.targetId,
      parts.faults,
      parts.small.at(target.targetId),
    );
    try {
      const room = await haveRoom(order, root, tree, found, parts);
      try {
        const moved = await copyTree(order, { source: source.leaves, files, staging, room, leavesDone: done?.leavesDone ?? 0, found }, parts, run);
        await place(order, root, parts);
        return moved + (done?.movedBytes ?? 0);
      } finally {
        room.giveBack();
      }
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

/** @throws Failure `exhausted` (`target.full`) */
async function haveRoom(order: OrderOf<'copy'>, root: Directory, staging: Directory, found: 'fresh' | 'left-behind', parts: StepParts): Promise<Room> {
  // What is in staging already is not free any more and not needed again.
  const hereBytes = found === 'fresh' ? 0 : await allocatedBytes(staging);
  const { bavail, bsize } = await statfs(`/proc/self/fd/${root.fd}`);
  const free = { device: (await root.stat()).dev, freeBytes: bavail * bsize };
  return parts.rooms.promise(targetOf(parts, order.destination.targetId), Math.max(0, order.bytes - hereBytes), free);
}

async function allocatedBytes(tree: Directory): Promise<number> {
  let bytes = 0;
  for await (const { kind, parent, name } of walkTree(tree)) if (kind === 'file') bytes += Number((await parent.directory.lstat(name)).blocks) * 512;
  return bytes;
}

/** Give the finished tree its name, in one step. */
async function place(order: OrderOf<'copy'>, root: Directory, parts: StepParts): Promise<void> {
  const dataset = order.destination.datasetId as string as RawPath;
  await parts.faults.before('rename', order.destination.targetId);
  await root.makeDirectory(dataset);
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
  await inDirectory(tree, path.slice(0, Math.max(0, slash)), async (parent) => {
    await parent.makeWritable();
    await removeTree(parent, path.slice(slash + 1) as RawPath);
  });
}
