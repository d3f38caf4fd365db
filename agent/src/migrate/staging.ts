import fs from 'node:fs';
import { promisify } from 'node:util';
import type { FaultHooks } from '@data-in-motion/shared/domain/fault-hooks';
import { type Directory, errnoOf } from './directory.ts';
import { syncFileSystem } from './durability.ts';
import { readFully, writeFully } from './leaf-file.ts';
import { leafBytes, leafHash, leafLength } from './leaves.ts';
import type { DirectoryEntry, FileEntry, HardLinkEntry, SymlinkEntry } from './manifest-entry.ts';
import { OpenDirectories } from './open-directories.ts';
import { nameOf, parentOf, type RawPath } from './raw-path.ts';
import { removeTree } from './remove-tree.ts';
import { sharedBytesOf, type WriteTask, writeWhole } from './small-file.ts';
import type { SmallFiles } from './small-files.ts';

const call = {
  close: promisify(fs.close),
  fchmod: promisify(fs.fchmod),
  fsync: promisify(fs.fsync),
  ftruncate: promisify(fs.ftruncate),
  futimes: promisify(fs.futimes),
};

/** Beyond this many files one sync of the whole file system is cheaper than one per file. */
const syncedOneByOne = 8;

/** A tree that is being written under its partial name. Nobody else knows of it; what is in it counts for nothing until it was read back. */
export class Staging {
  readonly #tree: Directory;
  /** Absolute, for the one tool that wants a path. */
  readonly #path: string;
  readonly #targetId: string;
  readonly #directories: OpenDirectories;
  readonly #faults: FaultHooks;
  readonly #small: SmallFiles;
  /** Written since the last time all was made durable. */
  #touched = new Set<RawPath>();

  /** Takes over the directory, and closes it. */
  constructor(tree: Directory, path: string, targetId: string, faults: FaultHooks, small: SmallFiles) {
    this.#tree = tree;
    this.#path = path;
    this.#targetId = targetId;
    this.#directories = new OpenDirectories(tree);
    this.#faults = faults;
    this.#small = small;
  }

  async makeDirectory(entry: DirectoryEntry): Promise<void> {
    await this.#in(entry.path, async (parent, name) => {
      if (await parent.makeDirectory(name, 0o700)) return;
      // A killed writer may have been past its last touch.
      const directory = await parent.directory(name);
      try {
        await directory.makeWritable();
      } finally {
        await directory.close();
      }
    });
  }

  /** Which leaves of a file a killed writer left whole. Empty when there is no such file. */
  async wholeLeaves(entry: FileEntry, hashes: readonly Buffer[]): Promise<Set<number>> {
    const whole = new Set<number>();
    const fd = await this.#openExisting(entry.path);
    if (fd === null) return whole;
    try {
      const buffer = Buffer.allocUnsafeSlow(leafLength(entry.sizeBytes, 0));
      for (const [leaf, hash] of hashes.entries()) {
        const got = await readFully(fd, buffer.subarray(0, leafLength(entry.sizeBytes, leaf)), leaf * leafBytes);
        if (got < leafLength(entry.sizeBytes, leaf)) break;
        if (leafHash(buffer.subarray(0, got)).equals(hash)) whole.add(leaf);
      }
    } finally {
      await call.close(fd);
    }
    // It may not have reached the medium before the writer was killed.
    if (whole.size > 0) this.#touched.add(entry.path);
    return whole;
  }

  /** Write a new file whose bytes are all here, at one go. @returns whether it was written; if not, it is to be written step by step */
  async writeSmall(entry: FileEntry, bytes: Buffer): Promise<boolean> {
    const from = sharedBytesOf(bytes);
    if (from === null) return false;
    await this.#faults.before('write', this.#targetId);
    this.#touched.add(entry.path);
    return this.#in(entry.path, async ({ fd: directoryFd }, name) => {
      const mtimeSec = seconds(entry.mtimeNs);
      const task: WriteTask = { task: 'write', directoryFd, name, from, mode: entry.mode | 0o400, mtimeSec };
      if (this.#faults.isStepwise !== true) return (await this.#small.ask(task)) === true;
      try {
        writeWhole(task, this.#faults.failpoint);
        return true;
      } catch {
        return false;
      }
    });
  }

  /** Open a file for its leaves: the one that is there, or a new one. Leaves of zeros are holes until `finish` sets the size. */
  async openFile(entry: FileEntry): Promise<{ fd: number; isNew: boolean }> {
    await this.#faults.before('write', this.#targetId);
    const existing = await this.#openExisting(entry.path);
    const fd = existing ?? (await this.#in(entry.path, (parent, name) => parent.openForWriting(name, 'new')));
    this.#touched.add(entry.path);
    this.#faults.failpoint('C6');
    return { fd, isNew: existing === null };
  }

  async writeLeaf(fd: number, leaf: number, bytes: Buffer): Promise<void> {
    await this.#faults.before('write', this.#targetId);
    await writeFully(fd, bytes, leaf * leafBytes);
    this.#faults.failpoint('C7');
  }

  /** Size, permissions and time, by the descriptor: by name they could hit what a link points to. */
  async finishFile(fd: number, entry: FileEntry, size: 'set' | 'written'): Promise<void> {
    if (size === 'set') await call.ftruncate(fd, entry.sizeBytes);
    this.#faults.failpoint('C11');
    // Always readable to us: what can not be read can not be verified.
    await call.fchmod(fd, entry.mode | 0o400);
    await call.futimes(fd, seconds(entry.mtimeNs), seconds(entry.mtimeNs));
  }

  async makeHardLink(entry: HardLinkEntry): Promise<void> {
    await this.#in(entry.path, async (parent, name) => {
      await parent.removeFile(name);
      await this.#in(entry.of, (firstParent, firstName) => parent.makeHardLink(firstParent, firstName, name));
    });
  }

  async makeSymlink(entry: SymlinkEntry): Promise<void> {
    await this.#in(entry.path, async (parent, name) => {
      await parent.removeFile(name);
      await parent.makeSymlink(name, entry.to);
    });
  }

  /** A directory's last touch: nothing may be made in it afterwards. */
  async finishDirectory(entry: DirectoryEntry): Promise<void> {
    await this.#in(entry.path, async (parent, name) => {
      const directory = await parent.directory(name);
      try {
        await call.futimes(directory.fd, seconds(entry.mtimeNs), seconds(entry.mtimeNs));
        await call.fchmod(directory.fd, entry.mode | 0o500);
      } finally {
        await directory.close();
      }
    });
  }

  /**
   * What was written so far is on stable storage when this resolves. When the system could not do it, the files that were
   * touched since the last time are removed: after a failed fsync the kernel believes pages clean that never reached the medium.
   */
  async makeDurable(what: 'files' | 'everything'): Promise<void> {
    try {
      await this.#faults.before('sync', this.#targetId);
      const oneByOne = what === 'files' && this.#touched.size <= syncedOneByOne;
      if (oneByOne || !(await syncFileSystem(this.#path))) {
        for (const path of this.#touched) await this.#syncFile(path);
        for (const parent of new Set([...this.#touched].map(parentOf))) await this.#directories.within(parent, (directory) => directory.sync());
        if (what === 'everything') await this.#syncDirectories(this.#tree);
      }
    } catch (thrown) {
      for (const path of this.#touched) await this.#in(path, remove).catch(() => undefined);
      throw thrown;
    }
    this.#touched = new Set();
  }

  async close(): Promise<void> {
    await this.#directories.close();
    await this.#tree.close();
  }

  async #openExisting(path: RawPath): Promise<number | null> {
    return this.#in(path, async (parent, name) => {
      try {
        return await parent.openForWriting(name, 'existing');
      } catch (thrown) {
        const errno = errnoOf(thrown);
        if (errno === 'ENOENT') return null;
        // Not writable for us any more, or no file at all: nothing of ours is lost by making it anew.
        if (['EACCES', 'ELOOP', 'EISDIR', 'ENXIO'].includes(errno)) {
          await removeTree(parent, name);
          return null;
        }
        throw thrown;
      }
    });
  }

  async #syncFile(path: RawPath): Promise<void> {
    await this.#in(path, async (parent, name) => {
      const fd = await parent.openForReading(name);
      try {
        await call.fsync(fd);
      } finally {
        await call.close(fd);
      }
    });
  }

  async #syncDirectories(directory: Directory): Promise<void> {
    for (const child of await directory.children()) {
      if (child.kind !== 'directory') continue;
      const below = await directory.directory(child.name);
      try {
        await this.#syncDirectories(below);
      } finally {
        await below.close();
      }
    }
    await directory.sync();
  }

  #in<T>(path: RawPath, work: (parent: Directory, name: RawPath) => Promise<T>): Promise<T> {
    return this.#directories.within(parentOf(path), (parent) => work(parent, nameOf(path)));
  }
}

async function remove(parent: Directory, name: RawPath): Promise<void> {
  await parent.makeWritable();
  await parent.removeFile(name);
}

/** The call takes seconds as a floating number: good to about a quarter of a microsecond. */
function seconds(ns: bigint): number {
  return Number(ns / 1_000_000_000n) + Number(ns % 1_000_000_000n) / 1e9;
}
