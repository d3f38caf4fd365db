import type { DatasetLocation } from '@data-in-motion/shared/api/datasets';
import type { ChaosView } from '@data-in-motion/shared/api/operations';
import type { DatasetId, JobId, NodeId, ReplicaId, VersionId } from '@data-in-motion/shared/domain/ids';
import { and, eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { agentStream, batchSeq, node, replica, switchLog } from '../../src/store/schema.ts';
import type { Interface } from './interface.ts';
import { copies, openWithTwoCopies } from './two-copies.ts';

let api: Interface;
beforeAll(async () => {
  api = await openWithTwoCopies();
});
afterAll(() => api.close());
beforeEach(async () => {
  const { db } = api.store;
  await db.update(replica).set({ state: 'verified' });
  await db.update(node).set({ agentState: 'online' });
  for (const table of [switchLog, agentStream, batchSeq]) await db.delete(table);
});

const setCopy = (name: keyof typeof copies, state: 'corrupt' | 'suspect' | 'retiring') =>
  api.store.db
    .update(replica)
    .set({ state })
    .where(eq(replica.replicaId, copies[name] as ReplicaId));
const setNode = (name: string, agentState: 'late' | 'lost' | 'revoked') =>
  api.store.db
    .update(node)
    .set({ agentState })
    .where(eq(node.nodeId, name as NodeId));

async function holds(name: string): Promise<boolean> {
  api.forgetLook();
  const { invariants } = (await (await api.call('GET', '/v1/chaos', { role: 'viewer' })).json()) as ChaosView;
  return invariants.find((one) => one.name === name)!.holds;
}

async function locate(): Promise<{ status: number; body: DatasetLocation & { code?: string; detail?: string; fix?: string } }> {
  api.forgetLook();
  const answer = await api.call('GET', '/v1/datasets/maps/location', { role: 'viewer' });
  return { status: answer.status, body: (await answer.json()) as DatasetLocation };
}

test('a dataset is readable while one verified copy can be reached, and a doubted copy or one on a silent node is none', async () => {
  expect(await holds('readable')).toBe(true);
  await setCopy('berlin', 'suspect');
  expect(await holds('readable')).toBe(true);
  await setNode('frankfurt', 'lost');
  expect(await holds('readable')).toBe(false);
  await api.store.db.update(node).set({ agentState: 'online' });
  await setCopy('frankfurt', 'retiring');
  expect(await holds('readable')).toBe(true);
});

test('a chain of pointers with a link missing, or two that begin at one place, is broken', async () => {
  const link = (fromRev: number, toRev: number) =>
    api.store.db.insert(switchLog).values({
      jobId: `job-${fromRev}-${toRev}` as JobId,
      datasetId: 'maps' as DatasetId,
      fromRev,
      toRev,
      versionId: 'v' as VersionId,
      replicaId: copies.berlin as ReplicaId,
      certificate: '',
      atMs: 1,
    });
  await link(0, 1);
  await link(1, 2);
  expect(await holds('chain')).toBe(true);
  await link(3, 4);
  expect(await holds('chain')).toBe(false);
  await link(2, 3);
  expect(await holds('chain')).toBe(true);
  await link(4, 6);
  expect(await holds('chain')).toBe(false);
});

test('a stream is whole when old names were deleted from below, and not when one is missing in between', async () => {
  const nodeId = 'berlin' as NodeId;
  await api.store.db.insert(agentStream).values({ nodeId, incarnation: 1, watermark: 9, chain: '', highestSeen: 12 });
  await api.store.db.insert(batchSeq).values([5, 6, 7, 8, 9, 12].map((seq) => ({ nodeId, incarnation: 1, seq, uid: `u${seq}`, chain: '' })));
  expect(await holds('telemetry')).toBe(true);
  await api.store.db.delete(batchSeq).where(and(eq(batchSeq.nodeId, nodeId), eq(batchSeq.seq, 7)));
  expect(await holds('telemetry')).toBe(false);
});

test('a copy that is bad, or on a node that is lost, is not given as the place to read; the good one elsewhere is named', async () => {
  const good = await locate();
  expect(good).toMatchObject({ status: 200, body: { nodeId: 'berlin', path: '/srv/dim/maps/current' } });
  expect(good.body.copies.map((copy) => copy.nodeId).sort()).toEqual(['berlin', 'frankfurt']);
  await setCopy('berlin', 'corrupt');
  const bad = await locate();
  expect(bad).toMatchObject({ status: 409, body: { code: 'dataset.not-ready' } });
  expect(bad.body.detail).toContain('it is corrupt');
  expect(bad.body.fix).toContain('frankfurt:/srv/dim/maps/current');
  await api.store.db.update(replica).set({ state: 'verified' });
  await setNode('berlin', 'lost');
  expect((await locate()).body.detail).toContain('the agent of berlin is lost');
  await setNode('frankfurt', 'revoked');
  expect((await locate()).body.fix).not.toContain('frankfurt');
});
