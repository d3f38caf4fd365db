import { type Child, type ChildKind, type Directory, errnoOf, kindOf } from './directory.ts';
import { joinRaw, type RawPath } from './raw-path.ts';

export interface Walked {
  readonly path: RawPath;
  readonly name: RawPath;
  readonly kind: ChildKind | 'unreadable' | 'mount-point';
  /** Open for as long as the walk stands on this path or one beside it; `hold` keeps it longer. */
  readonly parent: HeldDirectory;
}

/** A directory that closes when the walk has left it and nobody works in it any more. */
export class HeldDirectory {
  readonly directory: Directory;
  #holders = 1;

  constructor(directory: Directory) {
    this.directory = directory;
  }

  /** Every `hold` needs its `release`. */
  hold(): void {
    this.#holders++;
  }

  async release(): Promise<void> {
    this.#holders--;
    if (this.#holders === 0) await this.directory.close();
  }
}

/**
 * Everything below a directory in byte order of the paths, which is a manifest's order. Links are not followed, other file systems not entered.
 * Memory: the names of the directories on the way down. `tree` stays the caller's.
 */
export async function* walkTree(tree: Directory): AsyncGenerator<Walked> {
  yield* walkBelow(new HeldDirectory(await tree.directory('.' as RawPath)), '' as RawPath, (await tree.stat()).dev);
}

async function* walkBelow(here: HeldDirectory, path: RawPath, device: bigint): AsyncGenerator<Walked> {
  /** Entered when their own name came, and read when their content's turn comes. */
  const entered = new Map<Child, Directory>();
  try {
    for (const { child, visit } of inPathOrder(await here.directory.children())) {
      const childPath = joinRaw(path, child.name);
      if (visit === 'itself') {
        const kind = child.kind === 'directory' ? await enter(here.directory, child, device, entered) : child.kind;
        if (kind === 'gone') continue;
        yield { path: childPath, name: child.name, kind, parent: here };
        continue;
      }
      const below = entered.get(child);
      entered.delete(child);
      if (below !== undefined) yield* walkBelow(new HeldDirectory(below), childPath, device);
    }
  } finally {
    for (const below of entered.values()) await below.close();
    await here.release();
  }
}

async function enter(parent: Directory, child: Child, device: bigint, entered: Map<Child, Directory>): Promise<Walked['kind'] | 'gone'> {
  let below: Directory;
  try {
    below = await parent.directory(child.name);
  } catch (thrown) {
    const errno = errnoOf(thrown);
    if (errno === 'EACCES') return 'unreadable';
    // Since it was listed it went away, or became something else.
    if (errno === 'ENOENT') return 'gone';
    if (errno === 'ENOTDIR' || errno === 'ELOOP') return kindNow(parent, child.name);
    throw thrown;
  }
  if ((await below.stat()).dev !== device) {
    await below.close();
    return 'mount-point';
  }
  entered.set(child, below);
  return 'directory';
}

async function kindNow(parent: Directory, name: RawPath): Promise<Exclude<ChildKind, 'directory'> | 'gone'> {
  try {
    const kind = kindOf(await parent.lstat(name));
    return kind === 'directory' ? 'gone' : kind;
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return 'gone';
    throw thrown;
  }
}

/** `a`, then `a-b` and `a.c`, then what is in `a/`, then `a0`: a directory and its content are apart, because `/` sorts after `-` and `.`. */
function inPathOrder(children: readonly Child[]): { child: Child; visit: 'itself' | 'content' }[] {
  const visits = children.flatMap((child) => {
    const itself = { key: child.name as string, child, visit: 'itself' as const };
    return child.kind === 'directory' ? [itself, { key: `${child.name}/`, child, visit: 'content' as const }] : [itself];
  });
  return visits.sort((a, b) => (a.key < b.key ? -1 : 1));
}
