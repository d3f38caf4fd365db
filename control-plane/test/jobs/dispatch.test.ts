import { systemClock } from '@data-in-motion/shared/clock';
import type { ModelVersion, NodeId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import { Failure } from '@data-in-motion/shared/failure';
import { artifactHash } from '@data-in-motion/shared/model-identity';
import { desiredDocument, type ModelDocument, modelDocument } from '@data-in-motion/shared/protocol/messages';
import { topics } from '@data-in-motion/shared/protocol/topics';
import { systemRandom } from '@data-in-motion/shared/random';
import { isSignedBy } from '@data-in-motion/shared/signature';
import { smallModel } from '@data-in-motion/shared/testdata/small-model';
import { ulid } from '@data-in-motion/shared/ulid';
import { and, eq, inArray } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startDispatch } from '../../src/dispatch/dispatch.ts';
import { cloudEventOf, topicsOf } from '../../src/dispatch/fleet-events.ts';
import type { Store } from '../../src/store/database.ts';
import { appendEvents } from '../../src/store/events.ts';
import { addModel, promoteModel } from '../../src/store/failure-models.ts';
import { dataset, event, job, node, replica, target } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { FakeFleet } from './fake-fleet.ts';
import { tokenOf } from './read-token.ts';

const n1 = 'node-1' as NodeId;

describe.each(storeKinds.filter(({ kind }) => kind === 'pglite'))('dispatch on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  let fleet: FakeFleet;
  const sent: { name: string; nodeId: string; payload: unknown }[] = [];
  beforeAll(async () => {
    fleet = new FakeFleet(await open.open());
    await fleet.build({ policy: { copies: 2 } });
  }, 120_000);
  afterAll(async () => {
    await fleet.dispatch.stop();
    await open.stop();
  });
  const listen = () =>
    startDispatch({
      store: fleet.store,
      bus: { publish: async (name, nodeId, payload) => void sent.push({ name, nodeId, payload }) },
      signingKey: fleet.key,
      clock: fleet.clock,
      onFailure: (failure) => {
        throw failure;
      },
    });
  const revOf = async (nodeId: NodeId) => (await fleet.store.db.select().from(node).where(eq(node.nodeId, nodeId)))[0]!.desiredRev;

  test('a revision grows when the orders change and not otherwise; what changed is nudged once', async () => {
    const dispatch = listen();
    await dispatch.nudgeChanged();
    const before = await revOf(n1);
    sent.length = 0;
    expect(await dispatch.nudgeChanged()).toBe(0);
    await fleet.addDataset('photos', n1);
    await fleet.keeper.pass();
    expect(await revOf(n1)).toBeGreaterThan(before);
    const after = await revOf(n1);
    await dispatch.nudgeChanged();
    expect(await revOf(n1)).toBe(after);
    expect(await dispatch.nudgeAll()).toBe(3);
    expect(sent.filter(({ name }) => name === 'nudge').map(({ payload }) => payload)).toContainEqual({ v: 1, rev: after + 1 });
    await dispatch.stop();
  });

  test('an agent is answered with a signed document of its own life only', async () => {
    const dispatch = listen();
    sent.length = 0;
    await dispatch.answerAsk(n1, { v: 1, askUid: '01ARZ3NDEKTSV4RRFFQ69G5FAV', have: 0, inc: 9 });
    expect(sent).toEqual([]);
    await dispatch.answerAsk(n1, { v: 1, askUid: '01ARZ3NDEKTSV4RRFFQ69G5FAV', have: 0, inc: 1 });
    const signed = topics.desired.payload.parse(sent[0]!.payload);
    expect(isSignedBy(signed, fleet.key.publicKeyPem)).toBe(true);
    expect(desiredDocument.parse(JSON.parse(signed.body))).toMatchObject({ nodeId: n1, orders: [{ kind: 'scan', epoch: 1 }], liveJobs: [expect.any(String)] });
    await dispatch.stop();
  });

  test('a token is for one job, lease, source and pair of nodes, and a fresh one is no new revision', async () => {
    await fleet.runUntil(async () => (await fleet.store.db.select().from(replica).where(eq(replica.activated, true))).length === 1);
    for (let pass = 0; pass < 5; pass++) {
      await fleet.keeper.pass();
      await fleet.keeper.settled();
    }
    const [copy] = await fleet.store.db.select().from(job).where(eq(job.purpose, 'copy'));
    const agent = fleet.agents.get(copy!.moverNodeId)!;
    await fleet.ask(agent);
    const first = agent.document!;
    const order = first.orders.find((one) => one.kind === 'copy');
    const grant = tokenOf(order!, fleet.key.publicKeyPem);
    expect(grant).toMatchObject({
      kind: 'transfer',
      jobId: copy!.jobId,
      epoch: copy!.epoch,
      source: { kind: 'replica', replicaId: copy!.readReplicaId },
      toNodeId: copy!.moverNodeId,
    });
    await fleet.clock.advance(1_000);
    await fleet.ask(agent);
    expect(agent.document!.rev).toBe(first.rev);
    expect(agent.document!.issuedAtMs).toBeGreaterThan(first.issuedAtMs);
  });

  test('a copy that is added or lost is another revision, and the document names all that are kept', async () => {
    const dispatch = listen();
    const { db } = fleet.store;
    await fleet.runUntil(async () => (await db.select().from(replica).where(eq(replica.activated, true))).length > 0);
    await dispatch.nudgeChanged();
    const [copy] = await db.select().from(replica).where(eq(replica.state, 'verified'));
    const [place] = await db.select().from(target).where(eq(target.targetId, copy!.targetId));
    const keeper = place!.nodeId;
    const revs: number[] = [];
    const another = { ...copy!, replicaId: ulid(1, systemRandom) as ReplicaId, state: 'missing' as const, activated: false };
    await db.insert(replica).values(another);
    for (const [state, ofAnother] of [
      ['verified', 'missing'],
      ['missing', 'missing'],
      ['missing', 'missing'],
      ['suspect', 'missing'],
      // One in the place of the other.
      ['missing', 'suspect'],
    ] as const) {
      await db.update(replica).set({ state }).where(eq(replica.replicaId, copy!.replicaId));
      await db.update(replica).set({ state: ofAnother }).where(eq(replica.replicaId, another.replicaId));
      sent.length = 0;
      await dispatch.answerAsk(keeper, { v: 1, askUid: '01ARZ3NDEKTSV4RRFFQ69G5FAV', have: 0, inc: 1 });
      const { rev, watched } = desiredDocument.parse(JSON.parse(topics.desired.payload.parse(sent[0]!.payload).body));
      revs.push(rev);
      const kept = await db
        .select({ datasetId: replica.datasetId, targetId: replica.targetId, replicaId: replica.replicaId })
        .from(replica)
        .innerJoin(target, eq(target.targetId, replica.targetId))
        .where(and(eq(target.nodeId, keeper), inArray(replica.state, ['verified', 'suspect'])))
        .orderBy(replica.replicaId);
      expect(watched).toEqual(kept);
    }
    expect(revs.map((rev) => rev - revs[0]!)).toEqual([0, 1, 1, 2, 3]);
    await db.delete(replica).where(eq(replica.replicaId, another.replicaId));
    await db.update(replica).set({ state: 'verified' }).where(eq(replica.replicaId, copy!.replicaId));
    await dispatch.stop();
  });

  test('events are told on after the database failed, each once', async () => {
    const told: string[] = [];
    const failed: string[] = [];
    let refusals = 0;
    const db = Object.assign(Object.create(fleet.store.db) as Store['db'], {
      select: (...given: Parameters<Store['db']['select']>) => {
        if (refusals-- > 0) throw Object.assign(new Error('no'), { code: '22003' });
        return fleet.store.db.select(...given);
      },
    });
    const dispatch = startDispatch({
      store: Object.assign(Object.create(fleet.store) as Store, { db }),
      bus: { publish: async (name, _, payload) => void (name === 'events' && told.push((payload as { data: { text: string } }).data.text)) },
      signingKey: fleet.key,
      clock: systemClock,
      onFailure: (failure) => void failed.push(failure.code),
    });
    const say = (text: string) => fleet.store.transaction((tx) => appendEvents(tx, 1, [{ type: 'test.said', severity: 'info', text, ids: {}, by: 'test' }]));
    const mine = () => told.filter((text) => text.startsWith('after'));
    // Where it begins is read from the database first.
    await vi.waitUntil(async () => {
      await say('soon');
      return told.includes('soon');
    });
    await say('after none');
    await expect.poll(mine).toEqual(['after none']);
    refusals = 2;
    await say('after two');
    await say('after both');
    await expect.poll(mine).toEqual(['after none', 'after two', 'after both']);
    expect(failed).toEqual(['database.22003', 'database.22003']);
    await dispatch.stop();
  });

  test('an agent that can not be nudged holds up nobody', async () => {
    const hanging = startDispatch({
      store: fleet.store,
      bus: { publish: () => new Promise(() => {}) },
      signingKey: fleet.key,
      clock: fleet.clock,
      onFailure: () => {},
    });
    expect(await hanging.nudgeAll()).toBe(3);
    await hanging.stop();
  });

  test('the active model is told once, again when it changes or an agent runs another for long, and that there is none as well', async () => {
    const told: ModelDocument[] = [];
    let isAway = true;
    const dispatch = startDispatch({
      store: fleet.store,
      bus: {
        publish: async (name, _, payload) => {
          if (name !== 'model') return;
          if (isAway) throw new Failure('unavailable', { code: 'bus.disconnected', message: 'away' });
          const signed = topics.model.payload.parse(payload);
          expect(isSignedBy(signed, fleet.key.publicKeyPem)).toBe(true);
          told.push(modelDocument.parse(JSON.parse(signed.body)));
        },
      },
      signingKey: fleet.key,
      clock: fleet.clock,
      onFailure: () => {},
    });
    const tell = async (times: number) => {
      await dispatch.tellModel();
      await vi.waitFor(() => expect(told).toHaveLength(times));
    };
    await tell(0);
    isAway = false;
    await tell(1);
    expect(told[0]).toMatchObject({ version: null, artifactHash: null, artifact: null });
    const model = smallModel();
    await fleet.store.transaction(async (tx) => {
      await addModel(tx, model, null, 'test', 1);
      await promoteModel(tx, model.version, { by: 'test', expectedRev: null }, 2);
    });
    await tell(2);
    expect(told[1]).toMatchObject({ version: model.version, artifactHash: artifactHash(JSON.stringify(told[1]!.artifact)) });
    await tell(2);
    await fleet.store.db.update(node).set({ modelVersion: null, connected: true });
    await tell(2);
    await fleet.clock.advance(600_000);
    await tell(3);
    await fleet.store.db.update(node).set({ modelVersion: model.version as ModelVersion });
    await fleet.clock.advance(600_000);
    await tell(3);
    await dispatch.stop();
  });

  test('every event has its topics, and is a CloudEvent that the table knows', async () => {
    expect(topicsOf('job.transition')).toEqual(['events', 'migrationStatus']);
    expect(topicsOf('job.planned')).toEqual(['events', 'migrationJobs']);
    expect(topicsOf('alert.raised')).toEqual(['events', 'alerts']);
    expect(topicsOf('plan.recommended')).toEqual(['events', 'recommendations']);
    const rows = await fleet.store.db.select().from(event);
    expect(rows.length).toBeGreaterThan(5);
    for (const row of rows) expect(topics.events.payload.safeParse(cloudEventOf(row, '/test')).error).toBeUndefined();
    expect((await fleet.store.db.select().from(dataset)).length).toBe(1);
  });
});
