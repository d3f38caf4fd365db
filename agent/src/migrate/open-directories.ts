import type { Directory } from './directory.ts';
import { nameOf, parentOf, type RawPath } from './raw-path.ts';

const keptOpen = 64;

interface Kept {
  readonly opening: Promise<Directory>;
  users: number;
}

/** Directories below a root, kept open between uses: the files of a manifest come directory by directory. */
export class OpenDirectories {
  readonly #root: Directory;
  /** Least recently used first. */
  readonly #kept = new Map<RawPath, Kept>();

  /** The root stays the caller's. */
  constructor(root: Directory) {
    this.#root = root;
  }

  async within<T>(path: RawPath, work: (directory: Directory) => Promise<T>): Promise<T> {
    if (path === '') return work(this.#root);
    const kept = this.#kept.get(path) ?? { opening: this.within(parentOf(path), (parent) => parent.directory(nameOf(path))), users: 0 };
    this.#kept.delete(path);
    this.#kept.set(path, kept);
    kept.users++;
    try {
      return await work(await kept.opening);
    } catch (thrown) {
      // A directory that could not be opened may be there the next time.
      if (
        await kept.opening.then(
          () => false,
          () => true,
        )
      )
        this.#kept.delete(path);
      throw thrown;
    } finally {
      kept.users--;
      await this.#closeBeyond(keptOpen);
    }
  }

  async close(): Promise<void> {
    await this.#closeBeyond(0);
  }

  async #closeBeyond(limit: number): Promise<void> {
    for (const [path, kept] of this.#kept) {
      if (this.#kept.size <= limit) return;
      if (kept.users > 0) continue;
      this.#kept.delete(path);
      await kept.opening.then(
        (directory) => directory.close(),
        () => undefined,
      );
    }
  }
}
