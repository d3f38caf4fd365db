import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { leafHash, merkleRoot } from './leaves.ts';
import { checkManifest, ManifestWriter, readManifest, statedDataset, statedTotals } from './manifest.ts';
import { EntryRules, lineOf, type ManifestEntry, parseEntry } from './manifest-entry.ts';
import { pathFault, printable, type RawPath, rawPath } from './raw-path.ts';

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-manifest-'));
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));
const files = { manifest: path.join(home, 'm.jsonl'), leaves: path.join(home, 'm.leaves') };

const name = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => rawPath(Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x2d : byte)))))
  .filter((raw) => raw !== '.' && raw !== '..');
const bytes = fc.uint8Array({ maxLength: 40 });
const content = fc.oneof(
  fc.record({ kind: fc.constant('f' as const), bytes, mode: fc.integer({ min: 0, max: 0o777 }), mtimeNs: fc.bigInt({ min: 0n, max: 2n ** 62n }) }),
  fc.record({ kind: fc.constant('l' as const), to: name }),
  fc.record({ kind: fc.constant('!' as const), why: fc.string({ maxLength: 50 }) }),
);
/** A tree as a manifest wants it: directories before what is in them, all in byte order. */
const tree = fc.array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 4 }), content), { maxLength: 25 }).map((drawn) => {
  const entries = new Map<string, { entry: ManifestEntry; leaves: Buffer[] }>();
  for (const [names, leaf] of drawn) {
    const parents = names.slice(0, -1).map((_, i) => names.slice(0, i + 1).join('/') as RawPath);
    const at = names.join('/') as RawPath;
    if (entries.has(at) || parents.some((parent) => (entries.get(parent)?.entry.kind ?? 'd') !== 'd')) continue;
    for (const parent of parents) entries.set(parent, { entry: { kind: 'd', path: parent, mode: 0o755, mtimeNs: 5n }, leaves: [] });
    if (leaf.kind === 'f') {
      const leaves = leaf.bytes.length === 0 ? [] : [leafHash(leaf.bytes)];
      const root = merkleRoot(leaves).toString('hex');
      entries.set(at, {
        entry: { kind: 'f', path: at, sizeBytes: leaf.bytes.length, sha256: root, root, mode: leaf.mode, mtimeNs: leaf.mtimeNs, isLinked: false },
        leaves,
      });
    } else entries.set(at, { entry: { ...leaf, path: at }, leaves: [] });
  }
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
});

async function write(entries: readonly { entry: ManifestEntry; leaves: Buffer[] }[]) {
  const writer = await ManifestWriter.create(files, 'letters', 0);
  for (const { entry, leaves } of entries) await writer.add(entry, leaves);
  return writer.finish();
}

async function readAll(): Promise<ManifestEntry[]> {
  const found: ManifestEntry[] = [];
  for await (const { entry } of readManifest(files.manifest)) found.push(entry);
  return found;
}

test('what is written is read again, entry by entry, with the same root', async () => {
  await fc.assert(
    fc.asyncProperty(tree, async (entries) => {
      const totals = await write(entries);
      expect(await readAll()).toEqual(entries.map(({ entry }) => entry));
      expect(await checkManifest(files)).toMatchObject({ ...totals, dataset: 'letters' });
      expect(await statedTotals(files.manifest)).toMatchObject(totals);
      expect(await statedDataset(files.manifest)).toBe('letters');
    }),
    { numRuns: 60 },
  );
});

test('a manifest with one byte changed, cut or added is refused, or says the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      tree,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      fc.constantFrom('flip', 'cut', 'insert', 'swap lines'),
      async (entries, at, mask, how) => {
        const totals = await write(entries);
        const whole = fs.readFileSync(files.manifest);
        const n = at % whole.length;
        let hostile = Buffer.from(whole);
        if (how === 'flip') hostile[n]! ^= mask;
        if (how === 'cut') hostile = whole.subarray(0, n);
        if (how === 'insert') hostile = Buffer.concat([whole.subarray(0, n), Buffer.from([mask]), whole.subarray(n)]);
        if (how === 'swap lines') hostile = Buffer.from(whole.toString('latin1').split('\n').reverse().join('\n'), 'latin1');
        fs.writeFileSync(files.manifest, hostile);
        const outcome = await checkManifest(files).then(
          (read) => read.root,
          (thrown: { code?: string }) => thrown.code,
        );
        // Only the header is outside the root.
        expect(['manifest.invalid', totals.root]).toContain(outcome);
      },
    ),
    { numRuns: 150 },
  );
});

test('any line is an entry in canonical form or is refused', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc
          .dictionary(fc.constantFrom('p', 't', 's', 'h', 'r', 'm', 'mt', 'to', 'of', 'why', '__proto__'), fc.jsonValue())
          .map((value) => JSON.stringify(value)),
      ),
      (line) => {
        try {
          expect(lineOf(parseEntry(line))).toBe(line);
        } catch (thrown) {
          expect((thrown as { code: string }).code).toBe('manifest.invalid');
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

test('no path out of any bytes passes and leads outside', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('..', '.', '', 'a', '/', '\0', '\xff', 'b'.repeat(256), 'c'), { maxLength: 6 }), (parts) => {
      const raw = parts.join('/') as RawPath;
      if (pathFault(raw) !== null) return;
      expect(path.posix.relative('/root', path.posix.join('/root', raw)).startsWith('..')).toBe(false);
      expect(path.posix.normalize(raw)).toBe(raw);
      expect(raw.includes('\0')).toBe(false);
    }),
  );
});

const file = (at: string, isLinked = false): ManifestEntry => ({
  kind: 'f',
  path: at as RawPath,
  sizeBytes: 0,
  sha256: 'a'.repeat(64),
  root: 'a'.repeat(64),
  mode: 0o644,
  mtimeNs: 0n,
  isLinked,
});
const directory = (at: string): ManifestEntry => ({ kind: 'd', path: at as RawPath, mode: 0o755, mtimeNs: 0n });
test.each([
  ['a path that climbs out', [file('../x')]],
  ['a climb in the middle', [directory('a'), file('a/../../x')]],
  ['an absolute path', [file('/etc/passwd')]],
  ['a trailing slash', [file('a/')]],
  ['a zero byte', [file('a\0b')]],
  ['an empty path', [file('')]],
  ['the same path twice', [file('a'), file('a')]],
  ['the wrong order', [file('b'), file('a')]],
  ['a file in no directory', [file('a/b')]],
  ['a file below a file', [file('a'), file('a/b')]],
  ['a file below a link', [{ kind: 'l', path: 'a' as RawPath, to: '/etc' as RawPath }, file('a/b')]],
  ['a file below what was left out', [{ kind: '!', path: 'a' as RawPath, why: 'pipe' }, file('a/b')]],
  ['a hard link to an unknown file', [file('a'), { kind: 'h', path: 'b' as RawPath, of: 'z' as RawPath }]],
  ['a hard link to a file that has one name', [file('a'), { kind: 'h', path: 'b' as RawPath, of: 'a' as RawPath }]],
  ['a hard link to a directory', [directory('a'), { kind: 'h', path: 'b' as RawPath, of: 'a' as RawPath }]],
  ['a hard link to itself', [{ kind: 'h', path: 'b' as RawPath, of: 'b' as RawPath }]],
  ['a name of 256 bytes', [file('n'.repeat(256))]],
] as [string, ManifestEntry[]][])('a list with %s is refused', (_, entries) => {
  const rules = new EntryRules();
  expect(() => {
    for (const entry of entries) rules.check(entry);
  }).toThrow(/the manifest has/);
});

test('children may come after siblings that sort between a directory and its content', () => {
  const rules = new EntryRules();
  for (const entry of [
    directory('a'),
    directory('a-b'),
    file('a-b/x'),
    file('a.c'),
    file('a/x'),
    file('a/y', true),
    file('a0'),
    { kind: 'h' as const, path: 'b' as RawPath, of: 'a/y' as RawPath },
  ])
    rules.check(entry);
});

test('a path is shown as text, and what is no text as its bytes', () => {
  expect(printable(rawPath(Buffer.from('grüße/\u001b[31m')))).toBe('grüße/\\x1b[31m');
  expect(printable(rawPath(Buffer.from([0x61, 0xff])))).toBe('a\\xff');
});
