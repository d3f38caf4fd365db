import { Failure } from '@data-in-motion/shared/failure';
import { z } from 'zod';
import { bytesOf, parentOf, pathFault, printable, type RawPath, rawPath } from './raw-path.ts';

/** One path of a version. `!` stands for what is there and was not taken, with the reason. */
export type ManifestEntry = FileEntry | DirectoryEntry | SymlinkEntry | HardLinkEntry | LeftOutEntry;

export interface FileEntry {
  readonly kind: 'f';
  readonly path: RawPath;
  readonly sizeBytes: number;
  /** SHA-256 of the whole file, what `sha256sum` prints. */
  readonly sha256: string;
  /** Merkle root over the file's leaves, hexadecimal. */
  readonly root: string;
  /** Permission bits, without setuid, setgid and sticky. */
  readonly mode: number;
  readonly mtimeNs: bigint;
  /** Other names of the same file may follow as hard links. */
  readonly isLinked: boolean;
}
export interface DirectoryEntry {
  readonly kind: 'd';
  readonly path: RawPath;
  readonly mode: number;
  readonly mtimeNs: bigint;
}
export interface SymlinkEntry {
  readonly kind: 'l';
  readonly path: RawPath;
  /** Kept as it is, never followed. */
  readonly to: RawPath;
}
export interface HardLinkEntry {
  readonly kind: 'h';
  readonly path: RawPath;
  /** The first name of the file, a `f` entry before this one. */
  readonly of: RawPath;
}
export interface LeftOutEntry {
  readonly kind: '!';
  readonly path: RawPath;
  readonly why: string;
}

const encoded = z
  .string()
  .max(5_500)
  .regex(/^[A-Za-z0-9_-]*$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const mode = z.string().regex(/^0[0-7]{3}$/);
const ns = z.string().regex(/^(0|-?[1-9]\d{0,19})$/);
const entryLine = z.discriminatedUnion('t', [
  z.strictObject({
    t: z.literal('f'),
    p: encoded,
    s: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
    h: sha256,
    r: sha256,
    m: mode,
    mt: ns,
    hl: z.literal(1).optional(),
  }),
  z.strictObject({ t: z.literal('d'), p: encoded, m: mode, mt: ns }),
  z.strictObject({ t: z.literal('l'), p: encoded, to: encoded }),
  z.strictObject({ t: z.literal('h'), p: encoded, of: encoded }),
  z.strictObject({ t: z.literal('!'), p: encoded, why: z.string().max(200) }),
]);

/** A file's line in exactly the form of `lineOf`: most lines are files, and this takes a tenth of the schema's time. */
const fileLine =
  /^\{"h":"([0-9a-f]{64})",("hl":1,)?"m":"(0[0-7]{3})","mt":"(0|-?[1-9]\d{0,19})","p":"([A-Za-z0-9_-]{0,5500})","r":"([0-9a-f]{64})","s":(0|[1-9]\d{0,15}),"t":"f"\}$/;

/** The canonical line: keys sorted, no spaces, no line end. The entry's hash is over exactly these characters. */
export function lineOf(entry: ManifestEntry): string {
  const p = encode(entry.path);
  switch (entry.kind) {
    case 'f':
      return JSON.stringify({
        h: entry.sha256,
        ...(entry.isLinked ? { hl: 1 } : {}),
        m: modeText(entry.mode),
        mt: `${entry.mtimeNs}`,
        p,
        r: entry.root,
        s: entry.sizeBytes,
        t: 'f',
      });
    case 'd':
      return JSON.stringify({ m: modeText(entry.mode), mt: `${entry.mtimeNs}`, p, t: 'd' });
    case 'l':
      return JSON.stringify({ p, t: 'l', to: encode(entry.to) });
    case 'h':
      return JSON.stringify({ of: encode(entry.of), p, t: 'h' });
    case '!':
      return JSON.stringify({ p, t: '!', why: entry.why });
  }
}

/** @throws Failure `corrupt` for a line that is not exactly what `lineOf` would have written */
export function parseEntry(line: string): ManifestEntry {
  return parseFile(line) ?? parseAny(line);
}

/** @returns null for whatever is not plainly right: the schema then says what it is */
function parseFile(line: string): FileEntry | null {
  const found = fileLine.exec(line);
  if (found === null) return null;
  const [, sha256, linked, mode, mtimeNs, encodedPath, root, size] = found;
  const path = decode(encodedPath!);
  const sizeBytes = Number(size);
  if (encode(path) !== encodedPath || !Number.isSafeInteger(sizeBytes)) return null;
  const isLinked = linked !== undefined;
  return { kind: 'f', path, sizeBytes, sha256: sha256!, root: root!, mode: Number.parseInt(mode!, 8), mtimeNs: BigInt(mtimeNs!), isLinked };
}

function parseAny(line: string): ManifestEntry {
  const parsed = entryLine.safeParse(jsonOf(line));
  if (!parsed.success) throw manifestFault(`a line that is no entry: ${parsed.error.issues[0]?.message ?? 'unknown form'}`);
  const entry = entryOf(parsed.data);
  if (lineOf(entry) !== line) throw manifestFault('a line that is not canonical');
  return entry;
}

export function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw manifestFault('a line that is no JSON');
  }
}

export function manifestFault(what: string): Failure {
  return new Failure('corrupt', { code: 'manifest.invalid', message: `the manifest has ${what}` });
}

/**
 * What a list of entries must keep, checked one by one, when it is written and whenever it is read: names that stay inside, strict byte order
 * (so nothing twice), a parent directory before its children, hard links only to an earlier file. Memory grows with depth, not with length.
 */
export class EntryRules {
  #last = '' as RawPath;
  /** Directories that may still get children; in byte order their ranges nest, so this is a stack. */
  #open: RawPath[] = [];
  #linked = new Set<RawPath>();

  check(entry: ManifestEntry): void {
    const { path } = entry;
    const fault = pathFault(path);
    if (fault !== null) throw manifestFault(fault);
    if (path <= this.#last) throw manifestFault(`"${printable(path)}" twice or out of order`);
    this.#last = path;
    // Below directory d stand the paths from `d/` to before `d0`: 0 is the byte after the slash.
    for (let top = this.#open.at(-1); top !== undefined && `${top}0` <= path; top = this.#open.at(-1)) this.#open.pop();
    const parent = parentOf(path);
    if (parent !== '' && !this.#open.includes(parent)) throw manifestFault(`"${printable(path)}" below what is no directory`);
    if (entry.kind === 'd') this.#open.push(path);
    if (entry.kind === 'f' && entry.isLinked) this.#linked.add(path);
    if (entry.kind === 'h' && !this.#linked.has(entry.of)) throw manifestFault(`"${printable(path)}" as a hard link to an unknown file`);
    if (entry.kind === 'l' && (entry.to === '' || entry.to.includes('\0'))) throw manifestFault(`"${printable(path)}" as a link to nothing`);
  }
}

function entryOf(line: z.infer<typeof entryLine>): ManifestEntry {
  const path = decode(line.p);
  switch (line.t) {
    case 'f':
      return {
        kind: 'f',
        path,
        sizeBytes: line.s,
        sha256: line.h,
        root: line.r,
        mode: Number.parseInt(line.m, 8),
        mtimeNs: BigInt(line.mt),
        isLinked: line.hl === 1,
      };
    case 'd':
      return { kind: 'd', path, mode: Number.parseInt(line.m, 8), mtimeNs: BigInt(line.mt) };
    case 'l':
      return { kind: 'l', path, to: decode(line.to) };
    case 'h':
      return { kind: 'h', path, of: decode(line.of) };
    case '!':
      return { kind: '!', path, why: line.why };
  }
}

function encode(path: RawPath): string {
  return bytesOf(path).toString('base64url');
}

function decode(text: string): RawPath {
  return rawPath(Buffer.from(text, 'base64url'));
}

function modeText(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}
