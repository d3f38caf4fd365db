import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { Failure } from '@data-in-motion/shared/failure';
import { errnoOf } from './directory.ts';
import { fileLeaves, readingBytes } from './file-leaves.ts';
import { leafHash, leafLength, MerkleRoot, merkleRoot } from './leaves.ts';
import { printable } from './raw-path.ts';
import type { Digest, FileState } from './small-file.ts';
import type { StepParts } from './step-parts.ts';
import type { Walked } from './walk-tree.ts';

const fstat = promisify(fs.fstat);
const close = promisify(fs.close);

export interface ScannedFile {
  readonly stat: FileState;
  readonly sha256: string;
  readonly root: string;
  readonly leaves: readonly Buffer[];
}

/**
 * Read a file whole, leaf by leaf, until what was read is one state of it: its fingerprint is the same before and after.
 * A file that somebody writes to is waited for, a few times.
 *
 * @returns null when the file went away before it was opened: then it was never part of this scan
 * @throws Failure `source.file-growing` when it would not hold still
 */
export async function scanFile(file: Walked, quietMs: number, parts: StepParts, signal: AbortSignal): Promise<ScannedFile | null> {
  const small = await parts.small.at(null).ask({ task: 'digest', directoryFd: file.parent.directory.fd, name: file.name });
  if (small !== null && isSameState(small.stat, small.after) && unquietForMs(small.stat, quietMs, parts.clock.nowMs()) === 0) return scannedSmall(small);
  for (let round = 0; round <= parts.settings.quietRounds; round++) {
    let fd: number;
    try {
      fd = await file.parent.directory.openForReading(file.name);
    } catch (thrown) {
      if (errnoOf(thrown) === 'ENOENT') return null;
      throw thrown;
    }
    try {
      const before = await fstat(fd, { bigint: true });
      // Read here: a later name check would see a swap, this sees what the descriptor is.
      if (!before.isFile()) throw new Failure('refused', { code: 'source.changed', message: `${printable(file.path)} was a file and is none any more` });
      const waitMs = unquietForMs(before, quietMs, parts.clock.nowMs());
      if (waitMs === 0) {
        const read = await parts.budget.within(readingBytes(Number(before.size)), () => readWhole(fd, Number(before.size), parts, signal));
        const after = await file.parent.directory.lstat(file.name).catch(() => null);
        if (read !== null && after !== null && isSameState(before, after)) return { stat: before, ...read };
      }
      await parts.clock.sleep(Math.max(waitMs, Math.min(100, quietMs)), signal);
    } finally {
      await close(fd);
    }
    signal.throwIfAborted();
  }
  throw growing(printable(file.path));
}

function scannedSmall({ stat, sha256, leaf }: Digest): ScannedFile {
  const leaves = stat.size === 0n ? [] : [Buffer.from(leaf)];
  return { stat, sha256, root: merkleRoot(leaves).toString('hex'), leaves };
}

export function growing(what: string): Failure {
  return new Failure('unavailable', { code: 'source.file-growing', message: `file_growing: ${what} is being written to` });
}

/** How long until a file has been left alone for `quietMs`; 0 when it has. A time in the future is a wrong clock, not a fresh write. */
export function unquietForMs(stat: FileState, quietMs: number, nowMs: number): number {
  const changedAtMs = Math.max(Number(stat.mtimeMs), Number(stat.ctimeMs));
  const ageMs = nowMs - changedAtMs;
  return Math.abs(ageMs) < quietMs ? Math.min(quietMs, quietMs - ageMs) : 0;
}

/** Size and modification time alone do not show a change: a store through a memory map leaves them, and both can be put back. */
function isSameState(a: FileState, b: FileState): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.nlink === b.nlink;
}

/** @returns null when the file was shorter than it said */
async function readWhole(fd: number, sizeBytes: number, parts: StepParts, signal: AbortSignal): Promise<Omit<ScannedFile, 'stat'> | null> {
  const whole = createHash('sha256');
  const root = new MerkleRoot();
  const leaves: Buffer[] = [];
  for await (const bytes of fileLeaves(fd, sizeBytes, parts.buffers)) {
    if (bytes.length !== leafLength(sizeBytes, leaves.length)) return null;
    whole.update(bytes);
    const hash = leafHash(bytes);
    root.add(hash);
    leaves.push(hash);
    signal.throwIfAborted();
  }
  return { sha256: whole.digest('hex'), root: root.root().toString('hex'), leaves };
}
