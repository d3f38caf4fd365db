import fs from 'node:fs';
import { promisify } from 'node:util';
import { Failure } from '@data-in-motion/shared/failure';
import { bytesOf, type RawPath, rawPath } from './raw-path.ts';

const { O_CREAT, O_DIRECTORY, O_NOATIME, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants;
const call = {
  open: promisify(fs.open),
  close: promisify(fs.close),
  fchmod: promisify(fs.fchmod),
  fstat: promisify(fs.fstat),
  fsync: promisify(fs.fsync),
  lstat: promisify(fs.lstat),
  mkdir: promisify(fs.mkdir),
  readdir: promisify(fs.readdir),
  readlink: promisify(fs.readlink),
  rename: promisify(fs.rename),
  rmdir: promisify(fs.rmdir),
  symlink: promisify(fs.symlink),
  link: promisify(fs.link),
  unlink: promisify(fs.unlink),
};

export type ChildKind = 'file' | 'directory' | 'symlink' | 'other';
export interface Child {
  readonly name: RawPath;
  readonly kind: ChildKind;
}

/**
 * A directory held by its descriptor. Everything below a root is reached from one of these, one name at a time and without following links,
 * so that no name and no link that somebody plants while we work can lead out of the root (openat by way of /proc/self/fd: Node has no openat).
 */
export class Directory {
  readonly fd: number;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** A root from our settings: the path is trusted, its last name must be a directory and not a link. */
  static async open(path: string): Promise<Directory> {
    return new Directory(await call.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  async close(): Promise<void> {
    await call.close(this.fd);
  }

  /** @throws ENOTDIR or ELOOP when the name is a link or no directory */
  async directory(name: RawPath): Promise<Directory> {
    return new Directory(await call.open(this.#at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  /** Open a directory further below, name by name. */
  async descend(path: RawPath): Promise<Directory> {
    const names = path === '' ? [] : (path.split('/') as RawPath[]);
    let here: Directory = await this.directory('.' as RawPath);
    for (const name of names) {
      const parent = here;
      try {
        here = await parent.directory(name);
      } finally {
        await parent.close();
      }
    }
    return here;
  }

  /** The descriptor of a file for reading. It does not wait on a pipe, and does not count as an access where the kernel lets us say so. */
  async openForReading(name: RawPath): Promise<number> {
    try {
      return await call.open(this.#at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME);
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EPERM') throw thrown;
      // O_NOATIME is for the file's owner only.
      return call.open(this.#at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    }
  }

  /** A new file, or the one a killed writer left. */
  async openForWriting(name: RawPath, mode: 'new' | 'existing'): Promise<number> {
    return call.open(this.#at(name), (mode === 'new' ? O_CREAT | fs.constants.O_EXCL | O_WRONLY : fs.constants.O_RDWR) | O_NOFOLLOW | O_NONBLOCK, 0o600);
  }

  lstat(name: RawPath): Promise<fs.BigIntStats> {
    return call.lstat(this.#at(name), { bigint: true });
  }

  stat(): Promise<fs.BigIntStats> {
    return call.fstat(this.fd, { bigint: true });
  }

  async exists(name: RawPath): Promise<boolean> {
    try {
      await this.lstat(name);
      return true;
    } catch (thrown) {
      if (errnoOf(thrown) === 'ENOENT') return false;
      throw thrown;
    }
  }

  /** In no order. */
  async children(): Promise<Child[]> {
    const found = await call.readdir(this.#at('.' as RawPath), { encoding: 'buffer', withFileTypes: true });
    const children: Child[] = [];
    for (const dirent of found) {
      const name = rawPath(dirent.name);
      if (dirent.isFile()) children.push({ name, kind: 'file' });
      else if (dirent.isDirectory()) children.push({ name, kind: 'directory' });
      else if (dirent.isSymbolicLink()) children.push({ name, kind: 'symlink' });
      else if (dirent.isFIFO() || dirent.isSocket() || dirent.isBlockDevice() || dirent.isCharacterDevice()) children.push({ name, kind: 'other' });
      // Some file systems do not tell the kind in a listing.
      else children.push({ name, kind: kindOf(await this.lstat(name)) });
    }
    return children;
  }

  async readLink(name: RawPath): Promise<RawPath> {
    return rawPath(await call.readlink(this.#at(name), { encoding: 'buffer' }));
  }

  /** Succeeds when the directory is there already. @returns whether it is new */
  async makeDirectory(name: RawPath, mode = 0o755): Promise<boolean> {
    try {
      await call.mkdir(this.#at(name), { mode });
      return true;
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EEXIST' || kindOf(await this.lstat(name)) !== 'directory') throw thrown;
      return false;
    }
  }

  /** Let its owner change what is in it: a directory that got the permissions of its source may not allow that to anybody but root. */
  async makeWritable(): Promise<void> {
    const mode = Number((await this.stat()).mode) & 0o7777;
    if ((mode & 0o700) !== 0o700) await call.fchmod(this.fd, mode | 0o700);
  }

  async makeSymlink(name: RawPath, to: RawPath): Promise<void> {
    await call.symlink(bytesOf(to), this.#at(name));
  }

  async makeHardLink(from: Directory, existing: RawPath, name: RawPath): Promise<void> {
    await call.link(from.#at(existing), this.#at(name));
  }

  /** Replaces nothing: a directory may be renamed over an empty one by the kernel's rules, so what is there is refused before. */
  async moveTo(name: RawPath, to: Directory, newName: RawPath): Promise<void> {
    if (await to.exists(newName)) throw new Failure('refused', { code: 'place.taken', message: `${newName} is already there` });
    await call.rename(this.#at(name), to.#at(newName));
  }

  /** Replaces what is there, in one step. */
  async replace(name: RawPath, newName: RawPath): Promise<void> {
    await call.rename(this.#at(name), this.#at(newName));
  }

  async removeFile(name: RawPath): Promise<void> {
    await call.unlink(this.#at(name)).catch(ignoreMissing);
  }

  async removeEmptyDirectory(name: RawPath): Promise<void> {
    await call.rmdir(this.#at(name)).catch(ignoreMissing);
  }

  /** The names in this directory are on stable storage. */
  sync(): Promise<void> {
    return call.fsync(this.fd);
  }

  #at(name: RawPath): Buffer {
    return Buffer.from(`/proc/self/fd/${this.fd}/${name}`, 'latin1');
  }
}

export async function syncDirectoryAt(path: string): Promise<void> {
  const directory = await Directory.open(path);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export function kindOf(stat: fs.BigIntStats): ChildKind {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  return stat.isSymbolicLink() ? 'symlink' : 'other';
}

/** `ENOENT`, `EIO` …; empty for what the system did not say. */
export function errnoOf(thrown: unknown): string {
  const code = thrown instanceof Error ? (thrown as { code?: unknown }).code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : '';
}

function ignoreMissing(thrown: unknown): void {
  if (errnoOf(thrown) !== 'ENOENT') throw thrown;
}
