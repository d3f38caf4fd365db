import fs from 'node:fs';
import { promisify } from 'node:util';
import { Failure } from '@data-in-motion/shared/failure';
import type { OrderOf } from '@data-in-motion/shared/protocol/messages';
import type { LeafSource, WantedLeaf } from './leaf-source.ts';
import { leafHash, leafLength, leavesOf, zeroLeafHash } from './leaves.ts';
import { HashReader, type ManifestFiles, readManifest } from './manifest.ts';
import type { DirectoryEntry, FileEntry } from './manifest-entry.ts';
import type { Room } from './room.ts';
import type { Staging } from './staging.ts';
import type { StepParts, StepRun } from './step-parts.ts';
import { Writes } from './writes.ts';

const close = promisify(fs.close);

/** More leaves in one piece of work would make its list long, not its bytes. */
const leavesAtOnce = 4_096;

/** On a disk that others keep busy a sync waits for their bytes too: then checkpoints by time come less often, and take a tenth of the time at most. */
const runPerSync = 10;

/** Some leaves of one file; with the last of them the file is finished. */
interface Piece {
  readonly entry: FileEntry;
  readonly wanted: readonly { readonly leaf: WantedLeaf; readonly hash: Buffer }[];
  /** Leaves of zeros in it: holes in a new file, written in one that was there. */
  readonly zeros: readonly number[];
  readonly isLast: boolean;
  /** Of the first leaf after this piece, in the manifest. */
  readonly upto: number;
}

export interface CopyFrom {
  readonly source: LeafSource;
  readonly files: ManifestFiles;
  readonly staging: Staging;
  readonly room: Room;
  /** Leaves that are on stable storage since an earlier attempt; 0 and `fresh` for a new staging. */
  readonly leavesDone: number;
  readonly found: 'fresh' | 'left-behind';
}

/**
 * Bring every path of the manifest into the staging tree, durable and in order, remembering after each checkpoint how far it is.
 * Every leaf is compared with the manifest before a byte of it is written.
 *
 * @returns bytes that came from the source in this attempt
 */
export async function copyTree(order: OrderOf<'copy'>, from: CopyFrom, parts: StepParts, run: StepRun): Promise<number> {
  const copier = new Copier(order, from, parts, run);
  const directories = await copier.files();
  await copier.links();
  // Bottom-up: what lies deeper comes later in the manifest.
  for (const directory of directories.reverse()) await from.staging.finishDirectory(directory);
  await from.staging.makeDurable('everything');
  parts.faults.failpoint('C12');
  return copier.movedBytes;
}

class Copier {
  movedBytes = 0;
  readonly #order: OrderOf<'copy'>;
  readonly #from: CopyFrom;
  readonly #parts: StepParts;
  readonly #run: StepRun;
  readonly #movedBefore: number;
  #pieces: Piece[] = [];
  #piecesBytes = 0;
  #piecesLeaves = 0;
  #unsavedBytes = 0;
  #savedAtMs: number;
  /** How long the last checkpoint's bytes took to be durable. */
  #durableMs = 0;
  #objectsDone = 0;
  /** Kinds of links that the manifest has: without any it need not be read again. */
  readonly #links = new Set<'h' | 'l'>();
  #bytesDone = 0;

  constructor(order: OrderOf<'copy'>, from: CopyFrom, parts: StepParts, run: StepRun) {
    this.#order = order;
    this.#from = from;
    this.#parts = parts;
    this.#run = run;
    this.#movedBefore = parts.journal.copy(order.jobId)?.movedBytes ?? 0;
    this.#savedAtMs = parts.clock.monotonicMs();
  }

  /** @returns the directories, in the manifest's order */
  async files(): Promise<DirectoryEntry[]> {
    const { staging, files, leavesDone } = this.#from;
    const directories: DirectoryEntry[] = [];
    const hashes = new HashReader(files.leaves);
    try {
      for await (const { entry, firstLeaf } of readManifest(files.manifest)) {
        this.#run.signal.throwIfAborted();
        if (entry.kind === 'd') {
          await staging.makeDirectory(entry);
          directories.push(entry);
        }
        if (entry.kind === 'h' || entry.kind === 'l') this.#links.add(entry.kind);
        if (entry.kind !== 'f') continue;
        const leaves = await hashes.take(leavesOf(entry.sizeBytes));
        // An empty file has no leaf to remember it by.
        if (leaves.length > 0 && firstLeaf + leaves.length <= leavesDone) this.#count(entry.sizeBytes, true);
        else await this.#plan(entry, firstLeaf, leaves);
      }
    } finally {
      await hashes.close();
    }
    await this.#transfer('last');
    return directories;
  }

  /** Hard links need their file, and symbolic links come last of all: nothing is ever written through one. */
  async links(): Promise<void> {
    for (const kind of (['h', 'l'] as const).filter((one) => this.#links.has(one))) {
      for await (const { entry } of readManifest(this.#from.files.manifest)) {
        if (entry.kind !== kind) continue;
        this.#run.signal.throwIfAborted();
        await this.#parts.faults.before('write', this.#order.destination.targetId);
        if (entry.kind === 'h') await this.#from.staging.makeHardLink(entry);
        if (entry.kind === 'l') await this.#from.staging.makeSymlink(entry);
        this.#objectsDone++;
      }
    }
    this.#progress();
  }

  /** Cut a file's missing leaves into pieces of at most one checkpoint. */
  async #plan(entry: FileEntry, firstLeaf: number, hashes: readonly Buffer[]): Promise<void> {
    const whole = this.#from.found === 'left-behind' ? await this.#from.staging.wholeLeaves(entry, hashes) : new Set<number>();
    let wanted: Piece['wanted'][number][] = [];
    let zeros: number[] = [];
    for (const [n, hash] of hashes.entries()) {
      const length = leafLength(entry.sizeBytes, n);
      const isPresent = firstLeaf + n < this.#from.leavesDone || whole.has(n);
      if (isPresent) this.#count(length, false);
      else if (hash.equals(zeroLeafHash)) zeros.push(n);
      else {
        wanted.push({ leaf: { path: entry.path, leaf: n, number: firstLeaf + n, length }, hash: Buffer.from(hash) });
        this.#piecesBytes += length;
        this.#piecesLeaves++;
      }
      if (this.#piecesBytes >= this.#parts.settings.checkpointBytes && n + 1 < hashes.length) {
        this.#pieces.push({ entry, wanted, zeros, isLast: false, upto: firstLeaf + n + 1 });
        [wanted, zeros] = [[], []];
        await this.#transfer();
      }
    }
    this.#pieces.push({ entry, wanted, zeros, isLast: true, upto: firstLeaf + hashes.length });
    if (this.#piecesBytes >= this.#parts.settings.checkpointBytes || this.#piecesLeaves >= leavesAtOnce || this.#pieces.length >= leavesAtOnce)
      await this.#transfer();
  }

  /** @param which after the last pieces everything is made durable at once, and a checkpoint just before it would only cost */
  async #transfer(which: 'more' | 'last' = 'more'): Promise<void> {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#piecesBytes = 0;
    this.#piecesLeaves = 0;
    if (pieces.length === 0) return;
    for (let rest = pieces; rest.length > 0; ) {
      let done = 0;
      try {
        done = await this.#attempt(rest, 'may-err');
      } catch (thrown) {
        if (!(thrown instanceof BadLeaf)) throw thrown;
        // One fresh read; what is bad again is bad.
        this.#run.signal.throwIfAborted();
        done = await this.#attempt(rest, 'accuse');
      }
      if (which === 'more' || done < rest.length) await this.#checkpoint(rest[done - 1]!.upto);
      rest = rest.slice(done);
    }
  }

  /** Write pieces until all are written, or it is time to make them durable. @returns how many */
  async #attempt(pieces: readonly Piece[], onBadLeaf: 'may-err' | 'accuse'): Promise<number> {
    const { source, staging } = this.#from;
    const incoming = source.leaves(
      pieces.flatMap((piece) => piece.wanted.map(({ leaf }) => leaf)),
      this.#run.signal,
    );
    const writes = new Writes();
    let done = 0;
    try {
      for (const piece of pieces) {
        this.#run.signal.throwIfAborted();
        if (piece.wanted.length <= 1) {
          const [only] = piece.wanted;
          const bytes = only === undefined ? null : await this.#take(incoming, only, onBadLeaf);
          await writes.start(bytes?.length ?? 0, () => this.#write(staging, piece, bytes, [bytes]));
        } else {
          await this.#write(staging, piece, null, this.#takeAll(incoming, piece, onBadLeaf));
        }
        done++;
        if (
          this.#unsavedBytes >= this.#parts.settings.checkpointBytes ||
          this.#parts.clock.monotonicMs() - this.#savedAtMs >= Math.max(this.#parts.settings.checkpointMs, this.#durableMs * runPerSync)
        )
          break;
      }
      await writes.drain();
      return done;
    } finally {
      await writes.settle();
      await incoming.return(undefined);
    }
  }

  async *#takeAll(incoming: AsyncGenerator<Buffer>, piece: Piece, onBadLeaf: 'may-err' | 'accuse'): AsyncGenerator<Buffer> {
    for (const wanted of piece.wanted) yield await this.#take(incoming, wanted, onBadLeaf);
  }

  async #take(incoming: AsyncGenerator<Buffer>, wanted: Piece['wanted'][number], onBadLeaf: 'may-err' | 'accuse'): Promise<Buffer> {
    const next = await incoming.next();
    if (next.done) throw new Failure('defect', { code: 'source.short', message: 'a source ended before all that it was asked for' });
    const bytes = next.value;
    if (bytes.length !== wanted.leaf.length || !leafHash(bytes).equals(wanted.hash)) {
      throw onBadLeaf === 'accuse' ? await this.#from.source.accuse(wanted.leaf) : new BadLeaf();
    }
    this.movedBytes += bytes.length;
    this.#from.room.wrote(bytes.length);
    this.#unsavedBytes += bytes.length;
    await this.#parts.throttle.take(this.#order.destination.targetId, bytes.length, this.#run.signal);
    return bytes;
  }

  /** @param bytesOfAll what the piece's only leaf holds, when it has no other */
  async #write(staging: Staging, piece: Piece, bytesOfAll: Buffer | null, incoming: AsyncIterable<Buffer> | Iterable<Buffer | null>): Promise<void> {
    const { entry } = piece;
    if (bytesOfAll !== null && bytesOfAll.length === entry.sizeBytes && (await staging.writeSmall(entry, bytesOfAll))) {
      this.#parts.buffers.give(bytesOfAll);
      this.#count(entry.sizeBytes, true);
      return;
    }
    const { fd, isNew } = await staging.openFile(entry);
    try {
      let n = 0;
      for await (const bytes of incoming) {
        if (bytes === null) break;
        await staging.writeLeaf(fd, piece.wanted[n]!.leaf.leaf, bytes);
        this.#parts.buffers.give(bytes);
        this.#count(bytes.length, false);
        n++;
      }
      for (const leaf of piece.zeros) {
        if (!isNew) await staging.writeLeaf(fd, leaf, Buffer.alloc(leafLength(entry.sizeBytes, leaf)));
        this.#count(leafLength(entry.sizeBytes, leaf), false);
      }
      if (piece.isLast) {
        await staging.finishFile(fd, entry, isNew && piece.zeros.length === 0 ? 'written' : 'set');
        this.#count(0, true);
      }
    } finally {
      await close(fd);
    }
  }

  async #checkpoint(leavesDone: number): Promise<void> {
    const startedMs = this.#parts.clock.monotonicMs();
    await this.#from.staging.makeDurable('files');
    this.#durableMs = this.#parts.clock.monotonicMs() - startedMs;
    this.#parts.faults.failpoint('C8');
    const { jobId, epoch, destination, root } = this.#order;
    const place = { targetId: destination.targetId, datasetId: destination.datasetId, replicaId: destination.replicaId };
    this.#parts.journal.saveCopy({
      jobId,
      epoch,
      ...place,
      root,
      leavesDone: Math.max(leavesDone, this.#from.leavesDone),
      movedBytes: this.#movedBefore + this.movedBytes,
    });
    this.#parts.faults.failpoint('C9');
    this.#unsavedBytes = 0;
    this.#savedAtMs = this.#parts.clock.monotonicMs();
  }

  #count(bytes: number, isFinished: boolean): void {
    this.#bytesDone += bytes;
    if (isFinished) this.#objectsDone++;
    this.#progress();
  }

  #progress(): void {
    const { objects, bytes } = this.#order;
    this.#run.progress({
      step: 'copy',
      objectsDone: Math.min(this.#objectsDone, objects),
      objectsTotal: objects,
      bytesDone: Math.min(this.#bytesDone, bytes),
      bytesTotal: bytes,
    });
  }
}

/** A leaf that differs from the manifest, the first time. */
class BadLeaf extends Error {}
