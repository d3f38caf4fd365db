import type { NodeId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { FaultDocument } from '@data-in-motion/shared/protocol/messages';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { experiment, node, replica, target } from '../../src/store/schema.ts';
import type { Interface } from './interface.ts';
import { copies, openWithTwoCopies } from './two-copies.ts';

let api: Interface;

beforeAll(async () => {
  api = await openWithTwoCopies();
});
beforeEach(async () => {
  await api.store.db.delete(experiment);
  await api.store.db.update(replica).set({ state: 'verified' });
  await api.store.db.update(node).set({ agentState: 'online' });
  await api.store.db.update(target).set({ reachable: true });
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

test('a copy that can not be reached does not count as the one that is left', async () => {
  const berlin = { kind: 'flip-byte', subject: copies.berlin };
  await api.store.db
    .update(node)
    .set({ agentState: 'late' })
    .where(eq(node.nodeId, 'frankfurt' as NodeId));
  expect(await arm(berlin)).toMatchObject({ status: 409, code: 'chaos.last-copy' });
  await api.store.db.update(node).set({ agentState: 'online' });
  await api.store.db
    .update(target)
    .set({ reachable: false })
    .where(eq(target.targetId, 'frankfurt-disk' as TargetId));
  expect(await arm(berlin)).toMatchObject({ status: 409, code: 'chaos.last-copy' });
  await api.store.db.update(target).set({ reachable: true });
  expect((await arm(berlin)).status).toBe(201);
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
