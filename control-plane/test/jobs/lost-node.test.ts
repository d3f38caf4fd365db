import type { NodeId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { eq } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { device, job, permit, pointer, replica } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { type FakeAgent, FakeFleet } from './fake-fleet.ts';

const n1 = 'node-1' as NodeId;
const graceMs = 120_000;

describe.each(storeKinds)('a node that is lost after a switch, on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  /** One dataset on one copy, whose drive is condemned; run until the move of it is verified and its switch is next. */
  async function beforeSwitch() {
    // Readers have longer than a silent agent: it is lost before anything could leave.
    const fleet = new FakeFleet(await open.open(), { settings: { graceMs } });
    await fleet.build({ nodes: 3, policy: { copies: 1 } });
    await fleet.addDataset('photos', n1);
    const copies = () => fleet.store.db.select().from(replica).orderBy(replica.replicaId);
    await fleet.runUntil(
      async () =>
        (await fleet.store.db.select().from(job).where(eq(job.active, true))).length === 0 && (await copies()).some((one) => one.state === 'verified'),
    );
    const [old] = await copies();
    await fleet.store.db.update(device).set({ level: 'failing', levelSinceMs: fleet.clock.nowMs() }).where(eq(device.serial, old!.targetId));
    // The first of them: when it has ended there may be another, and the database answers in any order.
    const move = async () => (await fleet.store.db.select().from(job).where(eq(job.purpose, 'move')).orderBy(job.jobId))[0];
    await fleet.runUntil(async () => (await move())?.state === 'verified');
    const agentOf = (targetId: TargetId): FakeAgent => fleet.agents.get(`node-${targetId.slice(1, 2)}` as NodeId)!;
    const stateOf = async (replicaId: ReplicaId) => (await copies()).find((one) => one.replicaId === replicaId)!.state;
    return { fleet, old: old!, row: (await move())!, move, stateOf, agentOf };
  }

  test('the old copy on it is kept, the move ends, and the copy leaves when the node is back', async () => {
    const { fleet, old, row, move, stateOf, agentOf } = await beforeSwitch();
    const gone = agentOf(old.targetId);
    gone.isAway = true;
    await fleet.runUntil(async () => !(await move())!.active, 80);
    expect(await move()).toMatchObject({ state: 'done', witnessedAtMs: null, trashedAtMs: null, waitingBecause: expect.stringContaining('was lost') });
    expect((await fleet.store.db.select().from(pointer))[0]!.replicaId).toBe(row.toReplicaId);
    expect(await fleet.store.db.select().from(permit)).toEqual([]);
    expect([await stateOf(old.replicaId), gone.disk.get(old.replicaId)!.place]).toEqual(['suspect', 'live']);
    gone.isAway = false;
    await fleet.runUntil(async () => (await stateOf(old.replicaId)) === 'purged', 120);
    expect(await stateOf(row.toReplicaId!)).toBe('verified');
    await fleet.dispatch.stop();
  });

  test('where it had the new copy, readers return to the old one, and that is moved again', async () => {
    const { fleet, old, row, move, stateOf, agentOf } = await beforeSwitch();
    agentOf(row.toTargetId!).isAway = true;
    await fleet.runUntil(async () => !(await move())!.active, 80);
    expect((await move())!.state).toBe('done');
    expect(await fleet.store.db.select().from(permit)).toEqual([]);
    // Another job lets it leave, for readers whom the move sent away: they have their time all the same.
    const readersLeftAtMs = (await move())!.switchedAtMs!;
    fleet.onLeave = () => expect(fleet.clock.nowMs()).toBeGreaterThanOrEqual(readersLeftAtMs + graceMs);
    await fleet.runUntil(async () => (await stateOf(old.replicaId)) === 'purged', 120);
    const [held] = await fleet.store.db.select().from(pointer);
    expect(held!.replicaId).not.toBe(row.toReplicaId);
    expect(await stateOf(held!.replicaId)).toBe('verified');
    await fleet.dispatch.stop();
  });
});
