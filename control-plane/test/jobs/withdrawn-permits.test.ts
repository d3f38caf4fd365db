import type { NodeId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import { and, eq, isNull } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { cpLeader, event, globalPolicy, job, node, permit, pointer, replica } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { type FakeAgent, FakeFleet } from './fake-fleet.ts';

const n1 = 'node-1' as NodeId;

describe.each(storeKinds)('a permit that was not used, on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  /** One dataset with a copy that readers use and a surplus one, whose agent has not yet heard that it may let it go or delete it. */
  async function permitted(kind: 'retire' | 'purge') {
    const fleet = new FakeFleet(await open.open());
    await fleet.build({ nodes: 3, policy: { copies: 2 } });
    await fleet.addDataset('photos', n1);
    const { db } = fleet.store;
    const active = async () => (await db.select().from(job).where(eq(job.active, true))).length;
    const copies = () => db.select().from(replica).orderBy(replica.replicaId);
    await fleet.runUntil(async () => (await copies()).filter((copy) => copy.state === 'verified').length === 2 && (await active()) === 0);
    const [global] = await db.select().from(globalPolicy);
    await db.update(globalPolicy).set({ policy: { ...global!.policy, copies: 1 } });
    const [held] = await db.select().from(pointer);
    const surplus = (await copies()).find((copy) => copy.replicaId !== held!.replicaId)!;
    const agentOf = (replicaId: ReplicaId): FakeAgent => [...fleet.agents.values()].find((agent) => agent.disk.has(replicaId))!;
    fleet.onLeave = (copy, to) => {
      const live = [...fleet.agents.values()].flatMap((agent) => [...agent.disk.values()]).filter((one) => one !== copy && one.place === 'live');
      if (!live.some((one) => one.root === copy.root)) throw new Error(`the last good copy of ${copy.datasetId} would be ${to}`);
    };
    const out = async () =>
      (
        await db
          .select()
          .from(permit)
          .where(and(eq(permit.kind, kind), isNull(permit.usedAtMs)))
      ).length;
    for (let round = 0; (await out()) === 0; round++) {
      if (round === 60) throw new Error('no permit was granted');
      await fleet.workRound();
      await fleet.clock.advance(2_000);
      await fleet.keeper.pass();
      await fleet.keeper.settled();
    }
    return { fleet, held: held!, surplus, agent: agentOf(surplus.replicaId), other: agentOf(held!.replicaId), copies, out };
  }

  const isLost = (fleet: FakeFleet, agent: FakeAgent) => async () =>
    (await fleet.store.db.select().from(node).where(eq(node.nodeId, agent.nodeId)))[0]!.agentState === 'lost';

  test.each(['retire', 'purge'] as const)(
    'to %s is withdrawn when its node is lost: a copy that has become the last is not let go when it returns',
    async (kind) => {
      const { fleet, surplus, agent, other, copies, out } = await permitted(kind);
      agent.isAway = true;
      await fleet.runUntil(isLost(fleet, agent), 60, 6_000);
      expect(await out()).toBe(0);
      other.isAway = true;
      await fleet.runUntil(isLost(fleet, other), 60, 6_000);
      other.disk.clear();
      agent.isAway = false;
      const stateOf = async () => (await copies()).find((copy) => copy.replicaId === surplus.replicaId)!.state;
      await fleet.passAndWork(10, undefined, 4_000);
      expect(agent.disk.get(surplus.replicaId)).toMatchObject({ place: kind === 'retire' ? 'live' : 'trash' });
      expect(await stateOf()).toBe(kind === 'retire' ? 'verified' : 'trashed');
      if (kind === 'retire') expect((await fleet.store.db.select().from(pointer))[0]!.replicaId).toBe(surplus.replicaId);
      other.isAway = false;
      await fleet.passAndWork(10, undefined, 4_000);
      expect(agent.disk.has(surplus.replicaId)).toBe(true);
      await fleet.dispatch.stop();
    },
  );

  test.each(['retire', 'purge'] as const)('to %s is withdrawn when the store may have lost commits, and when what it rests on turns bad', async (kind) => {
    const troubles = [
      (fleet: FakeFleet) => fleet.store.db.update(cpLeader).set({ distrustedSinceMs: fleet.clock.nowMs() }),
      (fleet: FakeFleet, held: ReplicaId) => fleet.store.db.update(replica).set({ state: 'corrupt' }).where(eq(replica.replicaId, held)),
    ];
    for (const trouble of troubles) {
      const { fleet, held, surplus, agent, out } = await permitted(kind);
      await trouble(fleet, held.replicaId);
      await fleet.keeper.pass();
      expect(await out()).toBe(0);
      await fleet.workRound();
      expect(agent.disk.get(surplus.replicaId)?.place).toBe(kind === 'retire' ? 'live' : 'trash');
      await fleet.dispatch.stop();
    }
  });

  test('that stands moves nothing, and is not offered by a control plane that has not looked at it', async () => {
    const { fleet, agent, out } = await permitted('retire');
    const before = await fleet.store.db.select().from(event);
    for (let pass = 0; pass < 3; pass++) await fleet.keeper.pass();
    expect((await fleet.store.db.select().from(event)).length).toBe(before.length);
    await fleet.ask(agent);
    const kinds = () => agent.document!.orders.map((order) => order.kind);
    expect(kinds()).toEqual(['retire']);
    // Everything stood still for an hour; the agent is the first to speak.
    await fleet.clock.advance(3_600_000);
    await fleet.ask(agent);
    expect([kinds(), await out()]).toEqual([[], 1]);
    await fleet.dispatch.stop();
  });

  test('outlasts a switch of the same dataset that the store could still lose', async () => {
    const { fleet, held, out } = await permitted('retire');
    await fleet.store.db.update(job).set({ activatedAtMs: null }).where(eq(job.jobId, held.changedByJob));
    for (let pass = 0; pass < 3; pass++) await fleet.keeper.pass();
    expect(await out()).toBe(1);
    await fleet.dispatch.stop();
  });

  test('and was used after all before the agent heard that it was withdrawn: the copy does not count, is told, and leaves the trash in its time', async () => {
    const { fleet, surplus, agent, copies } = await permitted('retire');
    const stateOf = async () => (await copies()).find((copy) => copy.replicaId === surplus.replicaId)!.state;
    await fleet.ask(agent);
    agent.work();
    expect(agent.disk.get(surplus.replicaId)!.place).toBe('trash');
    await fleet.store.db.update(cpLeader).set({ distrustedSinceMs: fleet.clock.nowMs() });
    await fleet.keeper.pass();
    await fleet.deliver(agent);
    expect(await stateOf()).toBe('trashed');
    await fleet.passAndWork(8);
    expect([await stateOf(), agent.disk.get(surplus.replicaId)?.place]).toEqual(['trashed', 'trash']);
    expect((await fleet.store.db.select().from(event).where(eq(event.type, 'replica.kept'))).length).toBe(1);
    await fleet.store.db.update(cpLeader).set({ distrustedSinceMs: null });
    await fleet.runUntil(async () => (await stateOf()) === 'purged', 40);
    expect(agent.disk.has(surplus.replicaId)).toBe(false);
    await fleet.dispatch.stop();
  });
});
