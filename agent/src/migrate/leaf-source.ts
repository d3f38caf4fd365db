import fs from 'node:fs';
import { promisify } from 'node:util';
import { Failure } from '@data-in-motion/shared/failure';
import { type Directory, errnoOf } from './directory.ts';
import type { LeafBuffers } from './leaf-buffers.ts';
import { readFully } from './leaf-file.ts';
import { leafBytes } from './leaves.ts';
import { mapInOrder } from './map-in-order.ts';
import { OpenDirectories } from './open-directories.ts';
import { nameOf, parentOf, printable, type RawPath } from './raw-path.ts';
import { sharedBytesOf } from './small-file.ts';
import type { SmallFiles } from './small-files.ts';

const close = promisify(fs.close);
const fstat = promisify(fs.fstat);

/** One leaf of one file. */
export interface WantedLeaf {
  readonly path: RawPath;
  /** In its file, from 0. */
  readonly leaf: number;
  /** In the whole manifest, from 0. */
  readonly number: number;
  readonly length: number;
}

/** Where the bytes of a version can be had. What comes from it is not trusted: whoever takes a leaf compares it with the manifest. */
export interface LeafSource {
  /**
   * The bytes of the wanted leaves, in that order; they are the taker's, who gives them back to the buffers.
   * @throws what `accuse` says when the source itself knows that it can not give them
   */
  leaves(wanted: readonly WantedLeaf[], signal: AbortSignal): AsyncGenerator<Buffer>;
  /** What to report when this leaf came twice and was wrong twice. */
  accuse(leaf: WantedLeaf): Promise<Failure>;
  close(): Promise<void>;
}

const readAhead = { count: 24, weight: leafBytes, weigh: (leaf: WantedLeaf): number => leaf.length };

export interface DirectorySourceHooks {
  readonly buffers: LeafBuffers;
  readonly small: SmallFiles;
  readonly beforeRead: (bytes: number) => Promise<void>;
  /** Whose fault it is when bytes differ: of a replica its medium's, of an imported directory mostly of who wrote to it. */
  readonly kind: 'import' | 'replica';
}

/** A tree on this host. Takes over the directory, and closes it. */
export class DirectorySource implements LeafSource {
  readonly #tree: Directory;
  readonly #directories: OpenDirectories;
  readonly #hooks: DirectorySourceHooks;
  readonly #mtimeOf: (path: RawPath) => Promise<bigint | null>;

  /** @param mtimeOf what the manifest says of a file, null when it does not know it */
  constructor(tree: Directory, hooks: DirectorySourceHooks, mtimeOf: (path: RawPath) => Promise<bigint | null>) {
    this.#tree = tree;
    this.#directories = new OpenDirectories(tree);
    this.#hooks = hooks;
    this.#mtimeOf = mtimeOf;
  }

  leaves(wanted: readonly WantedLeaf[], signal: AbortSignal): AsyncGenerator<Buffer> {
    return mapInOrder(wanted, readAhead, async (leaf) => {
      signal.throwIfAborted();
      return this.read(leaf);
    });
  }

  async read(leaf: WantedLeaf): Promise<Buffer> {
    await this.#hooks.beforeRead(leaf.length);
    try {
      return await this.#directories.within(parentOf(leaf.path), async (directory) => {
        const bytes = this.#hooks.buffers.take(leaf.length);
        if (await this.#readSmall(directory, leaf, bytes)) return bytes;
        const fd = await directory.openForReading(nameOf(leaf.path));
        try {
          const got = await readFully(fd, bytes, leaf.leaf * leafBytes);
          return bytes.subarray(0, got);
        } finally {
          await close(fd);
        }
      });
    } catch (thrown) {
      if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR'].includes(errnoOf(thrown))) throw await this.accuse(leaf);
      throw thrown;
    }
  }

  /** Whoever took a leaf here and does not look at it any more. */
  give(leaf: Buffer): void {
    this.#hooks.buffers.give(leaf);
  }

  async accuse(leaf: WantedLeaf): Promise<Failure> {
    const ids = { path: printable(leaf.path), leaf: leaf.leaf };
    if (this.#hooks.kind === 'import' && (await this.#wasWrittenTo(leaf.path))) {
      return new Failure('refused', { code: 'source.changed', message: `${ids.path} was changed after it was scanned`, ids });
    }
    return new Failure('corrupt', { code: 'source.corrupt', message: `source_corrupt: ${ids.path} differs from its manifest at the source`, ids });
  }

  async close(): Promise<void> {
    await this.#directories.close();
    await this.#tree.close();
  }

  async #readSmall(directory: Directory, leaf: WantedLeaf, bytes: Buffer): Promise<boolean> {
    const into = sharedBytesOf(bytes);
    if (leaf.leaf > 0 || into === null) return false;
    return (await this.#hooks.small.ask({ task: 'read', directoryFd: directory.fd, name: nameOf(leaf.path), into })) === true;
  }

  async #wasWrittenTo(path: RawPath): Promise<boolean> {
    const scanned = await this.#mtimeOf(path);
    try {
      return await this.#directories.within(parentOf(path), async (directory) => {
        const fd = await directory.openForReading(nameOf(path));
        try {
          return (await fstat(fd, { bigint: true })).mtimeNs !== scanned;
        } finally {
          await close(fd);
        }
      });
    } catch {
      return true;
    }
  }
}
