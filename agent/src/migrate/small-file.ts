import { hash } from 'node:crypto';
import fs from 'node:fs';
import { leafHash } from './leaves.ts';
import { bytesOf, type RawPath } from './raw-path.ts';

/** Files up to here are read and written in one go, where a call to the thread pool for each step would cost more than the step. */
export const smallFileBytes = 1_024 * 1_024;

const { O_CREAT, O_EXCL, O_NOATIME, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants;

/** A name in a directory that whoever asks holds open until the answer is there. */
interface SmallPlace {
  readonly directoryFd: number;
  readonly name: RawPath;
}
/** Memory that both sides see. */
export interface SharedBytes {
  readonly memory: SharedArrayBuffer;
  readonly offset: number;
  readonly length: number;
}
export interface ReadTask extends SmallPlace {
  readonly task: 'read';
  readonly into: SharedBytes;
}
export interface DigestTask extends SmallPlace {
  readonly task: 'digest';
}
export interface WriteTask extends SmallPlace {
  readonly task: 'write';
  readonly from: SharedBytes;
  readonly mode: number;
  readonly mtimeSec: number;
}
export type SmallTask = ReadTask | DigestTask | WriteTask;

export interface Digest {
  /** As the open file was before it was read. */
  readonly stat: FileState;
  /** As its name was after. */
  readonly after: FileState;
  readonly sha256: string;
  /** Of its only leaf; of no use for an empty file. */
  readonly leaf: Uint8Array;
}
export type FileState = Pick<fs.BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs' | 'nlink' | 'mode' | 'mtimeMs' | 'ctimeMs'>;

/** Null when the memory is this thread's alone. */
export function sharedBytesOf(bytes: Buffer): SharedBytes | null {
  const { buffer: memory, byteOffset: offset, length } = bytes;
  return memory instanceof SharedArrayBuffer ? { memory, offset, length } : null;
}

/** Null says that this was not the ordinary case, whatever it was; nothing is known then, and the careful way finds out what. */
export type SmallAnswer<Task extends SmallTask> = (Task extends DigestTask ? Digest : true) | null;

/** Carry out one task, without letting anything in between; a link is never followed. */
export function doSmallTask(task: SmallTask, memory: Buffer): SmallAnswer<SmallTask> {
  try {
    switch (task.task) {
      case 'read':
        return readWhole(task);
      case 'digest':
        return digestOf(task, memory);
      case 'write':
        writeWhole(task, () => undefined);
        return true;
    }
  } catch {
    return null;
  }
}

/**
 * A file that was not there before, from its one leaf of bytes to its time.
 * @param failpoint hears of each crash point between the steps
 * @throws EEXIST when something has the name; any other error leaves a file that is not whole
 */
export function writeWhole({ directoryFd, name, from, mode, mtimeSec }: WriteTask, failpoint: (point: string) => void): void {
  const fd = fs.openSync(at(directoryFd, name), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    failpoint('C6');
    const bytes = Buffer.from(from.memory, from.offset, from.length);
    for (let done = 0; done < bytes.length; ) done += fs.writeSync(fd, bytes, done, bytes.length - done, done);
    failpoint('C7');
    failpoint('C11');
    fs.fchmodSync(fd, mode);
    fs.futimesSync(fd, mtimeSec, mtimeSec);
  } finally {
    fs.closeSync(fd);
  }
}

function readWhole({ directoryFd, name, into }: ReadTask): true | null {
  const fd = openForReading(directoryFd, name);
  try {
    const bytes = Buffer.from(into.memory, into.offset, into.length);
    return fill(fd, bytes) === bytes.length ? true : null;
  } finally {
    fs.closeSync(fd);
  }
}

function digestOf({ directoryFd, name }: DigestTask, memory: Buffer): Digest | null {
  const fd = openForReading(directoryFd, name);
  try {
    const stat = fs.fstatSync(fd, { bigint: true });
    if (!stat.isFile() || stat.size > BigInt(smallFileBytes)) return null;
    // One byte more than it has: a file that grew is not the ordinary case.
    const bytes = memory.subarray(0, Number(stat.size) + 1);
    if (fill(fd, bytes) !== bytes.length - 1) return null;
    const content = bytes.subarray(0, -1);
    const after = fs.lstatSync(at(directoryFd, name), { bigint: true });
    return { stat: stateOf(stat), after: stateOf(after), sha256: hash('sha256', content), leaf: leafHash(content) };
  } finally {
    fs.closeSync(fd);
  }
}

function fill(fd: number, into: Buffer): number {
  let done = 0;
  while (done < into.length) {
    const got = fs.readSync(fd, into, done, into.length - done, done);
    if (got === 0) break;
    done += got;
  }
  return done;
}

/** O_NOATIME is for the file's owner only; who is not asks the careful way. */
function openForReading(directoryFd: number, name: RawPath): number {
  return fs.openSync(at(directoryFd, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME);
}

function at(directoryFd: number, name: RawPath): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directoryFd}/`), bytesOf(name)]);
}

/** What crosses between threads has to be plain. */
function stateOf({ dev, ino, size, mtimeNs, ctimeNs, nlink, mode, mtimeMs, ctimeMs }: fs.BigIntStats): FileState {
  return { dev, ino, size, mtimeNs, ctimeNs, nlink, mode, mtimeMs, ctimeMs };
}
