import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BoundedLog } from './bounded-log.ts';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return { ...fs, openSync: vi.fn(fs.openSync), writeSync: vi.fn(fs.writeSync) };
});

const isFull = (): never => {
  throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'dim-log-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a full disk ends nothing: the last lines are still known, and the file goes on when there is room', () => {
  const log = new BoundedLog(path.join(directory, 'x.log'));
  log.write('one\n');
  vi.mocked(writeSync).mockImplementationOnce(isFull);
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
  expect(readdirSync(directory).sort()).toEqual(['x.log', 'x.log.1', 'x.log.2', 'x.log.3']);
});

test('a disk that stays full for long costs none of the older files', () => {
  const file = path.join(directory, 'x.log');
  for (const life of ['first', 'second', 'third']) {
    const log = new BoundedLog(file);
    log.write(life);
    log.close();
  }
  for (let attempt = 0; attempt < 6; attempt++) vi.mocked(openSync).mockImplementationOnce(isFull);
  const log = new BoundedLog(file);
  for (let line = 0; line < 5; line++) log.write('lost\n');
  log.write('there is room again\n');
  log.close();
  expect([file, `${file}.1`, `${file}.2`, `${file}.3`].map((name) => readFileSync(name, 'utf8'))).toEqual([
    'there is room again\n',
    'third',
    'second',
    'first',
  ]);
});

test('the file is of this run from its beginning, also when nothing is said', () => {
  const file = path.join(directory, 'x.log');
  const before = new BoundedLog(file);
  before.write('of the run before');
  before.close();
  new BoundedLog(file).close();
  expect(readFileSync(file, 'utf8')).toBe('');
});
