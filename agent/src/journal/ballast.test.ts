import { existsSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openBallast } from './ballast.ts';

test('a ballast takes real blocks, gives them back once, and is made again, also from a half one', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'dim-ballast-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'ballast');
  const ballast = openBallast(file, 3_000_000);
  expect(ballast.restore()).toBe(true);
  expect(statSync(file).blocks * 512).toBeGreaterThanOrEqual(3_000_000);
  expect(ballast.release()).toBe(true);
  expect(ballast.release()).toBe(false);
  expect(existsSync(file)).toBe(false);
  ballast.restore();
  truncateSync(file, 1_000);
  ballast.restore();
  expect(statSync(file).size).toBe(3_000_000);
});

test('a disk without room for twice its size gets no ballast', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'dim-ballast-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  expect(openBallast(path.join(directory, 'ballast'), 2 ** 50).restore()).toBe(false);
});
