import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Directory } from '../../src/migrate/directory.ts';
import { isPlaced, openTarget } from '../../src/migrate/target-layout.ts';
import { targetAt } from './one-agent.ts';

let home: string;
beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-layout-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(home, { recursive: true, force: true });
});

test('a target is known only once its layout is on stable storage', async () => {
  const done: string[] = [];
  vi.spyOn(Directory.prototype, 'sync').mockImplementation(async function (this: Directory) {
    done.push(path.relative(home, fs.readlinkSync(`/proc/self/fd/${this.fd}`)));
  });
  const known = { isTargetKnown: () => false, noteTarget: (targetId: string) => void done.push(`known: ${targetId}`) };
  await (await openTarget(targetAt(path.join(home, 'one')), known)).close();
  expect(done).toEqual(['one/.dim', 'one', 'known: one']);
});

test('a copy is in its place under its own name, and nowhere without a directory of its dataset', async () => {
  fs.mkdirSync(path.join(home, 'letters/copy'), { recursive: true });
  const root = await Directory.open(home);
  const at = (datasetId: string, replicaId: string): Promise<boolean> => isPlaced(root, { datasetId, replicaId });
  expect([await at('letters', 'copy'), await at('letters', 'other'), await at('photos', 'copy')]).toEqual([true, false, false]);
  await root.close();
});
