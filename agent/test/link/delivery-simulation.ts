import { ManualClock } from '@data-in-motion/shared/clock';
import type { AckMessage, BatchMessage } from '@data-in-motion/shared/protocol/messages';
import { pick, type Random, randomInt, seededRandom } from '@data-in-motion/shared/random';
import { openMeta } from '../../src/journal/meta.ts';
import { type Outbox, openOutbox, outboxDefaults } from '../../src/journal/outbox.ts';
import { type OutboxRows, openOutboxRows } from '../../src/journal/outbox-rows.ts';
import { Delivery, deliveryDefaults } from '../../src/link/delivery.ts';
import { noBallast } from '../no-ballast.ts';
import { type MemoryJournal, memoryJournal, PowerCut, type Snapshot } from './memory-journal.ts';
import { allReferenceGuards, ReferenceControlPlane, type Welcome } from './reference-control-plane.ts';

/** A guard of the delivery that a run goes without, to see that it is needed. */
export type Guard = 'uid-dedupe' | 'count-inserted' | 'contiguous' | 'epoch-in-ack' | 'chain-in-ack' | 'retention' | 'rewind';

type Message =
  | { kind: 'boot'; memory: NonNullable<ReturnType<Delivery['boot']>> }
  | { kind: 'welcome'; welcome: Welcome }
  | { kind: 'batch'; batch: BatchMessage }
  | { kind: 'ack'; ack: AckMessage };

const turns = 250;
const settleTurns = 600;

/**
 * One agent and one control plane with a network between them that loses, repeats and reorders; the store rolls back, the agent dies at any point,
 * its journal is put back from an older copy with or without a start. The real outbox and delivery run on a real SQLite in memory.
 *
 * @returns what promise was broken, or null
 */
export function simulateDelivery(seed: number, without?: Guard): string | null {
  return new Simulation(seed, without).run();
}

class Simulation {
  readonly #random: Random;
  readonly #without: Guard | undefined;
  readonly #journal: MemoryJournal = memoryJournal();
  readonly #controlPlane: ReferenceControlPlane;
  #network: Message[] = [];
  #nowMs = 1_000;
  #told = 0;
  readonly #odds: readonly (readonly [() => void, number])[];
  /** uid to text of everything that was accepted. */
  readonly #accepted = new Map<string, string>();
  /** Accepted, then lost by the agent's own disk before anybody else had it: outside the promise. */
  readonly #lostWithDisk = new Set<string>();
  #copy: Snapshot | undefined;
  #outbox!: Outbox;
  #rows!: OutboxRows;
  #delivery!: Delivery;

  constructor(seed: number, without: Guard | undefined) {
    this.#random = seededRandom(seed);
    this.#without = without;
    this.#controlPlane = new ReferenceControlPlane({
      ...allReferenceGuards,
      uidDedupe: without !== 'uid-dedupe',
      countInserted: without !== 'count-inserted',
      contiguous: without !== 'contiguous',
    });
    this.#odds = this.#someOdds();
    this.#startProcess();
  }

  run(): string | null {
    for (let turn = 0; turn < turns; turn++) {
      this.#orDie(() => this.#turn());
      const broken = this.#broken();
      if (broken !== null) return `turn ${turn}: ${broken}`;
    }
    return this.#settle();
  }

  #turn(): void {
    let dice = this.#random.next() * this.#odds.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [act, weight] of this.#odds) {
      dice -= weight;
      if (dice >= 0) continue;
      act();
      break;
    }
    this.#nowMs += randomInt(this.#random, 0, 2_000);
  }

  /** Each run leaves some faults out and has others more often, so that combinations are met which an even mix hides. */
  #someOdds(): (readonly [() => void, number])[] {
    const sometimes = (weight: number): number => weight * pick(this.#random, [0, 0, 1, 3]);
    const loss = pick(this.#random, [0, 0.1, 0.3]);
    const duplication = pick(this.#random, [0, 0.1, 0.3]);
    return [
      [() => this.#tell(), 20],
      [() => this.#send(), 20],
      [() => this.#deliver({ loss, duplication }), 60],
      [() => this.#controlPlane.flush(), 1 + sometimes(5)],
      [() => this.#controlPlane.rollBack(), sometimes(1)],
      [() => this.#startProcess(), sometimes(1)],
      [() => this.#journal.cutNextCommit(), sometimes(1)],
      [() => (this.#copy = this.#journal.snapshot()), 2],
      [() => this.#restoreCopy(), sometimes(1)],
      [() => this.#outbox.tidy(), 3],
    ];
  }

  /** When everything works again, everything accepted arrives and becomes durable. */
  #settle(): string | null {
    for (let turn = 0; turn < settleTurns; turn++) {
      // News of a store's new life comes with acknowledgements, so something has to be told from time to time.
      if (turn % 50 === 0) this.#orDie(() => this.#tell());
      this.#orDie(() => this.#send());
      while (this.#network.length > 0) this.#orDie(() => this.#deliver({ loss: 0, duplication: 0 }));
      this.#controlPlane.flush();
      this.#nowMs += 2_000;
      if (turn > 100 && this.#isComplete()) return this.#broken() ?? this.#unknownStored();
    }
    return `after the faults ended, ${this.#missing().length} accepted batches never arrived`;
  }

  #isComplete(): boolean {
    return this.#rows.oldestOpen(1).length === 0 && this.#missing().length === 0;
  }

  #missing(): string[] {
    const stored = new Set([...this.#controlPlane.store.batches.keys()].map((key) => key.split('/')[0]!));
    return [...this.#accepted.keys()].filter((uid) => !stored.has(uid) && !this.#lostWithDisk.has(uid));
  }

  #broken(): string | null {
    const { store } = this.#controlPlane;
    const uids = [...store.batches.keys()].map((key) => key.split('/')[0]!);
    if (new Set(uids).size !== uids.length) return 'a batch is stored twice';
    if (store.counted !== uids.length) return 'a batch is counted twice';
    const kept = new Set(this.#journal.db.prepare('select uid from outbox').pluck().all() as string[]);
    const gone = this.#missing().find((uid) => !kept.has(uid));
    return gone === undefined ? null : `accepted batch ${gone} is neither stored nor kept by the agent`;
  }

  #unknownStored(): string | null {
    for (const [key, records] of this.#controlPlane.store.batches)
      if (this.#accepted.get(key.split('/')[0]!) !== records) return `stored batch ${key} was never accepted like this`;
    return null;
  }

  #tell(): void {
    const record = { type: 'note', atMs: this.#nowMs, severity: 'info', code: `told-${++this.#told}`, message: 'something', ids: {} } as const;
    this.#outbox.tell([record], 'now');
    for (const row of this.#journal.db.prepare('select uid, records from outbox join outbox_records using (position) order by position desc limit 1').all() as {
      uid: string;
      records: string;
    }[]) {
      this.#accepted.set(row.uid, row.records);
    }
  }

  #send(): void {
    const memory = this.#delivery.boot();
    if (memory !== null) this.#network.push({ kind: 'boot', memory });
    for (const batch of this.#delivery.due(this.#nowMs)) this.#network.push({ kind: 'batch', batch });
  }

  #deliver({ loss, duplication }: { loss: number; duplication: number }): void {
    if (this.#network.length === 0) return;
    // One of the oldest few: a message may be late, but not all of them for ever.
    const message = pick(this.#random, this.#network.slice(0, 6));
    if (this.#random.next() >= duplication) this.#network.splice(this.#network.indexOf(message), 1);
    if (this.#random.next() < loss) return;
    if (message.kind === 'boot') this.#network.push({ kind: 'welcome', welcome: this.#controlPlane.welcome(message.memory) });
    if (message.kind === 'batch') this.#network.push({ kind: 'ack', ack: this.#controlPlane.ingest(message.batch) });
    if (message.kind === 'welcome') this.#delivery.onWelcome(message.welcome);
    if (message.kind === 'ack') this.#hear(message.ack);
  }

  #hear(ack: AckMessage): void {
    const memory = openMeta(this.#journal).read();
    const upto = Math.min(ack.upto, memory.seq);
    const ownChain = this.#rows.chainAt(memory.incarnation, upto) ?? ack.chainAtUpto;
    this.#delivery.onAck(
      {
        ...ack,
        ...(this.#without === 'epoch-in-ack' ? { storeEpoch: memory.storeEpoch ?? '' } : {}),
        ...(this.#without === 'chain-in-ack' ? { upto, chainAtUpto: ownChain } : {}),
      },
      this.#nowMs,
    );
    if (this.#without === 'retention') this.#journal.db.exec("delete from outbox where state <> 'open'");
  }

  #restoreCopy(): void {
    if (this.#copy === undefined) return;
    const before = this.#journal.db.prepare('select uid from outbox').pluck().all() as string[];
    this.#journal.restore(this.#copy);
    const after = new Set(this.#journal.db.prepare('select uid from outbox').pluck().all() as string[]);
    for (const uid of before) if (!after.has(uid)) this.#lostWithDisk.add(uid);
    // Half of the time nothing is started: a snapshot of a live machine resumes in the middle of its work.
    if (this.#random.next() < 0.5) this.#startProcess();
  }

  #startProcess(): void {
    const meta = openMeta(this.#journal);
    const rows = openOutboxRows(this.#journal, meta);
    const random = { next: () => this.#random.next() };
    this.#rows = this.#without === 'rewind' ? withoutRewind(rows, this.#journal) : rows;
    this.#outbox = openOutbox({
      journal: this.#journal,
      meta,
      rows: this.#rows,
      ballast: noBallast,
      clock: new ManualClock(this.#nowMs),
      random,
      failpoint: () => {},
      onFull: () => {},
      settings: { ...outboxDefaults, keepMs: 5_000 },
    });
    this.#delivery = new Delivery({ journal: this.#journal, meta, rows: this.#rows, random, settings: { ...deliveryDefaults, window: 4 } }, this.#nowMs);
  }

  /** A commit that was cut short is the death of the process. */
  #orDie(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      if (!(thrown instanceof PowerCut)) throw thrown;
      this.#startProcess();
    }
  }
}

/** What was called stored is believed for ever. */
function withoutRewind(rows: OutboxRows, journal: MemoryJournal): OutboxRows {
  return {
    ...rows,
    numberAnew(inc) {
      journal.db.exec("update outbox set state = 'durable' where state = 'stored'");
      return rows.numberAnew(inc);
    },
    reopenKept: () => {},
  };
}
