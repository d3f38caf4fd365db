import type { AckMessage, BatchMessage, WelcomeMessage } from '@data-in-motion/shared/protocol/messages';
import type { Random } from '@data-in-motion/shared/random';
import type { Journal } from '../journal/journal.ts';
import type { Meta } from '../journal/meta.ts';
import type { OutboxRows, SealedBatch } from '../journal/outbox-rows.ts';

export interface DeliverySettings {
  /** Batches that may be on their way at once. */
  readonly window: number;
  /** What an acknowledgement is thought to take before one was seen. */
  readonly firstAckDelayMs: number;
  readonly shortestResendMs: number;
  readonly longestResendMs: number;
  /** Batches are sent and nobody acknowledges for this long: the control plane may not know this incarnation, so the agent boots again. */
  readonly bootAfterSilenceMs: number;
}

export const deliveryDefaults: DeliverySettings = {
  window: 16,
  firstAckDelayMs: 1_000,
  shortestResendMs: 250,
  longestResendMs: 60_000,
  bootAfterSilenceMs: 120_000,
};

export interface DeliveryParts {
  readonly journal: Journal;
  readonly meta: Meta;
  readonly rows: OutboxRows;
  readonly random: Random;
  readonly settings: DeliverySettings;
}

export type AckAnswer = 'taken' | 'not-ours' | 'store-changed' | 'forked';
export type WelcomeAnswer = 'welcomed' | 'not-ours' | 'incarnation-not-new';

/** What an agent says of its memory when it boots. */
export interface BootMemory {
  readonly bootUid: string;
  readonly lastIncarnation: number;
  readonly lastSeq: number;
  readonly chain: string;
}

interface Sent {
  readonly atMs: number;
  readonly times: number;
}

/**
 * At least once on the wire, so that the control plane can make it exactly once: which batches to send now, and what an acknowledgement means.
 * No timers and no link here: the caller brings the time (milliseconds that only grow) and the messages.
 *
 * The guards, each necessary (the simulation in agent/test/link takes them away one by one):
 * - an acknowledgement counts only for the present incarnation and the store epoch of its welcome: any other epoch means that the store
 *   may have lost commits, so the agent boots again, and **everything not durable is open again** (rewind);
 * - its chain must be ours at that number, or our history forked (journal restored from an older copy, cloned machine): boot again;
 * - a batch is forgotten only when it is durable, and keeps its uid for ever.
 * A new epoch is believed only from the welcome that answers our own boot: an acknowledgement of a dead store that was delayed can so never be taken for news.
 */
export class Delivery {
  readonly #parts: DeliveryParts;
  #boot: string | null;
  readonly #sent = new Map<number, Sent>();
  #ackDelayMs: number;
  #silentSinceMs: number | null = null;
  #dueAtMs: number | null = null;

  constructor(parts: DeliveryParts, nowMs: number) {
    this.#parts = parts;
    this.#ackDelayMs = parts.settings.firstAckDelayMs;
    this.#boot = parts.rows.nextUid(nowMs, parts.random);
  }

  /** What to say until the welcome comes; null when this agent is welcomed. */
  boot(): BootMemory | null {
    if (this.#boot === null) return null;
    const { incarnation, seq, chain } = this.#parts.meta.read();
    return { bootUid: this.#boot, lastIncarnation: incarnation, lastSeq: seq, chain };
  }

  /** Ask for a new incarnation; nothing is sent until it is given. */
  bootAgain(nowMs: number): void {
    if (this.#boot !== null) return;
    this.#boot = this.#parts.rows.nextUid(nowMs, this.#parts.random);
    this.#silentSinceMs = null;
  }

  /**
   * Take the incarnation that was given: what is not durable is numbered from 1 under it and open, uids unchanged, in one commit.
   * `watermark` says what a store that came back still has; it is never taken as an acknowledgement, for this journal may be the older one.
   */
  onWelcome(welcome: Pick<WelcomeMessage, 'bootUid' | 'incarnation' | 'storeEpoch' | 'watermark' | 'publicKeyPem'>): WelcomeAnswer {
    if (welcome.bootUid !== this.#boot) return 'not-ours';
    const { meta, rows, journal } = this.#parts;
    const memory = meta.read();
    if (welcome.incarnation <= memory.incarnation) return 'incarnation-not-new';
    journal.transaction(() => {
      const storeChanged = memory.storeEpoch !== null && memory.storeEpoch !== welcome.storeEpoch;
      if (storeChanged && (welcome.watermark === 0 || welcome.watermark < memory.durableUpto)) rows.reopenKept(memory.incarnation, welcome.watermark);
      const { seq, chain } = rows.numberAnew(welcome.incarnation);
      meta.write({
        incarnation: welcome.incarnation,
        seq,
        chain,
        storeEpoch: welcome.storeEpoch,
        durableUpto: 0,
        renumber: false,
        publicKeyPem: welcome.publicKeyPem,
      });
    });
    this.#boot = null;
    this.#sent.clear();
    this.#silentSinceMs = null;
    return 'welcomed';
  }

  onAck(ack: AckMessage, nowMs: number): AckAnswer {
    const { meta, rows, journal } = this.#parts;
    const memory = meta.read();
    if (this.#boot !== null || ack.inc !== memory.incarnation) return 'not-ours';
    if (ack.storeEpoch !== memory.storeEpoch) {
      this.bootAgain(nowMs);
      return 'store-changed';
    }
    if (this.#isForked(ack, memory.seq)) {
      this.bootAgain(nowMs);
      return 'forked';
    }
    const durableUpto = Math.max(memory.durableUpto, Math.min(ack.durableUpto, ack.upto));
    journal.transaction(() => {
      rows.markStored(ack.inc, ack.upto);
      if (durableUpto === memory.durableUpto) return;
      rows.markDurable(ack.inc, durableUpto);
      meta.write({ durableUpto });
    });
    this.#learnDelay(ack.upto, nowMs);
    for (const seq of this.#sent.keys()) if (seq <= ack.upto) this.#sent.delete(seq);
    for (const seq of ack.holes) this.#sent.delete(seq);
    this.#silentSinceMs = null;
    return 'taken';
  }

  /** When there is something to do if no message comes and nothing is sealed, as of the last `due`; null: not by itself. */
  get dueAtMs(): number | null {
    return this.#dueAtMs;
  }

  /** Batches to send now, oldest first; they count as sent. Empty while the agent is not welcomed. */
  due(nowMs: number): BatchMessage[] {
    const { meta, rows, settings } = this.#parts;
    this.#dueAtMs = null;
    if (meta.read().renumber) this.bootAgain(nowMs);
    if (this.#boot !== null) return [];
    const open = rows.oldestOpen(settings.window);
    if (open.length === 0) {
      this.#silentSinceMs = null;
      return [];
    }
    this.#silentSinceMs ??= nowMs;
    if (nowMs >= this.#silentSinceMs + settings.bootAfterSilenceMs) {
      this.bootAgain(nowMs);
      return [];
    }
    const due = open.filter((batch) => nowMs >= this.#againAtMs(batch.seq)).map((batch) => this.#send(batch, nowMs));
    this.#dueAtMs = Math.min(this.#silentSinceMs + settings.bootAfterSilenceMs, ...open.map((batch) => this.#againAtMs(batch.seq)));
    return due;
  }

  /** The link was down: what was on its way is sent again at once, and the silence was nobody's. */
  onLinkUp(): void {
    this.#sent.clear();
    this.#silentSinceMs = null;
  }

  #isForked(ack: AckMessage, lastSeq: number): boolean {
    if (ack.upto === 0) return false;
    if (ack.upto > lastSeq) return true;
    const own = this.#parts.rows.chainAt(ack.inc, ack.upto);
    // A row that is gone was durable and pruned: the acknowledgement is an old one.
    return own !== undefined && own !== ack.chainAtUpto;
  }

  /** When a batch is to be sent, once more if it was. */
  #againAtMs(seq: number): number {
    const sent = this.#sent.get(seq);
    if (sent === undefined) return Number.NEGATIVE_INFINITY;
    const { shortestResendMs, longestResendMs } = this.#parts.settings;
    const wait = Math.max(shortestResendMs, 2 * this.#ackDelayMs) * 2 ** Math.min(sent.times - 1, 10);
    return sent.atMs + Math.min(wait, longestResendMs);
  }

  #send(batch: SealedBatch, nowMs: number): BatchMessage {
    this.#sent.set(batch.seq, { atMs: nowMs, times: (this.#sent.get(batch.seq)?.times ?? 0) + 1 });
    const { uid, inc, seq, prevChain, chain, sealedAtMs, records } = batch;
    return { v: 1, uid, inc, seq, prevChain, chain, sealedAtMs, records };
  }

  /** Smoothed as TCP does (RFC 6298, alpha 1/8), and like it (Karn) only from batches that were sent once. */
  #learnDelay(upto: number, nowMs: number): void {
    const sent = this.#sent.get(upto);
    if (sent?.times === 1) this.#ackDelayMs += (nowMs - sent.atMs - this.#ackDelayMs) / 8;
  }
}
