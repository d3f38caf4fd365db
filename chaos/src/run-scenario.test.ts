import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { homeOf } from './run-scenario.ts';
import { runStep, type Stage } from './scenarios/run-step.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'dim-home-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('only the fleet that answers at the address has its processes killed', () => {
  expect(homeOf('http://127.0.0.1:8080', directory)).toBeNull();
  writeFileSync(path.join(directory, 'address'), 'http://127.0.0.1:8080\n');
  expect(homeOf('http://127.0.0.1:8080/', directory)).toBe(directory);
  expect(homeOf('http://127.0.0.1:8081', directory)).toBeNull();
  expect(homeOf('https://fleet.example', directory)).toBeNull();
});

test('a kill on a fleet of another machine is refused and says what to do', async () => {
  const elsewhere = { home: null } as unknown as Stage;
  await expect(runStep({ kill: 'everything' }, elsewhere)).rejects.toMatchObject({ code: 'fleet.elsewhere', hint: expect.stringContaining('DIM_HOME') });
});
