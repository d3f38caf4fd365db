import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkCopy } from './check-copy.ts';

const replicaId = '01JD0000000000000000000002';
const sha256 = (...parts: (string | Buffer)[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const p = (name: string): string => Buffer.from(name).toString('base64url');
let root: string;
let tree: string;

/** Three entries: with three leaves the tree is not balanced, so the shape matters. */
const lines = [
  JSON.stringify({ h: sha256('hello').toString('hex'), m: '0644', mt: '0', p: p('a'), r: '0'.repeat(64), s: 5, t: 'f' }),
  JSON.stringify({ m: '0755', mt: '0', p: p('b'), t: 'd' }),
  JSON.stringify({ p: p('c'), t: 'l', to: p('a') }),
];
const [a, b, c] = lines.map((line) => sha256(Buffer.from([2]), line)) as [Buffer, Buffer, Buffer];
const versionRoot = sha256(Buffer.from([1]), sha256(Buffer.from([1]), a, b), c).toString('hex');

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'dim-copy-'));
  tree = path.join(root, 'photos', replicaId);
  mkdirSync(path.join(tree, 'b'), { recursive: true });
  mkdirSync(path.join(root, '.dim/manifests'), { recursive: true });
  writeFileSync(path.join(root, '.dim/manifests', `${replicaId}.jsonl`), ['{"v":1}', ...lines, '{"bytes":5,"end":1}', ''].join('\n'));
  writeFileSync(path.join(tree, 'a'), 'hello');
  symlinkSync('a', path.join(tree, 'c'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const because = async (): Promise<string> => {
  const verdict = await checkCopy(root, 'photos', replicaId, versionRoot);
  return verdict.good ? 'good' : verdict.because;
};

function replace(name: string, make: (place: string) => void): void {
  rmSync(path.join(tree, name), { recursive: true });
  make(path.join(tree, name));
}

test('a copy that is equal to its manifest is good', async () => {
  expect(await checkCopy(root, 'photos', replicaId, versionRoot)).toEqual({ good: true, objects: 2, bytes: 5 });
});

test.each<[string, () => void, string]>([
  ['a turned byte', () => writeFileSync(path.join(tree, 'a'), 'hellO'), 'a: has other bytes'],
  ['a shorter file', () => writeFileSync(path.join(tree, 'a'), 'hell'), 'a: has 4 bytes, not 5'],
  ['a missing file', () => unlinkSync(path.join(tree, 'a')), 'a: is missing'],
  ['another link', () => replace('c', (place) => symlinkSync('b', place)), 'c: is another link'],
  ['a file instead of a directory', () => replace('b', (place) => writeFileSync(place, '')), 'b: is no directory'],
  ['something that nobody copied', () => writeFileSync(path.join(tree, 'b/extra'), ''), 'b/extra is not in its manifest'],
  ['no manifest', () => rmSync(path.join(root, '.dim'), { recursive: true }), 'it has no manifest (ENOENT)'],
  ['a copy that is leaving', () => rmSync(tree, { recursive: true }), 'a: is missing'],
  [
    'a manifest of something else',
    () => writeFileSync(path.join(root, '.dim/manifests', `${replicaId}.jsonl`), ['{"v":1}', lines[0], '{"end":1}', ''].join('\n')),
    'its manifest has another root',
  ],
])('%s is found', async (_, spoil, says) => {
  spoil();
  expect(await because()).toBe(says);
});

test('an empty copy whose directory has left is not there, and nothing is thrown', async () => {
  writeFileSync(path.join(root, '.dim/manifests', `${replicaId}.jsonl`), ['{"v":1}', '{"end":1}', ''].join('\n'));
  rmSync(tree, { recursive: true });
  expect(await checkCopy(root, 'photos', replicaId, sha256(Buffer.from([0])).toString('hex'))).toEqual({
    good: false,
    because: `photos/${replicaId} could not be read (ENOENT)`,
  });
});
