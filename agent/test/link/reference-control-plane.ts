import { chainAfter, chainStart } from '@data-in-motion/shared/chain';
import type { AckMessage, BatchMessage } from '@data-in-motion/shared/protocol/messages';
import type { BootMemory } from '../../src/link/delivery.ts';

/** What survives of the store when it is rolled back. */
interface Store {
  /** uid to the text of its records; inserted once. */
  readonly batches: Map<string, string>;
  /** Which batch has a number; the chain as the agent computed it. */
  readonly numbers: Map<string, { uid: string; chain: string }>;
  /** Counted from inserted rows only. */
  counted: number;
}

export interface ReferenceGuards {
  readonly uidDedupe: boolean;
  readonly countInserted: boolean;
  readonly contiguous: boolean;
}

export const allReferenceGuards: ReferenceGuards = { uidDedupe: true, countInserted: true, contiguous: true };

export interface Welcome {
  readonly bootUid: string;
  readonly incarnation: number;
  readonly storeEpoch: string;
  readonly watermark: number;
  readonly publicKeyPem: string;
}

/** The control plane's side of delivery in its smallest form: dedupe by uid, contiguous watermark, chain and epoch in every acknowledgement. */
export class ReferenceControlPlane {
  store: Store = emptyStore();
  readonly #guards: ReferenceGuards;
  #durable: Store = emptyStore();
  #epoch = 1;
  #incarnation = 0;
  readonly #welcomes = new Map<string, number>();

  constructor(guards: ReferenceGuards = allReferenceGuards) {
    this.#guards = guards;
  }

  welcome(boot: BootMemory): Welcome {
    const known = this.#welcomes.get(boot.bootUid);
    if (known === undefined) this.#incarnation = Math.max(this.#incarnation, boot.lastIncarnation) + 1;
    const incarnation = known ?? this.#incarnation;
    this.#welcomes.set(boot.bootUid, incarnation);
    return {
      bootUid: boot.bootUid,
      incarnation,
      storeEpoch: `epoch-${this.#epoch}`,
      watermark: this.#watermark(this.store, boot.lastIncarnation),
      publicKeyPem: 'key',
    };
  }

  ingest(batch: BatchMessage): AckMessage {
    if (chainAfter(batch.prevChain, batch.records) !== batch.chain) throw new Error(`batch ${batch.inc}.${batch.seq} breaks its own chain`);
    const number = `${batch.inc}.${batch.seq}`;
    const isKnown = this.#guards.uidDedupe ? this.store.batches.has(batch.uid) : this.store.numbers.has(number);
    if (!isKnown) this.store.batches.set(this.#guards.uidDedupe ? batch.uid : `${batch.uid}/${number}`, batch.records);
    if (!isKnown || !this.#guards.countInserted) this.store.counted++;
    if (!this.store.numbers.has(number)) this.store.numbers.set(number, { uid: batch.uid, chain: batch.chain });
    return this.#ack(batch.inc, batch.seq, batch.chain);
  }

  /** From here on the present content can not be lost. */
  flush(): void {
    this.#durable = copyOf(this.store);
  }

  /** Failover, restore: commits after the last flush are gone, and the store begins a new life. Incarnations are not given twice. */
  rollBack(): void {
    this.store = copyOf(this.#durable);
    this.#epoch++;
  }

  #ack(inc: number, seq: number, chain: string): AckMessage {
    const upto = this.#guards.contiguous ? this.#watermark(this.store, inc) : seq;
    const holes: number[] = [];
    for (let i = upto + 1; i < seq; i++) if (!this.store.numbers.has(`${inc}.${i}`)) holes.push(i);
    const chainAtUpto = upto === seq ? chain : (this.store.numbers.get(`${inc}.${upto}`)?.chain ?? chainStart);
    return {
      v: 1,
      inc,
      upto,
      chainAtUpto: this.#storedChain(inc, upto) ?? chainAtUpto,
      holes,
      storeEpoch: `epoch-${this.#epoch}`,
      durableUpto: this.#watermark(this.#durable, inc),
    };
  }

  /** What is stored under a number stays; a second batch with the number shows as another chain. */
  #storedChain(inc: number, seq: number): string | undefined {
    return this.store.numbers.get(`${inc}.${seq}`)?.chain;
  }

  #watermark(store: Store, inc: number): number {
    let seq = 0;
    while (store.numbers.has(`${inc}.${seq + 1}`)) seq++;
    return seq;
  }
}

function emptyStore(): Store {
  return { batches: new Map(), numbers: new Map(), counted: 0 };
}

function copyOf(store: Store): Store {
  return { batches: new Map(store.batches), numbers: new Map(store.numbers), counted: store.counted };
}
