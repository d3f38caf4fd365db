import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { lockDirectory } from './lock.ts';

let beforeReading: (file: unknown) => void = () => {};
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const readFileSync = (file: string, encoding: 'utf8') => {
    beforeReading(file);
    return fs.readFileSync(file, encoding);
  };
  return { ...fs, readFileSync };
});

const directory = mkdtempSync(path.join(tmpdir(), 'dim-lock-'));
const lock = path.join(directory, 'lock');
afterEach(() => {
  beforeReading = () => {};
  rmSync(directory, { recursive: true, force: true });
});

const ofTheDead = JSON.stringify({ pid: 2 ** 22 + 1, startedAt: '1', bootId: 'of an earlier boot' });

test('a lock that was not written to its end, or is of an earlier boot, tells of a power cut', () => {
  for (const text of ['{"pid', ofTheDead]) {
    lockDirectory(directory).release();
    writeFileSync(lock, text);
    const taken = lockDirectory(directory);
    expect(taken.machineEnded).toBe(true);
    taken.settle();
    taken.release();
  }
});

test('one that its holder takes away while it is looked at does not', () => {
  lockDirectory(directory).release();
  writeFileSync(lock, ofTheDead);
  beforeReading = (file) => {
    if (file === lock) rmSync(lock, { force: true });
  };
  expect(lockDirectory(directory).machineEnded).toBe(false);
});
