import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, lstatSync, mkdirSync, readlinkSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { datasetLocation } from '@data-in-motion/shared/api/datasets';
import { afterAll, beforeAll, expect } from 'vitest';
import { add, detailOf, dim, expectPromises, untilMet, untilQuiet } from './asking.ts';
import { readTree, treeDifferences } from './read-tree.ts';
import { closeStages, openStage, type Stage, startMs, test } from './stage.ts';

/** A tree of thousands of real files, and everything that makes file trees hard. */

let stage: Stage;
let source: string;
beforeAll(async () => {
  stage = await openStage('tree');
  source = path.join(stage.scratch, 'library');
  makeLibrary(source);
}, startMs);
afterAll(closeStages, startMs);

test('a directory of thousands of real files gets two verified copies at two sites that are equal by find and sha256sum, and stays untouched', {
  timeout: 240_000,
}, async () => {
  const before = await readTree(source);
  expect(before.size).toBeGreaterThan(3_000);
  await add(stage, 'library', { nodeId: 'berlin', path: source }, { copies: 2, spread: 'site' });
  const { dataset, replicas } = await untilMet(stage, 'library', 180);
  // A copy counts a moment before its `current` link stands.
  await untilQuiet(stage);

  const verified = replicas.filter((one) => one.state === 'verified');
  expect(verified).toHaveLength(2);
  expect(new Set(verified.map((one) => one.siteId)).size).toBe(2);
  const location = await stage.fleet.api.call('locateDataset', datasetLocation, { path: { datasetId: 'library' } });
  for (const replica of verified) {
    const directory = path.join(stage.fleet.targetRoot(replica.targetId), 'library', replica.replicaId);
    expect(treeDifferences(before, await readTree(directory)), `on ${replica.targetId}`).toEqual([]);
  }
  expect(treeDifferences(before, await readTree(source)), 'the source').toEqual([]);
  expect(dataset.objects).toBeGreaterThan(3_000);

  const current = path.join(stage.fleet.targetRoot(location.targetId), 'library', 'current');
  expect(lstatSync(current).isSymbolicLink()).toBe(true);
  expect(readlinkSync(current)).toBe(location.replicaId);
  expect(location.copies.map((copy) => copy.targetId).sort()).toEqual(verified.map((one) => one.targetId).sort());
  for (const copy of location.copies) expect(existsSync(copy.path), copy.path).toBe(true);
  await expectPromises(stage, ['one-good-copy', 'verified-is-equal', 'policy-met', 'pointer-chain', 'no-effect-twice', 'nothing-left-behind']);
});

test('hard links stay one file, a pipe is left out and told, links are not followed', async () => {
  const { replicas } = await detailOf(stage, 'library');
  for (const { targetId, replicaId } of replicas.filter((one) => one.state === 'verified')) {
    const copy = path.join(stage.fleet.targetRoot(targetId), 'library', replicaId);
    expect(lstatSync(path.join(copy, 'hard/one')).ino).toBe(lstatSync(path.join(copy, 'hard/two')).ino);
    expect(existsSync(path.join(copy, 'pipe'))).toBe(false);
    expect(readlinkSync(path.join(copy, 'links/dangling'))).toBe('nowhere/at all');
  }
});

test('dim tells where it is, and its path leads to the bytes', async () => {
  const { code, stdout } = await dim(stage, 'datasets', 'locate', 'library', '--json');
  expect(code).toBe(0);
  const location = datasetLocation.parse(JSON.parse(stdout));
  expect(location.path.endsWith('/library/current')).toBe(true);
  expect(treeDifferences(await readTree(source), await readTree(`${location.path}/`))).toEqual([]);
});

function makeLibrary(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const copies = ['/usr/share/doc', path.resolve(import.meta.dirname, '../../../node_modules/drizzle-orm')].filter((place) => existsSync(place));
  // The system's documentation is as large as the system: some packages are enough.
  for (const place of copies)
    execFileSync('sh', [
      '-c',
      'mkdir -p "$2" && cd "$1" && ls | head -n 250 | tar -cf - -T - | tar -xf - --no-same-owner -C "$2"',
      'sh',
      place,
      path.join(directory, path.basename(place)),
    ]);
  mkdirSync(path.join(directory, 'hard'));
  writeFileSync(path.join(directory, 'hard/one'), 'one file, two names');
  linkSync(path.join(directory, 'hard/one'), path.join(directory, 'hard/two'));
  mkdirSync(path.join(directory, 'links'));
  symlinkSync('nowhere/at all', path.join(directory, 'links/dangling'));
  symlinkSync('/etc/hostname', path.join(directory, 'links/absolute'));
  symlinkSync('..', path.join(directory, 'links/up'));
  mkdirSync(path.join(directory, 'empty directory'));
  mkdirSync(path.join(directory, 'names'));
  const names = [
    'with space',
    ' leading',
    'trailing ',
    'quote\'"`',
    'new\nline',
    'tab\there',
    'Grüße',
    'naïve e\u0301',
    '日本語',
    'العربية',
    '🐟',
    '-rf',
    '*',
    '.hidden',
    'x'.repeat(255),
  ];
  for (const name of names) writeFileSync(path.join(directory, 'names', name), `content of ${name}`);
  const notUtf8 = Buffer.concat([Buffer.from(`${directory}/names/`), Buffer.from([0x66, 0xff, 0xfe, 0x6f])]);
  writeFileSync(notUtf8, 'a name that is no text');
  writeFileSync(path.join(directory, 'empty'), '');
  writeFileSync(path.join(directory, 'large'), Buffer.alloc(9_000_001, 'a large file that ends inside a leaf'));
  writeFileSync(path.join(directory, 'secret'), 'only for its owner', { mode: 0o600 });
  writeFileSync(path.join(directory, 'program'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(path.join(directory, 'old'), 'older than this project');
  utimesSync(path.join(directory, 'old'), 86_400, 86_400);
  execFileSync('mkfifo', [path.join(directory, 'pipe')]);
}
