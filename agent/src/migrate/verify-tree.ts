import fs from 'node:fs';
import { promisify } from 'node:util';
import { type Directory, errnoOf } from './directory.ts';
import { fileLeaves, readingBytes } from './file-leaves.ts';
import { leafHash, leafLength, leavesOf, MerkleRoot, merkleRoot } from './leaves.ts';
import { assertSameVersion, HashReader, type ManifestFiles, type ReadEntry, readManifest } from './manifest.ts';
import type { FileEntry, ManifestEntry } from './manifest-entry.ts';
import { mapInOrder } from './map-in-order.ts';
import { printable, type RawPath } from './raw-path.ts';
import { smallFileBytes } from './small-file.ts';
import type { StepParts, StepRun } from './step-parts.ts';
import { type HeldDirectory, type Walked, walkTree } from './walk-tree.ts';

const fstat = promisify(fs.fstat);
const close = promisify(fs.close);
const filesAtOnce = { count: 32 };
/** Of a file that could not be looked at: equal to none. */
const noInode = -1n;

export interface VersionIdentity {
  readonly root: string;
  readonly objects: number;
  readonly bytes: number;
}

export type Comparison =
  | { readonly same: true }
  | {
      readonly same: false;
      readonly path: RawPath;
      readonly detail: string /** Leaves in the manifest before the first difference. */;
      readonly leavesBefore: number;
    };

/**
 * Read every byte of a tree and compare it with the manifest, and the manifest with the version that was asked for: nothing differs,
 * nothing is missing, nothing is there besides. Permissions and times are not compared: they are not the dataset's content.
 *
 * @param wanted the root at least; counts where they are known
 * @throws Failure `corrupt` when the manifest itself is not the right one; the system's error when something can not be read
 */
export async function compareTree(
  tree: Directory,
  files: ManifestFiles,
  wanted: VersionIdentity | { readonly root: string },
  how: { targetId: string; step: 'verify' | 'retire' | 'purge' },
  parts: StepParts,
  run: StepRun,
): Promise<Comparison> {
  const hashes = new HashReader(files.leaves);
  /** Of files with several names. The promise is set when the file's turn comes, before that of any later name. */
  const inodes = new Map<RawPath, Promise<bigint>>();
  const total = 'bytes' in wanted ? wanted : { objects: 0, bytes: 0 };
  let objectsDone = 0;
  let bytesDone = 0;
  const manifest = manifestEntries(files);
  const pairs = pairUp(manifest.entries, tree, hashes);
  const checked = mapInOrder(pairs, filesAtOnce, async (pair) => {
    // Only once it is worked on: what was taken from the list and never came to its turn would not be released.
    pair.parent?.hold();
    try {
      return { pair, detail: await differenceIn(pair, inodes, how.targetId, parts, run) };
    } finally {
      await pair.parent?.release();
    }
  });
  try {
    for await (const { pair, detail } of checked) {
      run.signal.throwIfAborted();
      if (detail !== null) return { same: false, path: pair.path, detail, leavesBefore: pair.firstLeaf };
      if (pair.entry?.kind === 'f') bytesDone += pair.entry.sizeBytes;
      if (pair.entry !== null && pair.entry.kind !== 'd') objectsDone++;
      parts.faults.failpoint('C19');
      run.progress({
        step: how.step,
        objectsDone,
        objectsTotal: Math.max(total.objects, objectsDone),
        bytesDone,
        bytesTotal: Math.max(total.bytes, bytesDone),
      });
    }
  } finally {
    await hashes.close();
  }
  const found = manifest.totals();
  assertSameVersion(found, 'bytes' in wanted ? wanted : { ...found, root: wanted.root });
  return { same: true };
}

/** A path that the manifest or the tree has, or both. */
export interface Pair {
  readonly path: RawPath;
  readonly entry: ManifestEntry | null;
  readonly walked: Walked | null;
  readonly firstLeaf: number;
  readonly hashes: readonly Buffer[];
  /** Open until the next pair is taken; who works on this one longer holds it. */
  readonly parent: HeldDirectory | null;
}

/** Two lists in the same order, side by side. */
export async function* pairUp(manifest: AsyncGenerator<ReadEntry, unknown>, below: Directory, hashes: HashReader): AsyncGenerator<Pair> {
  const tree = walkTree(below);
  try {
    let listed = await manifest.next();
    let walked = await tree.next();
    while (!listed.done || !walked.done) {
      const a = listed.done ? null : listed.value;
      const b = walked.done ? null : walked.value;
      const inManifest = a !== null && (b === null || a.entry.path <= b.path);
      const inTree = b !== null && (a === null || b.path <= a.entry.path);
      const entry = inManifest ? a!.entry : null;
      const leaves = entry?.kind === 'f' ? await hashes.take(leavesOf(entry.sizeBytes)) : [];
      yield {
        path: inManifest ? a!.entry.path : b!.path,
        entry,
        walked: inTree ? b : null,
        firstLeaf: a?.firstLeaf ?? 0,
        hashes: leaves,
        parent: inTree ? b!.parent : null,
      };
      if (inManifest) listed = await manifest.next();
      if (inTree) walked = await tree.next();
    }
  } finally {
    await tree.return(undefined);
    await manifest.return(undefined);
  }
}

async function differenceIn(pair: Pair, inodes: Map<RawPath, Promise<bigint>>, targetId: string, parts: StepParts, run: StepRun): Promise<string | null> {
  const { entry, walked } = pair;
  if (entry === null) return 'is there and not in the manifest';
  if (entry.kind === '!') return walked === null ? null : 'is there, and the manifest says it was left out';
  if (walked === null) return 'is missing';
  if (walked.kind === 'unreadable') throw Object.assign(new Error(`${printable(entry.path)} can not be entered`), { code: 'EACCES' });
  const parent = walked.parent.directory;
  switch (entry.kind) {
    case 'd':
      return walked.kind === 'directory' ? null : 'is no directory';
    case 'l':
      if (walked.kind !== 'symlink') return 'is no symbolic link';
      return (await parent.readLink(walked.name)) === entry.to ? null : 'points elsewhere';
    case 'h': {
      if (walked.kind !== 'file') return 'is no file';
      return (await parent.lstat(walked.name)).ino === (await inodes.get(entry.of)) ? null : `is not the same file as ${printable(entry.of)}`;
    }
    case 'f': {
      if (walked.kind !== 'file') return 'is no file';
      if (!entry.isLinked) return fileDifference(entry, pair.hashes, walked, targetId, parts, run);
      const inode = parent.lstat(walked.name).then(
        (stat) => stat.ino,
        () => noInode,
      );
      inodes.set(entry.path, inode);
      const detail = await fileDifference(entry, pair.hashes, walked, targetId, parts, run);
      // Its directory is let go when this answers: a look that is still under way then would find it closed, or another in its place.
      await inode;
      return detail;
    }
  }
}

/** Also false when it could not be told: then the careful way finds out what differs. */
async function isSmallSame(entry: FileEntry, hashes: readonly Buffer[], walked: Walked, targetId: string, parts: StepParts): Promise<boolean> {
  const found = await parts.small.at(targetId).ask({ task: 'digest', directoryFd: walked.parent.directory.fd, name: walked.name });
  if (found === null || found.stat.size !== BigInt(entry.sizeBytes) || found.sha256 !== entry.sha256) return false;
  const leaves = entry.sizeBytes === 0 ? [] : [Buffer.from(found.leaf)];
  return leaves.every((leaf, n) => leaf.equals(hashes[n]!)) && merkleRoot(leaves).toString('hex') === entry.root;
}

async function fileDifference(
  entry: FileEntry,
  hashes: readonly Buffer[],
  walked: Walked,
  targetId: string,
  parts: StepParts,
  run: StepRun,
): Promise<string | null> {
  await parts.faults.before('read', targetId);
  if (entry.sizeBytes <= smallFileBytes && (await isSmallSame(entry, hashes, walked, targetId, parts))) {
    await parts.throttle.take(targetId, entry.sizeBytes, run.signal);
    return null;
  }
  let fd: number;
  try {
    fd = await walked.parent.directory.openForReading(walked.name);
  } catch (thrown) {
    if (['ENOENT', 'ELOOP'].includes(errnoOf(thrown))) return 'is missing';
    throw thrown;
  }
  try {
    const stat = await fstat(fd, { bigint: true });
    if (!stat.isFile()) return 'is no file';
    if (stat.size !== BigInt(entry.sizeBytes)) return `has ${stat.size} bytes instead of ${entry.sizeBytes}`;
    return await parts.budget.within(readingBytes(entry.sizeBytes), async () => {
      const root = new MerkleRoot();
      let leaf = 0;
      for await (const bytes of fileLeaves(fd, entry.sizeBytes, parts.buffers)) {
        if (bytes.length !== leafLength(entry.sizeBytes, leaf)) return `ends within leaf ${leaf}`;
        const hash = leafHash(bytes);
        if (!hash.equals(hashes[leaf]!)) return `differs in leaf ${leaf}`;
        root.add(hash);
        leaf++;
        await parts.throttle.take(targetId, bytes.length, run.signal);
        run.signal.throwIfAborted();
      }
      return root.root().toString('hex') === entry.root ? null : 'has leaves that do not make its root';
    });
  } finally {
    await close(fd);
  }
}

/** The entries, and after the last of them the totals that the manifest's end confirmed. */
function manifestEntries(files: ManifestFiles): { entries: AsyncGenerator<ReadEntry>; totals: () => VersionIdentity } {
  let totals: VersionIdentity | undefined;
  const entries = (async function* () {
    totals = yield* readManifest(files.manifest);
  })();
  return { entries, totals: () => totals! };
}
