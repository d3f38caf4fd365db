import { systemClock } from '@data-in-motion/shared/clock';
import { Failure } from '@data-in-motion/shared/failure';
import type { AckMessage, BatchMessage } from '@data-in-motion/shared/protocol/messages';
import type { AgentRecord } from '@data-in-motion/shared/protocol/records';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ingest, startIngest } from '../../src/ingest/ingest.ts';
import { openStore, rowsOf, type Store, type Tx } from '../../src/store/database.ts';
import { dataset } from '../../src/store/schema.ts';
import { hasPostgres, type PostgresServer, startPostgres } from '../servers.ts';
import { storeKinds } from '../stores.ts';
import { access, Outbox, reading, startMs, TestBus } from './outbox.ts';

/** Two control planes; on Postgres two connections' worth of them on one database, on the embedded one two in one process. */
interface Ground {
  readonly stores: readonly [Store, Store];
  stop(): Promise<void>;
}

async function onPostgres(): Promise<Ground> {
  const server: PostgresServer = await startPostgres();
  const open = () => openStore({ databaseUrl: server.url, directory: '' });
  const stores = [await open(), await open()] as const;
  return {
    stores,
    async stop() {
      for (const store of stores) await store.close();
      await server.stop();
    },
  };
}

async function onPglite(): Promise<Ground> {
  const all = storeKinds[0]!.stores();
  const store = await all.open();
  return { stores: [store, store], stop: () => all.stop() };
}

/** One thing that happens; numbers choose among what there is then. */
type Happening =
  | { readonly what: 'seal'; readonly node: number; readonly records: number }
  | { readonly what: 'send'; readonly which: number; readonly to: number; readonly times: number }
  | { readonly what: 'fail'; readonly at: number }
  | { readonly what: 'restart control plane'; readonly at: number }
  | { readonly what: 'restart agent'; readonly node: number };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant('seal' as const), node: fc.nat(1), records: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 10, arbitrary: fc.record({ what: fc.constant('send' as const), which: fc.nat(), to: fc.nat(1), times: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('fail' as const), at: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('restart control plane' as const), at: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('restart agent' as const), node: fc.nat(1) }) },
);

class Fleet {
  readonly outboxes = [new Outbox('n0'), new Outbox('n1')];
  readonly buses = [new TestBus(), new TestBus()];
  readonly #ingests: Ingest[] = [];
  readonly #failing = [0, 0];
  readonly #stores: readonly Store[];
  /** Every batch ever sealed, by its node, in the places it was given. */
  readonly sent: { readonly node: number; readonly batch: BatchMessage }[] = [];
  /** What the tables must hold in the end. */
  readonly facts = new Map<string, number>();
  #next = 0;

  constructor(stores: readonly Store[]) {
    this.#stores = stores;
    for (const at of [0, 1]) this.#start(at);
  }

  #start(at: number): void {
    const store = this.#stores[at]!;
    const fragile: Store = Object.assign(Object.create(store) as Store, {
      transaction: <T>(work: (tx: Tx) => Promise<T>) =>
        store.transaction(async (tx) => {
          const result = await work(tx);
          if (this.#failing[at]! > 0 && this.#failing[at]!-- > 0)
            throw new Failure('unavailable', { code: 'test', message: 'the connection broke before the commit' });
          return result;
        }),
    });
    const quiet = { onBoot: async () => {}, onAsk: () => {}, onJobsChanged: () => {}, onFailure: () => {} };
    this.#ingests[at] = startIngest({ store: fragile, bus: this.buses[at]!, clock: systemClock, publicKeyPem: '', ...quiet });
  }

  async let(happening: Happening): Promise<void> {
    switch (happening.what) {
      case 'seal': {
        const { node } = happening;
        const content: AgentRecord[] = [];
        for (let i = 0; i < happening.records; i++) {
          const id = this.#next++;
          content.push(reading('d', id), access('logs', `a${id}`, startMs, 1));
          this.facts.set(`n${node} ${id}`, 1);
        }
        this.sent.push({ node, batch: this.outboxes[node]!.seal(content) });
        return;
      }
      case 'send': {
        const chosen = this.sent[happening.which % Math.max(1, this.sent.length)];
        for (let i = 0; chosen !== undefined && i < happening.times; i++) await this.send(chosen, (happening.to + i) % 2);
        return;
      }
      case 'fail':
        this.#failing[happening.at]!++;
        return;
      case 'restart control plane':
        await this.#ingests[happening.at]!.stop();
        this.#start(happening.at);
        return;
      case 'restart agent': {
        const { node } = happening;
        const outbox = this.outboxes[node]!;
        // Acknowledged or not, all of this life is placed anew: more than any agent would repeat.
        const own = this.sent.filter((one) => one.node === node && one.batch.inc === outbox.inc).map((one) => one.batch);
        this.sent.push(...outbox.restart(outbox.inc + 1, own).map((batch) => ({ node, batch })));
      }
    }
  }

  send({ node, batch }: { node: number; batch: BatchMessage }, to: number): Promise<void> {
    return this.buses[to]!.deliver('batch', `n${node}`, batch);
  }

  /** When faults stop: everything is sent again until all of it is acknowledged. */
  async settle(): Promise<void> {
    this.#failing.fill(0);
    for (const one of this.sent) await this.send(one, 0);
    for (const outbox of this.outboxes) {
      if (outbox.seq === 0) continue;
      const { payload } = await this.buses[0]!.said(
        ({ name, identity, payload: ack }) => name === 'ack' && identity === outbox.nodeId && ack.inc === outbox.inc && ack.upto === outbox.seq,
      );
      expect((payload as AckMessage).chainAtUpto).toBe(outbox.chain);
    }
    // An acknowledgement never names more than was sealed.
    for (const bus of this.buses) {
      for (const { name, identity, payload } of bus.published) {
        if (name !== 'ack') continue;
        const life = this.sent.filter((one) => `n${one.node}` === identity && one.batch.inc === payload.inc);
        expect(payload.upto as number).toBeLessThanOrEqual(life.length);
      }
    }
  }

  async stop(): Promise<void> {
    for (const ingest of this.#ingests) await ingest.stop();
  }
}

const grounds = [{ kind: 'pglite', start: onPglite, runs: 12 }, ...(hasPostgres ? [{ kind: 'postgres', start: onPostgres, runs: 25 }] : [])];

describe.each(grounds)('two control planes on $kind', ({ start, runs }) => {
  let ground: Ground;
  beforeAll(async () => {
    ground = await start();
  });
  afterAll(() => ground.stop());

  it('store every record once, through repetition, reordering, broken transactions and restarts', async () => {
    const [store] = ground.stores;
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 60 }), async (happenings) => {
        await store.db.execute(sql`truncate batch, batch_seq, agent_stream, reading, access_event, access_aggregate, dataset, node, event, alert`);
        await store.db.insert(dataset).values({ datasetId: 'logs' as never, owner: 'me', createdAtMs: 0 });
        const fleet = new Fleet(ground.stores);
        try {
          for (const one of happenings) await fleet.let(one);
          await fleet.settle();
        } finally {
          await fleet.stop();
        }
        const stored = await rowsOf<{ node: string; at: number; times: number }>(
          store.db,
          sql`select node_id as node, at_ms as at, count(*)::int as times from reading group by 1, 2`,
        );
        expect(new Map(stored.map((row) => [`${row.node} ${row.at}`, row.times]))).toEqual(fleet.facts);
        const [sum] = await rowsOf<{ reads: number }>(store.db, sql`select coalesce(sum(reads), 0)::int as reads from access_aggregate`);
        expect(sum!.reads).toBe(fleet.facts.size);
        const poison = await rowsOf(store.db, sql`select 1 from batch where poison`);
        expect(poison).toEqual([]);
      }),
      { numRuns: runs },
    );
  }, 240_000);
});
