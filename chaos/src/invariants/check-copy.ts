import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

/** Whether a copy on disk is the version that it should be, and if not, the first difference. */
export type CopyVerdict = { readonly good: true; readonly objects: number; readonly bytes: number } | { readonly good: false; readonly because: string };

/**
 * The manifest as it lies beside the copies, read a second time: nothing here is taken from the program that wrote it,
 * so a mistake in the mover's own reading can not hide from this one.
 */
const entry = z.discriminatedUnion('t', [
  z.object({ t: z.literal('f'), p: z.string(), s: z.number(), h: z.string() }),
  z.object({ t: z.literal('d'), p: z.string() }),
  z.object({ t: z.literal('l'), p: z.string(), to: z.string() }),
  z.object({ t: z.literal('h'), p: z.string(), of: z.string() }),
  z.object({ t: z.literal('!'), p: z.string() }),
]);
type Entry = z.infer<typeof entry>;

/** Read every byte of one copy and compare it with its manifest, and the manifest with the root that the fleet knows. A copy that leaves meanwhile is not good. */
export async function checkCopy(targetRoot: string, datasetId: string, replicaId: string, expectedRoot: string): Promise<CopyVerdict> {
  try {
    return await compare(targetRoot, datasetId, replicaId, expectedRoot);
  } catch (error) {
    const { code, path: place } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return { good: false, because: `${place === undefined ? 'a part of it' : path.relative(targetRoot, String(place))} could not be read (${code})` };
  }
}

async function compare(targetRoot: string, datasetId: string, replicaId: string, expectedRoot: string): Promise<CopyVerdict> {
  let lines: string[];
  try {
    lines = (await readFile(path.join(targetRoot, '.dim/manifests', `${replicaId}.jsonl`), 'utf8')).split('\n').slice(1, -2);
  } catch (error) {
    return { good: false, because: `it has no manifest (${(error as NodeJS.ErrnoException).code})` };
  }
  if (rootOf(lines) !== expectedRoot) return { good: false, because: 'its manifest has another root' };
  const entries = lines.map((line) => entry.parse(JSON.parse(line)));
  const top = Buffer.from(path.join(targetRoot, datasetId, replicaId));
  const byPath = new Map(entries.map((one) => [one.p, one]));
  let bytes = 0;
  for (const one of entries) {
    const difference = await differenceOf(top, one, byPath);
    if (difference !== undefined) return { good: false, because: `${Buffer.from(one.p, 'base64url').toString()}: ${difference}` };
    if (one.t === 'f') bytes += one.s;
  }
  const present = await pathsBelow(top, Buffer.alloc(0));
  const wanted = new Set(entries.filter((one) => one.t !== '!').map((one) => one.p));
  const extra = present.find((one) => !wanted.has(one));
  if (extra !== undefined) return { good: false, because: `${Buffer.from(extra, 'base64url').toString()} is not in its manifest` };
  return { good: true, objects: entries.filter((one) => one.t === 'f' || one.t === 'l' || one.t === 'h').length, bytes };
}

async function differenceOf(top: Buffer, one: Entry, byPath: ReadonlyMap<string, Entry>): Promise<string | undefined> {
  if (one.t === '!') return undefined;
  const place = below(top, one.p);
  const status = await lstat(place).catch((error: NodeJS.ErrnoException) => error.code ?? 'unreadable');
  if (typeof status === 'string') return status === 'ENOENT' ? 'is missing' : status;
  if (one.t === 'd') return status.isDirectory() ? undefined : 'is no directory';
  if (one.t === 'l')
    return status.isSymbolicLink() && (await readlink(place, { encoding: 'buffer' })).equals(Buffer.from(one.to, 'base64url')) ? undefined : 'is another link';
  if (!status.isFile()) return 'is no file';
  const content = one.t === 'h' ? byPath.get(one.of) : one;
  if (content?.t !== 'f') return 'is a link to no file';
  if (status.size !== content.s) return `has ${status.size} bytes, not ${content.s}`;
  return (await sha256Of(place)) === content.h ? undefined : 'has other bytes';
}

async function sha256Of(file: Buffer): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** All paths below, as the manifest writes them. */
async function pathsBelow(top: Buffer, relative: Buffer): Promise<string[]> {
  const found: string[] = [];
  const slash = Buffer.from('/');
  for (const child of await readdir(relative.length === 0 ? top : Buffer.concat([top, slash, relative]), { withFileTypes: true, encoding: 'buffer' })) {
    const name = relative.length === 0 ? child.name : Buffer.concat([relative, slash, child.name]);
    found.push(name.toString('base64url'));
    if (child.isDirectory()) found.push(...(await pathsBelow(top, name)));
  }
  return found;
}

function below(top: Buffer, encoded: string): Buffer {
  return Buffer.concat([top, Buffer.from('/'), Buffer.from(encoded, 'base64url')]);
}

/** Merkle root as RFC 6962, 2.1 defines it, over the entries' lines, with our marks for entries and for nodes. */
function rootOf(lines: readonly string[]): string {
  const hashes = lines.map((line) =>
    createHash('sha256')
      .update(Buffer.from([2]))
      .update(line)
      .digest(),
  );
  return (
    hashes.length === 0
      ? createHash('sha256')
          .update(Buffer.from([0]))
          .digest()
      : merkle(hashes)
  ).toString('hex');
}

function merkle(hashes: readonly Buffer[]): Buffer {
  if (hashes.length === 1) return hashes[0]!;
  let half = 1;
  while (half * 2 < hashes.length) half *= 2;
  return createHash('sha256')
    .update(Buffer.from([1]))
    .update(merkle(hashes.slice(0, half)))
    .update(merkle(hashes.slice(half)))
    .digest();
}
