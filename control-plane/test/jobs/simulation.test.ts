import type { DatasetId, JobId, NodeId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import { asFailure } from '@data-in-motion/shared/failure';
import { pick, type Random, seededRandom } from '@data-in-motion/shared/random';
import { and, eq, inArray } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { datasetVersion, device, event, job, permit, pointer, replica, switchLog } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { type FakeAgent, FakeFleet } from './fake-fleet.ts';

const seeds = [1, 2];
const names = ['photos', 'genomes', 'ledgers'];
const faultyRounds = 40;

/** One fleet, one seed: a random order of everything that can happen, then quiet. After every step the promises are looked at on the disks themselves. */
class Run {
  readonly fleet: FakeFleet;
  readonly #random: Random;
  readonly #keepers;
  #imports = 1;

  constructor(fleet: FakeFleet, random: Random) {
    this.fleet = fleet;
    this.#random = random;
    this.#keepers = [fleet.keeper, fleet.newKeeper('two', options)];
    // The agent is about to hide or delete a copy: another good one must stand, on a disk, whatever the database believes.
    fleet.onLeave = (copy, to) => {
      const others = this.#good(copy.datasetId).filter((found) => found !== copy);
      const standing = to === 'gone' ? others.filter((found) => found.place === 'live') : others;
      if (standing.length === 0 && this.#rootOf(copy.datasetId) === copy.root) throw new Error(`the last good copy of ${copy.datasetId} would be ${to}`);
    };
  }

  #roots = new Map<string, string>();
  #rootOf(datasetId: string): string | undefined {
    return this.#roots.get(datasetId);
  }

  #good(datasetId: string) {
    const root = this.#rootOf(datasetId);
    return [...this.fleet.agents.values()].flatMap((agent) => [...agent.disk.values()]).filter((copy) => copy.datasetId === datasetId && copy.root === root);
  }

  /** I1, I3 and I8: a good copy of what the pointer names, one switch per job, revisions without a hole. */
  async check(): Promise<void> {
    const { db } = this.fleet.store;
    for (const held of await db.select().from(pointer)) {
      const [version] = await db.select().from(datasetVersion).where(eq(datasetVersion.versionId, held.versionId));
      this.#roots.set(held.datasetId, version!.root);
      expect(this.#good(held.datasetId).length, `a good copy of ${held.datasetId}`).toBeGreaterThan(0);
      const chain = await db.select().from(switchLog).where(eq(switchLog.datasetId, held.datasetId)).orderBy(switchLog.toRev);
      expect(chain.map((row) => [row.fromRev, row.toRev])).toEqual(chain.map((_, i) => [i, i + 1]));
      expect(chain.at(-1)).toMatchObject({ toRev: held.rev, replicaId: held.replicaId });
    }
  }

  /** One round of everybody doing some of what they could, in which something may go wrong. */
  async round(): Promise<string> {
    await this.#pass();
    for (const agent of this.fleet.agents.values()) {
      await this.fleet.ask(agent);
      if (agent.isAway) continue;
      for (const order of agent.document?.orders ?? []) if (this.#random.next() < 0.8) agent.work(order);
      if (this.#random.next() < 0.7) await this.fleet.deliver(agent, this.#random);
    }
    await this.#wait();
    return this.#trouble();
  }

  async #trouble(): Promise<string> {
    const agent = pick(this.#random, [...this.fleet.agents.values()]);
    const dice = this.#random.next();
    if (dice < 0.6) return 'quiet';
    if (dice < 0.7) return this.#restart(agent);
    if (dice < 0.76) return this.#leave(agent);
    if (dice < 0.84) return this.#rot(agent);
    if (dice < 0.94) return this.#sicken();
    return this.#import();
  }

  async #pass(): Promise<void> {
    const keeper = pick(this.#random, this.#keepers);
    await keeper.pass();
    await keeper.settled();
  }

  async #wait(): Promise<void> {
    await this.fleet.clock.advance(Math.round(this.#random.next() * 6_000));
    for (const agent of this.fleet.agents.values()) await this.fleet.ask(agent);
  }

  async #restart(agent: FakeAgent): Promise<string> {
    await this.fleet.restart(agent);
    return `${agent.nodeId} restarts`;
  }

  async #leave(agent: FakeAgent): Promise<string> {
    const away = [...this.fleet.agents.values()].filter((one) => one.isAway);
    if (away.length > 1 && !agent.isAway) return 'nobody leaves';
    agent.isAway = !agent.isAway;
    if (agent.isAway)
      for (let i = 0; i < 30; i++) {
        await this.#wait();
        for (const other of this.fleet.agents.values()) await this.fleet.ask(other);
        await this.#pass();
      }
    return `${agent.nodeId} ${agent.isAway ? 'is gone' : 'is back'}`;
  }

  /** A byte turns, but never in the last two good copies that nothing was permitted about. */
  async #rot(agent: FakeAgent): Promise<string> {
    const { db } = this.fleet.store;
    const leaving = new Set((await db.select().from(permit)).map((row) => row.replicaId));
    for (const [replicaId, copy] of agent.disk) {
      const staying = [...this.fleet.agents.values()].flatMap((one) =>
        [...one.disk].filter(
          ([id, found]) => found.datasetId === copy.datasetId && found.root === this.#rootOf(copy.datasetId) && found.place === 'live' && !leaving.has(id),
        ),
      );
      if (copy.place !== 'live' || copy.root !== this.#rootOf(copy.datasetId) || staying.length < 3) continue;
      copy.root = 'rotten';
      return `${replicaId} rots`;
    }
    return 'nothing rots';
  }

  async #sicken(): Promise<string> {
    const { db } = this.fleet.store;
    const devices = await db.select().from(device);
    const one = pick(this.#random, devices);
    const risky = devices.filter((row) => row.level === 'failing');
    const level = one.level === 'failing' ? 'healthy' : risky.length === 0 ? 'failing' : one.level;
    await db.update(device).set({ level, levelSinceMs: this.fleet.clock.nowMs() }).where(eq(device.deviceId, one.deviceId));
    return `${one.deviceId} is ${level}`;
  }

  async #import(): Promise<string> {
    const name = pick(this.#random, names);
    const agents = [...this.fleet.agents.keys()];
    try {
      await this.fleet.import(name, pick(this.#random, agents), `/src/${name}/${++this.#imports}`);
      return `${name} is imported anew`;
    } catch (thrown) {
      if (asFailure(thrown).code !== 'import.under-way') throw thrown;
      return `${name} is being imported`;
    }
  }

  async calm(): Promise<void> {
    for (const agent of this.fleet.agents.values()) agent.isAway = false;
    await this.fleet.store.db.update(device).set({ level: 'healthy' });
  }
}

const options = { nodes: 4, policy: { copies: 2 } } as const;

describe.each(storeKinds.filter(({ kind }) => kind === 'pglite'))('a fleet on $kind', ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  test.each(seeds)(
    'with crashing, vanishing and rotting nodes loses no dataset and comes to rest (seed %i)',
    async (seed) => {
      const fleet = new FakeFleet(await open.open(), options);
      await fleet.build(options);
      for (const name of names) await fleet.addDataset(name, 'node-1' as NodeId);
      await fleet.runUntil(() => isAtRest(fleet));
      const run = new Run(fleet, seededRandom(seed));
      const told: string[] = [];
      try {
        for (let i = 0; i < faultyRounds; i++) {
          told.push(await run.round());
          await run.check();
        }
        await run.calm();
        // Versions that were on their way still change while it calms down: each round says anew what must not leave.
        await fleet.runUntil(async () => {
          await run.check();
          return isAtRest(fleet);
        }, 120);
        await run.check();
      } catch (thrown) {
        throw new Error(`seed ${seed}, after ${told.slice(-12).join(', ')}: ${String(thrown)}\n${await standing(fleet)}`, { cause: thrown });
      }
      expect(fleet.failures).toEqual([]);
      await fleet.dispatch.stop();
    },
    240_000,
  );
});

/** Every job has ended or waits for a person, and each dataset has its copies, read back. */
async function isAtRest(fleet: FakeFleet): Promise<boolean> {
  const { db } = fleet.store;
  if ((await db.select().from(job).where(eq(job.active, true))).length > 0) return false;
  const counted = await Promise.all(
    names.map(async (name) => {
      const [held] = await db
        .select()
        .from(pointer)
        .where(eq(pointer.datasetId, name as DatasetId));
      if (held === undefined) return -1;
      return (
        await db
          .select()
          .from(replica)
          .where(and(eq(replica.versionId, held.versionId), eq(replica.state, 'verified')))
      ).length;
    }),
  );
  return counted.every((count) => count === options.policy.copies);
}

async function standing(fleet: FakeFleet): Promise<string> {
  const { db } = fleet.store;
  const jobs = (await db.select().from(job).where(eq(job.active, true))).map((row) =>
    [row.jobId as JobId, row.purpose, row.state, row.moverNodeId, row.datasetId, row.need, row.waitingBecause].join(' '),
  );
  const copies = (
    await db
      .select()
      .from(replica)
      .where(inArray(replica.state, ['joining', 'verified', 'suspect', 'corrupt', 'missing', 'retiring', 'trashed', 'conflict']))
  ).map((row) => [row.replicaId as ReplicaId, row.datasetId, row.targetId, row.state, row.versionId].join(' '));
  const refused = (await db.select().from(event).where(eq(event.type, 'job.report-refused'))).slice(-5).map((row) => row.text);
  return [...jobs, ...copies, ...refused, ...fleet.failures.map(String)].join('\n');
}
