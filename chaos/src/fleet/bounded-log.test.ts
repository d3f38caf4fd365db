import { mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BoundedLog } from './bounded-log.ts';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return { ...fs, writeSync: vi.fn(fs.writeSync) };
});

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'dim-log-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a full disk ends nothing: the last lines are still known, and the file goes on when there is room', () => {
  const log = new BoundedLog(path.join(directory, 'x.log'));
  log.write('one\n');
  vi.mocked(writeSync).mockImplementationOnce(() => {
    throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  });
  log.write('two\n');
  log.write('three\n');
  expect(log.tail()).toEqual(['one', 'two', 'three']);
  expect(readFileSync(path.join(directory, 'x.log'), 'utf8')).toBe('one\nthree\n');
  log.close();
});

test('what was written before stays beside it, and all of it is bounded', () => {
  const file = path.join(directory, 'x.log');
  for (const life of ['first', 'second', 'third', 'fourth', 'fifth']) {
    const log = new BoundedLog(file);
    log.write(life);
    log.close();
  }
  expect([file, `${file}.1`, `${file}.3`].map((name) => readFileSync(name, 'utf8'))).toEqual(['fifth', 'fourth', 'second']);
});
