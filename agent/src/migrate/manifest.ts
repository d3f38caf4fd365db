import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { Failure } from '@data-in-motion/shared/failure';
import { z } from 'zod';
import { AppendFile } from './append-file.ts';
import { syncDirectoryAt } from './directory.ts';
import { readFully } from './leaf-file.ts';
import { entryHash, hashBytes, leafBytes, leavesOf, MerkleRoot, merkleRoot } from './leaves.ts';
import { EntryRules, type FileEntry, jsonOf, lineOf, type ManifestEntry, manifestFault, parseEntry } from './manifest-entry.ts';

/** A version's list of paths and, beside it, the hashes of all leaves: 32 bytes each, in the list's order. */
export interface ManifestFiles {
  readonly manifest: string;
  readonly leaves: string;
}

export interface ManifestTotals {
  /** Merkle root over the entries, hexadecimal: what identifies a version. */
  readonly root: string;
  /** Files, hard links and symbolic links; not directories, not what was left out. */
  readonly objects: number;
  readonly bytes: number;
  /** Entries `!`: there, and not taken. */
  readonly leftOut: number;
}

const header = z.strictObject({
  algo: z.literal('sha256'),
  created: z.iso.datetime(),
  dataset: z.string().max(63),
  layout: z.literal('mirror'),
  leaf: z.literal(leafBytes),
  v: z.literal(1),
  xattrs: z.literal('not-captured'),
});
const end = z.strictObject({
  bytes: z.number().int().min(0),
  end: z.literal(1),
  leftOut: z.number().int().min(0),
  objects: z.number().int().min(0),
  root: z.string().regex(/^[0-9a-f]{64}$/),
});
/** Two paths of 4,096 bytes in base 64 and the rest of an entry; more in one line is hostile. */
const longestLine = 16_384;

/** Entries must come in byte order of their paths, each file with the hashes of its leaves. The files appear whole, or not at all. */
export class ManifestWriter {
  readonly #files: ManifestFiles;
  readonly #lines: AppendFile;
  readonly #hashes: AppendFile;
  readonly #rules = new EntryRules();
  readonly #counted = new Totals();

  private constructor(files: ManifestFiles, lines: AppendFile, hashes: AppendFile) {
    this.#files = files;
    this.#lines = lines;
    this.#hashes = hashes;
  }

  static async create(files: ManifestFiles, dataset: string, createdAtMs: number): Promise<ManifestWriter> {
    const writer = new ManifestWriter(files, await AppendFile.create(`${files.manifest}.new`), await AppendFile.create(`${files.leaves}.new`));
    const created = new Date(createdAtMs).toISOString();
    await writer.#lines.add(`${JSON.stringify({ algo: 'sha256', created, dataset, layout: 'mirror', leaf: leafBytes, v: 1, xattrs: 'not-captured' })}\n`);
    return writer;
  }

  async add(entry: ManifestEntry, leafHashes: readonly Buffer[]): Promise<void> {
    this.#rules.check(entry);
    const line = lineOf(entry);
    this.#counted.add(entry, line);
    await this.#lines.add(`${line}\n`);
    for (const hash of leafHashes) await this.#hashes.add(hash);
  }

  async finish(): Promise<ManifestTotals> {
    const totals = this.#counted.totals();
    await this.#lines.add(`${endLine(totals)}\n`);
    await this.#hashes.finish();
    await this.#lines.finish();
    await appear(this.#files);
    return totals;
  }

  async discard(): Promise<void> {
    await this.#lines.discard();
    await this.#hashes.discard();
  }
}

/** Give the finished pair of `.new` files their names. The manifest comes last: where it is, its leaves are. */
export async function appear(files: ManifestFiles): Promise<void> {
  await rename(`${files.leaves}.new`, files.leaves);
  await rename(`${files.manifest}.new`, files.manifest);
  await syncDirectoryAt(files.manifest.slice(0, files.manifest.lastIndexOf('/')));
}

/** What the reader yields: an entry and, for a file, the number of its first leaf in the whole manifest. */
export interface ReadEntry {
  readonly entry: ManifestEntry;
  readonly firstLeaf: number;
  /** Where its line begins in the file. */
  readonly offset: number;
}

/**
 * Yield the entries in order; the list is hostile until its end is reached, where counts and root must be what the entries say.
 * @throws Failure `corrupt` (`manifest.invalid`), or the system's error when there is no file
 */
export async function* readManifest(file: string): AsyncGenerator<ReadEntry, ManifestTotals & { dataset: string; leaves: number }> {
  const lines = readLines(file, 0);
  const first = await lines.next();
  const head = header.safeParse(first.done ? null : jsonOf(first.value.line));
  if (!head.success) throw manifestFault('no header of a kind that is known here');
  const rules = new EntryRules();
  const counted = new Totals();
  let leaves = 0;
  for await (const { line, offset } of lines) {
    if (line.startsWith('{"bytes":')) {
      const totals = counted.totals();
      if (line !== endLine(totals)) throw manifestFault('an end that does not fit its entries');
      if (!(await lines.next()).done) throw manifestFault('something after its end');
      return { ...totals, dataset: head.data.dataset, leaves };
    }
    const entry = parseEntry(line);
    rules.check(entry);
    counted.add(entry, line);
    yield { entry, firstLeaf: leaves, offset };
    if (entry.kind === 'f') leaves += leavesOf(entry.sizeBytes);
  }
  throw manifestFault('no end');
}

/** Entries from the middle of a list that was checked before, for who knows where a line begins. */
export async function* readEntriesFrom(file: string, at: { offset: number; firstLeaf: number }): AsyncGenerator<ReadEntry> {
  let leaves = at.firstLeaf;
  for await (const { line, offset } of readLines(file, at.offset)) {
    if (line.startsWith('{"bytes":')) return;
    const entry = parseEntry(line);
    yield { entry, firstLeaf: leaves, offset };
    if (entry.kind === 'f') leaves += leavesOf(entry.sizeBytes);
  }
}

/** Read a manifest and its leaves from end to end: every file's root must follow from the hashes beside it. */
export async function checkManifest(files: ManifestFiles): Promise<ManifestTotals & { dataset: string; leaves: number }> {
  const hashes = new HashReader(files.leaves);
  const entries = readManifest(files.manifest);
  try {
    let next = await entries.next();
    for (; !next.done; next = await entries.next()) {
      const { entry } = next.value;
      if (entry.kind === 'f') fileRootFits(entry, await hashes.take(leavesOf(entry.sizeBytes)));
    }
    if ((await stat(files.leaves)).size !== next.value.leaves * hashBytes) throw manifestFault('more leaves beside it than in it');
    return next.value;
  } finally {
    await hashes.close();
    await entries.return(undefined as never);
  }
}

/** What the last line states, without reading the rest: for an inventory or a figure, not for trust. Null when there is none. */
export async function statedTotals(file: string): Promise<ManifestTotals | null> {
  try {
    const { size } = await stat(file);
    let tail = '';
    for await (const chunk of createReadStream(file, { start: Math.max(0, size - 400), encoding: 'latin1' })) tail += chunk;
    const parsed = end.safeParse(JSON.parse(tail.trimEnd().split('\n').at(-1) ?? ''));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** The dataset that the first line states; null when there is none. */
export async function statedDataset(file: string): Promise<string | null> {
  const lines = readLines(file, 0);
  try {
    const first = await lines.next();
    const parsed = header.safeParse(first.done ? null : jsonOf(first.value.line));
    return parsed.success ? parsed.data.dataset : null;
  } catch {
    return null;
  } finally {
    await lines.return(undefined);
  }
}

/** The hashes beside a manifest, in its order. */
export class HashReader {
  readonly #file: string;
  #handle: FileHandle | null = null;
  #position: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(file: string, fromLeaf = 0) {
    this.#file = file;
    this.#position = fromLeaf * hashBytes;
  }

  /** The next `count` hashes. */
  async take(count: number): Promise<Buffer[]> {
    const taken: Buffer[] = [];
    while (taken.length < count) {
      if (this.#rest.length < hashBytes) await this.#readMore();
      taken.push(this.#rest.subarray(0, hashBytes));
      this.#rest = this.#rest.subarray(hashBytes);
    }
    return taken;
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
  }

  async #readMore(): Promise<void> {
    this.#handle ??= await open(this.#file, 'r');
    const buffer = Buffer.allocUnsafeSlow(hashBytes * 2_048);
    const got = await readFully(this.#handle.fd, buffer, this.#position);
    if (got < hashBytes) throw manifestFault('fewer leaves beside it than in it');
    this.#position += got - (got % hashBytes);
    this.#rest = buffer.subarray(0, got - (got % hashBytes));
  }
}

/** @throws Failure `corrupt` when a file's root does not follow from the leaves' hashes */
function fileRootFits(entry: FileEntry, hashes: readonly Buffer[]): void {
  if (merkleRoot(hashes).toString('hex') !== entry.root) throw manifestFault('a file whose root does not follow from its leaves');
}

class Totals {
  readonly #tree = new MerkleRoot();
  #objects = 0;
  #bytes = 0;
  #leftOut = 0;

  add(entry: ManifestEntry, line: string): void {
    this.#tree.add(entryHash(line));
    if (entry.kind === '!') this.#leftOut++;
    else if (entry.kind !== 'd') this.#objects++;
    if (entry.kind === 'f') this.#bytes += entry.sizeBytes;
  }

  totals(): ManifestTotals {
    return { root: this.#tree.root().toString('hex'), objects: this.#objects, bytes: this.#bytes, leftOut: this.#leftOut };
  }
}

function endLine(totals: ManifestTotals): string {
  return JSON.stringify({ bytes: totals.bytes, end: 1, leftOut: totals.leftOut, objects: totals.objects, root: totals.root });
}

async function* readLines(file: string, start: number): AsyncGenerator<{ line: string; offset: number }> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = start;
  for await (const chunk of createReadStream(file, { start, highWaterMark: 256 * 1_024 }) as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let to = rest.indexOf(10); to >= 0; to = rest.indexOf(10, from)) {
      if (to - from > longestLine) throw manifestFault('a line longer than any entry');
      yield { line: rest.toString('utf8', from, to), offset: offset + from };
      from = to + 1;
    }
    rest = rest.subarray(from);
    offset += from;
    if (rest.length > longestLine) throw manifestFault('a line longer than any entry');
  }
  if (rest.length > 0) throw manifestFault('a last line without an end');
}

/** @throws Failure `corrupt` when a manifest is not the one that was asked for */
export function assertSameVersion(found: Pick<ManifestTotals, 'root' | 'objects' | 'bytes'>, wanted: { root: string; objects: number; bytes: number }): void {
  if (found.root === wanted.root && found.objects === wanted.objects && found.bytes === wanted.bytes) return;
  throw new Failure('corrupt', {
    code: 'manifest.other-version',
    message: `the manifest is of another version: root ${found.root}, ${found.objects} objects, ${found.bytes} bytes; wanted ${wanted.root}, ${wanted.objects}, ${wanted.bytes}`,
  });
}
