import type { DatasetDetail, DatasetView } from '@data-in-motion/shared/api/datasets';
import type { FleetStatus } from '@data-in-motion/shared/api/fleet';
import type { DatasetId, JobId, NodeId, PlanId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import type { JobState } from '@data-in-motion/shared/domain/job';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { dataset, datasetVersion, job, plan, replica, target } from '../../src/store/schema.ts';
import type { Interface } from './interface.ts';
import { copies, openWithTwoCopies } from './two-copies.ts';

let api: Interface;
const nvme = 'berlin-nvme' as TargetId;
const third = '01JD0000000000000000000003' as ReplicaId;

beforeAll(async () => {
  api = await openWithTwoCopies();
});
afterAll(() => api.close());
beforeEach(async () => {
  const { db } = api.store;
  for (const table of [job, plan]) await db.delete(table);
  await db.delete(replica).where(eq(replica.replicaId, third));
  await db.update(target).set({ reachable: true });
  await db.update(dataset).set({ ownPolicy: {} });
});

async function look<T>(at: string): Promise<T> {
  api.forgetLook();
  return (await (await api.call('GET', at, { role: 'viewer' })).json()) as T;
}
const maps = async (): Promise<DatasetView> => (await look<DatasetDetail>('/v1/datasets/maps')).dataset;

/** A third verified copy, in Berlin beside the first, and what the newest plan found. */
async function crowd(found: 'feasible' | 'infeasible'): Promise<void> {
  const { db } = api.store;
  const atMs = await api.store.nowMs();
  const [berlin] = await db
    .select()
    .from(replica)
    .where(eq(replica.replicaId, copies.berlin as ReplicaId));
  await db.insert(replica).values({ ...berlin!, replicaId: third, targetId: nvme });
  await db.update(dataset).set({ ownPolicy: { copies: 3 } });
  const infeasible = found === 'feasible' ? [] : [{ datasetId: 'maps', rules: ['spread'], cheapestWayOut: 'add a site' }];
  await db
    .insert(plan)
    .values({ planId: '01JD0000000000000000000007' as PlanId, madeAtMs: atMs, state: 'current', body: { infeasible }, summary: {} as never });
}

async function moving(state: JobState): Promise<void> {
  const atMs = await api.store.nowMs();
  const what = { datasetId: 'maps' as DatasetId, purpose: 'move' as const, moverNodeId: 'berlin' as NodeId };
  await api.store.db.insert(job).values({ ...what, jobId: '01JD0000000000000000000008' as JobId, key: 'move', state, createdAtMs: atMs });
}

test('copies that are all there, but not apart as the policy wants, do not meet it', async () => {
  expect(await maps()).toMatchObject({ copiesVerified: 2, policyState: 'met' });
  await crowd('feasible');
  expect(await maps()).toMatchObject({ copiesVerified: 3, copiesWanted: 3, policyState: 'short' });
  const { sentence, safe } = await look<FleetStatus>('/v1/status');
  expect([sentence, safe]).toEqual(['The one dataset has its copies. The copies of 1 dataset are not where policy wants them.', false]);
});

test('a policy that no places meet is said so, also while an old copy waits for its leave', async () => {
  await crowd('infeasible');
  await moving('copying');
  expect((await maps()).policyState).toBe('working');
  await api.store.db.update(job).set({ state: 'grace' });
  expect((await maps()).policyState).toBe('infeasible');
  const { sentence, safe, datasets } = await look<FleetStatus>('/v1/status');
  expect(sentence).toContain('No places meet the policy of 1 dataset.');
  expect(safe).toBe(false);
  expect(datasets).toMatchObject({ met: 0, short: 0, infeasible: 1, empty: 0 });
});

test('a dataset without a version is not short of copies', async () => {
  const atMs = await api.store.nowMs();
  await api.store.db.insert(dataset).values({ datasetId: 'new' as DatasetId, owner: 'me', createdAtMs: atMs });
  const { sentence, safe, datasets } = await look<FleetStatus>('/v1/status');
  expect(sentence).toContain('The one dataset has its copies.');
  expect(safe).toBe(true);
  expect(datasets).toMatchObject({ total: 2, met: 1, short: 0, empty: 1 });
  await api.store.db.delete(dataset).where(eq(dataset.datasetId, 'new' as DatasetId));
});

test('readers are not sent to a target that its agent can not reach', async () => {
  expect((await api.call('GET', '/v1/datasets/maps/location', { role: 'viewer' })).status).toBe(200);
  await api.store.db
    .update(target)
    .set({ reachable: false })
    .where(eq(target.targetId, 'berlin-disk' as TargetId));
  const refused = await look<{ status: number; detail: string; fix: string }>('/v1/datasets/maps/location');
  expect(refused).toMatchObject({ status: 409, detail: expect.stringContaining('berlin-disk can not be reached') });
  expect(refused.fix).toBe('Verified copies: frankfurt:/srv/dim/maps/current.');
});

test('what a scan left out is told with its version', async () => {
  const notes = ['1 pipe, socket or device was left out', 'run/ctl: no file: a pipe, socket or device'];
  await api.store.db
    .update(datasetVersion)
    .set({ notes })
    .where(eq(datasetVersion.versionId, '01JD0000000000000000000000' as VersionId));
  expect((await look<DatasetDetail>('/v1/datasets/maps')).versions[0]).toMatchObject({ current: true, notes });
});
