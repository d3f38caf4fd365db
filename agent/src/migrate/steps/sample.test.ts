import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeSample, planSample } from './sample.ts';

let home: string;
beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-sample-'));
});
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));
const never = new AbortController().signal;
const bytesBelow = (root: string): number =>
  fs
    .readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => fs.statSync(path.join(root, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);

test('a sample has exactly the bytes that were asked for, in nested files of many sizes', async () => {
  const tree = await makeSample(home, 'job', { bytes: 3_000_001, seed: 4 }, never);
  expect(bytesBelow(tree)).toBe(3_000_001);
  const sizes = planSample(3_000_001, 4).map((file) => file.sizeBytes);
  expect(sizes.length).toBeGreaterThan(10);
  expect(Math.max(...sizes)).toBeGreaterThan(100 * Math.min(...sizes));
});

test('the same seed makes the same sample, another seed another', () => {
  expect(planSample(1_000_000, 7)).toEqual(planSample(1_000_000, 7));
  expect(planSample(1_000_000, 7)).not.toEqual(planSample(1_000_000, 8));
  expect(planSample(0, 7)).toEqual([]);
});

test('when one file can not be written there is no sample, and it can be made later', async () => {
  const inTheWay = path.join(home, 'samples', 'job');
  fs.mkdirSync(inTheWay, { recursive: true });
  // A tree that stops in the middle, as when the disk is full: abort stands for any failure between two files.
  const stopping = new AbortController();
  const making = makeSample(home, 'job', { bytes: 50_000_000, seed: 1 }, stopping.signal);
  await new Promise((resolve) => setImmediate(resolve));
  stopping.abort();
  await expect(making).rejects.toThrow();
  expect(fs.readdirSync(inTheWay)).toEqual([]);
  expect(bytesBelow(await makeSample(home, 'job', { bytes: 1_000, seed: 1 }, never))).toBe(1_000);
});

test('a sample that does not fit is refused before anything is written', async () => {
  await expect(makeSample(home, 'job', { bytes: 2 ** 50, seed: 1 }, never)).rejects.toMatchObject({ kind: 'exhausted', code: 'state.no-space' });
});
