import type { DatasetId, JobId, NodeId, ReplicaId, SiteId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import type { FaultDocument } from '@data-in-motion/shared/protocol/messages';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { dataset, datasetVersion, experiment, node, pointer, replica, target } from '../../src/store/schema.ts';
import { type Interface, openInterface } from './interface.ts';

const copies = { berlin: '01JD0000000000000000000001', frankfurt: '01JD0000000000000000000002' } as const;
let api: Interface;

beforeAll(async () => {
  api = await openInterface();
  await addTwoCopies();
});
beforeEach(async () => {
  await api.store.db.delete(experiment);
  await api.store.db.update(replica).set({ state: 'verified' });
});
afterAll(() => api.close());

async function arm(body: object): Promise<{ status: number; code?: string; experimentId: string }> {
  const answer = await api.call('POST', '/v1/chaos/experiments', { role: 'admin', body });
  return { ...((await answer.json()) as { code?: string; experimentId: string }), status: answer.status };
}

test('one of two verified copies may be disturbed, the other then not, by any fault that reaches it', async () => {
  expect((await arm({ kind: 'target-errors', subject: 'berlin-disk' })).status).toBe(201);
  for (const other of [
    { kind: 'target-full', subject: 'frankfurt-disk' },
    { kind: 'flip-byte', subject: copies.frankfurt },
    { kind: 'link-cut', subject: 'frankfurt' },
    { kind: 'kill-agent', subject: 'frankfurt' },
  ])
    expect(await arm(other), other.kind).toMatchObject({ status: 409, code: 'chaos.last-copy' });
  expect((await arm({ kind: 'link-delay', subject: 'frankfurt' })).status).toBe(201);
});

test('a copy that is doubted does not count as the one that is left', async () => {
  await api.store.db
    .update(replica)
    .set({ state: 'corrupt' })
    .where(eq(replica.replicaId, copies.frankfurt as ReplicaId));
  expect(await arm({ kind: 'flip-byte', subject: copies.berlin })).toMatchObject({ status: 409, code: 'chaos.last-copy' });
  expect((await arm({ kind: 'flip-byte', subject: copies.frankfurt })).status).toBe(201);
});

test('of two that are asked for at the same moment one is refused', async () => {
  const both = await Promise.all(Object.values(copies).map((subject) => arm({ kind: 'flip-byte', subject })));
  expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
});

test('a fault that is over stands in nobody’s way, a byte that nobody has turned back does', async () => {
  const { experimentId } = await arm({ kind: 'target-latency', subject: 'berlin-disk' });
  await ends(experimentId, 'undone');
  const flipped = await arm({ kind: 'flip-byte', subject: copies.frankfurt });
  expect(flipped.status).toBe(201);
  await ends(flipped.experimentId, 'expired');
  expect(await arm({ kind: 'flip-byte', subject: copies.berlin })).toMatchObject({ status: 409 });
  await ends(flipped.experimentId, 'undone');
  expect((await arm({ kind: 'flip-byte', subject: copies.berlin })).status).toBe(201);
});

test('what is not given takes its usual value, and the agent is told it', async () => {
  await arm({ kind: 'target-errors', subject: 'berlin-disk', parameters: { probability: 0.5 } });
  expect(api.faults.slice(-1)).toMatchObject([
    { kind: 'target-errors', subject: 'berlin-disk', parameters: { probability: 0.5, errno: 'EIO' } } satisfies Partial<FaultDocument>,
  ]);
  expect(await arm({ kind: 'flip-byte', subject: copies.frankfurt, parameters: { replicaId: copies.berlin } })).toMatchObject({
    status: 422,
    code: 'chaos.invalid',
  });
});

function ends(experimentId: string, state: 'undone' | 'expired'): Promise<unknown> {
  return api.store.db.update(experiment).set({ state }).where(eq(experiment.experimentId, experimentId));
}

/** A dataset with a verified copy in Berlin, which is primary, and one in Frankfurt. */
async function addTwoCopies(): Promise<void> {
  const { db } = api.store;
  const nowMs = await api.store.nowMs();
  const datasetId = 'maps' as DatasetId;
  const versionId = '01JD0000000000000000000000' as VersionId;
  const jobId = '01JD0000000000000000000009' as JobId;
  const heard = { agentState: 'online' as const, incarnation: 1, importRoots: [], faultsAllowed: true, lastHeardAtMs: nowMs };
  await db.insert(node).values({ nodeId: 'frankfurt' as NodeId, siteId: 'frankfurt' as SiteId, ...heard });
  const [nvme] = await db.select().from(target);
  for (const name of ['berlin', 'frankfurt'] as const) {
    const targetId = `${name}-disk` as TargetId;
    await db.insert(target).values({ ...nvme!, nodeId: name as NodeId, targetId, description: { ...nvme!.description, targetId } });
    const state = { state: 'verified' as const, verifiedRoot: 'root', verifiedAtMs: nowMs, createdAtMs: nowMs };
    await db.insert(replica).values({ replicaId: copies[name] as ReplicaId, datasetId, versionId, targetId, ...state });
  }
  await db.insert(dataset).values({ datasetId, owner: 'cartography', createdAtMs: nowMs });
  await db.insert(datasetVersion).values({ versionId, datasetId, root: 'root', objects: 1, sizeBytes: 1, jobId, committedAtMs: nowMs });
  await db.insert(pointer).values({ datasetId, versionId, replicaId: copies.berlin as ReplicaId, rev: 1, changedByJob: jobId, changedAtMs: nowMs });
}
