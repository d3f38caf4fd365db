import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { id, importTo, OneAgent } from './one-agent.ts';
import { facts, plantTree } from './trees.ts';

let home: string;
let source: string;
beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-mover-'));
  source = path.join(home, 'source');
  fs.mkdirSync(source);
});
afterEach(() => {
  fs.chmodSync(source, 0o755);
  fs.rmSync(home, { recursive: true, force: true });
});

test('an imported directory has a copy that equals it in every path, byte, link and permission, and the source is untouched', async () => {
  plantTree(source);
  const before = facts(source);
  const agent = new OneAgent(path.join(home, 'node-a'), ['fast']);
  const { jobId, replicaId, version } = await importTo(agent, source, 'fast', 'letters');
  expect(agent.events(jobId)).toEqual(['started', 'manifest', 'started', 'copied', 'started', 'verified']);
  expect(facts(agent.path('fast', 'letters', replicaId))).toEqual(before);
  expect(facts(source)).toEqual(before);
  expect(fs.readdirSync(agent.path('fast', '.dim/staging'))).toEqual([]);
  expect(fs.statSync(agent.path('fast', 'letters', replicaId, 'sparse')).blocks * 512).toBeLessThan(20 * 1_024 * 1_024);

  const activated = await agent.carryOut({
    kind: 'activate',
    jobId,
    epoch: 1,
    destination: { targetId: 'fast', datasetId: 'letters', replicaId },
    rev: 1,
    certificate: 'signed',
  });
  expect(activated.event).toBe('activated');
  expect(fs.readlinkSync(agent.path('fast', 'letters', 'current'))).toBe(replicaId);
  const verified = await agent.carryOut({ kind: 'verify', jobId: id(), epoch: 1, target: { targetId: 'fast', datasetId: 'letters', replicaId }, ...version });
  expect(verified).toMatchObject({ event: 'verified', level: 'L2', root: version.root });
  expect(await agent.migrator.inventory()).toMatchObject([
    { targetId: 'fast', replicas: [{ replicaId, datasetId: 'letters', root: version.root, place: 'live' }], unknown: [] },
  ]);
  await agent.stop();
});
