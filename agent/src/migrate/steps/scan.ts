import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { writeFiles } from '@data-in-motion/shared/domain/file-sample';
import { asFailure, Failure } from '@data-in-motion/shared/failure';
import type { OrderOf } from '@data-in-motion/shared/protocol/messages';
import { Directory, errnoOf, kindOf } from '../directory.ts';
import { isUnreadable, ofStateDisk } from '../error-class.ts';
import { openImportSource } from '../import-source.ts';
import { type ManifestFiles, type ManifestTotals, ManifestWriter } from '../manifest.ts';
import type { ManifestEntry } from '../manifest-entry.ts';
import { mapInOrder } from '../map-in-order.ts';
import { printable, type RawPath } from '../raw-path.ts';
import { growing, scanFile, unquietForMs } from '../scan-file.ts';
import { ScanNotes, whyLeftOut } from '../scan-notes.ts';
import { aboutJob, type StepParts, type StepRun } from '../step-parts.ts';
import { type Walked, walkTree } from '../walk-tree.ts';
import { makeSample } from './sample.ts';

const filesAtOnce = { count: 32 };
export type ScanSource = OrderOf<'scan'>['source'];

/** Where a job's scan is kept: the list that its copies are made by. */
export function scanFilesOf(stateDirectory: string, jobId: string): ManifestFiles {
  const base = path.join(stateDirectory, 'scans', jobId);
  return { manifest: `${base}.jsonl`, leaves: `${base}.leaves` };
}

/** Open the directory that a job imports, a sample being made when it is not there. The caller closes it. */
export async function openScanSource(parts: StepParts, jobId: string, source: ScanSource, signal: AbortSignal): Promise<Directory> {
  if (source.kind === 'sample') return Directory.open(await makeSample(parts.stateDirectory, jobId, source, signal));
  return openImportSource(source.path, { importRoots: parts.importRoots, own: [parts.stateDirectory, ...parts.targets.map((target) => target.root)] });
}

/**
 * Make the source an immutable list: every path below it, with the hash of every leaf, taken when nobody was writing.
 * Reports `started`, then `manifest`. The source is only read.
 *
 * @throws Failure `refused` (`import.not-there`) when there is no such directory; the other `import.…` as `openImportSource`; `exhausted` (`state.no-space`)
 */
export async function scan(order: OrderOf<'scan'>, parts: StepParts, run: StepRun): Promise<ManifestTotals> {
  run.report({ ...aboutJob(run, parts), event: 'started', step: 'scan' });
  const quietMs = order.source.kind === 'sample' ? 0 : parts.settings.quietMs;
  const source = await openAtFirst(order, parts, run);
  try {
    const expected = await survey(source, quietMs, parts, run);
    const notes = new ScanNotes();
    const totals = await writeList(order, source, quietMs, notes, expected, parts, run).catch((thrown: unknown) => {
      throw ofStateDisk(thrown, 'the disk that holds the state directory is full: the list of the source can not be written');
    });
    parts.journal.saveScan({ jobId: order.jobId, epoch: order.epoch, source: JSON.stringify(order.source), root: totals.root });
    const sample = notes.files.sample();
    run.report({
      ...aboutJob(run, parts),
      event: 'manifest',
      root: totals.root,
      objects: totals.objects,
      bytes: totals.bytes,
      unreadable: notes.unreadable,
      notes: notes.texts(),
      duplicateObjects: notes.duplicates.objects,
      duplicateBytes: notes.duplicates.bytes,
      fileSample: { ...sample, files: writeFiles(sample.files) },
    });
    parts.faults.failpoint('C4');
    return totals;
  } finally {
    await source.close();
  }
}

/** What was never there, or not any more, is not waited for: most likely the path was mistyped. */
async function openAtFirst(order: OrderOf<'scan'>, parts: StepParts, run: StepRun): Promise<Directory> {
  try {
    return await openScanSource(parts, order.jobId, order.source, run.signal);
  } catch (thrown) {
    if (asFailure(thrown).code !== 'source.gone' || order.source.kind !== 'directory') throw thrown;
    throw new Failure('refused', {
      code: 'import.not-there',
      message: `${order.source.path} is not there on ${parts.nodeId}`,
      hint: `Check the path on that node, then import it again: dim datasets import ${order.datasetId} --node ${parts.nodeId} --path DIR.`,
    });
  }
}

/** The list as a whole, on stable storage, or none. */
async function writeList(
  order: OrderOf<'scan'>,
  source: Directory,
  quietMs: number,
  notes: ScanNotes,
  expected: Expected,
  parts: StepParts,
  run: StepRun,
): Promise<ManifestTotals> {
  const files = scanFilesOf(parts.stateDirectory, order.jobId);
  await mkdir(path.dirname(files.manifest), { recursive: true });
  const writer = await ManifestWriter.create(files, order.datasetId, parts.clock.nowMs());
  try {
    await writeEntries(source, quietMs, writer, notes, expected, parts, run);
    return await writer.finish();
  } catch (thrown) {
    await writer.discard().catch(() => undefined);
    throw thrown;
  }
}

interface Expected {
  readonly objects: number;
  readonly bytes: number;
}

/** Look at everything without reading it, until nothing was written lately. @throws Failure `source.file-growing` after a few rounds */
async function survey(source: Directory, quietMs: number, parts: StepParts, run: StepRun): Promise<Expected> {
  for (let round = 0; ; round++) {
    let objects = 0;
    let bytes = 0;
    let waitMs = 0;
    let busy = '';
    for await (const seen of mapInOrder(walkSource(source), filesAtOnce, lookAt)) {
      run.signal.throwIfAborted();
      if (seen === null) continue;
      objects++;
      bytes += Number(seen.stat.size);
      const thisWaitMs = unquietForMs(seen.stat, quietMs, parts.clock.nowMs());
      if (thisWaitMs > waitMs) [waitMs, busy] = [thisWaitMs, seen.path];
    }
    if (waitMs === 0) return { objects, bytes };
    if (round >= parts.settings.quietRounds) throw growing(printable(busy as RawPath));
    await parts.clock.sleep(waitMs, run.signal);
    run.signal.throwIfAborted();
  }
}

/** Of a tree that somebody works in: what goes away under the walk's feet means that the scan is to begin anew, not that it can not be done. */
async function* walkSource(source: Directory): AsyncGenerator<Walked> {
  try {
    yield* walkTree(source);
  } catch (thrown) {
    throw changed(thrown);
  }
}

function changed(thrown: unknown): unknown {
  if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(thrown))) return thrown;
  return new Failure('refused', { code: 'source.changed', message: 'something in the source went away while it was scanned', cause: thrown });
}

async function lookAt(walked: Walked) {
  if (walked.kind !== 'file') return null;
  walked.parent.hold();
  try {
    const stat = await walked.parent.directory.lstat(walked.name);
    return { path: walked.path, stat };
  } catch {
    // Gone meanwhile, or not ours to see: the scan itself says so.
    return null;
  } finally {
    await walked.parent.release();
  }
}

async function writeEntries(
  source: Directory,
  quietMs: number,
  writer: ManifestWriter,
  notes: ScanNotes,
  expected: Expected,
  parts: StepParts,
  run: StepRun,
): Promise<void> {
  /** First name of every file that has several. */
  const firstNames = new Map<string, RawPath>();
  let objectsDone = 0;
  let bytesDone = 0;
  const taken = mapInOrder(walkSource(source), filesAtOnce, async (walked) => {
    walked.parent.hold();
    try {
      return await take(walked, quietMs, parts, run.signal);
    } finally {
      await walked.parent.release();
    }
  });
  for await (const one of taken) {
    run.signal.throwIfAborted();
    if (one === null) continue;
    const first = one.inode === null ? undefined : firstNames.get(one.inode);
    if (first !== undefined) {
      await writer.add({ kind: 'h', path: one.entry.path, of: first }, []);
    } else {
      if (one.inode !== null) firstNames.set(one.inode, one.entry.path);
      notes.saw(one.entry);
      await writer.add(one.entry, one.leaves);
    }
    parts.faults.failpoint('C3');
    if (one.entry.kind === 'f') {
      objectsDone++;
      bytesDone += one.entry.sizeBytes;
    }
    run.progress({
      step: 'scan',
      objectsDone,
      objectsTotal: Math.max(expected.objects, objectsDone),
      bytesDone,
      bytesTotal: Math.max(expected.bytes, bytesDone),
    });
  }
}

interface Taken {
  readonly entry: ManifestEntry;
  readonly leaves: readonly Buffer[];
  /** Of a file with several names; null for everything else. */
  readonly inode: string | null;
}

async function take(walked: Walked, quietMs: number, parts: StepParts, signal: AbortSignal): Promise<Taken | null> {
  const { path: at } = walked;
  const leftOut = (why: string): Taken => ({ entry: { kind: '!', path: at, why }, leaves: [], inode: null });
  try {
    switch (walked.kind) {
      case 'file': {
        const read = await scanFile(walked, quietMs, parts, signal);
        if (read === null) return null;
        const { stat } = read;
        const isLinked = stat.nlink > 1n;
        const mode = Number(stat.mode) & 0o777;
        const entry: ManifestEntry = {
          kind: 'f',
          path: at,
          sizeBytes: Number(stat.size),
          sha256: read.sha256,
          root: read.root,
          mode,
          mtimeNs: stat.mtimeNs,
          isLinked,
        };
        return { entry, leaves: read.leaves, inode: isLinked ? `${stat.dev}:${stat.ino}` : null };
      }
      case 'directory': {
        const stat = await walked.parent.directory.lstat(walked.name);
        if (kindOf(stat) !== 'directory') return leftOut('changed while it was looked at');
        return { entry: { kind: 'd', path: at, mode: Number(stat.mode) & 0o777, mtimeNs: stat.mtimeNs }, leaves: [], inode: null };
      }
      case 'symlink': {
        const to = await linkTarget(walked);
        return to === null ? null : { entry: { kind: 'l', path: at, to }, leaves: [], inode: null };
      }
      case 'mount-point':
        return leftOut(whyLeftOut.mounted);
      case 'unreadable':
        return leftOut('unreadable: no permission');
      case 'other':
        return leftOut(whyLeftOut.special);
    }
  } catch (thrown) {
    if (isUnreadable(thrown)) return leftOut(`unreadable: ${thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : 'unknown'}`);
    throw changed(thrown);
  }
}

/** Null when the link went away before it was read: then, like a file, it was never part of this scan. */
async function linkTarget({ parent, name }: Walked): Promise<RawPath | null> {
  try {
    return await parent.directory.readLink(name);
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return null;
    throw thrown;
  }
}
