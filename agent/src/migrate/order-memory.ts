import type { Clock } from '@data-in-motion/shared/clock';
import type { DesiredDocument, Order } from '@data-in-motion/shared/protocol/messages';
import { type Permit, permitOf } from './permit.ts';

const keepReadsMs = 3_600_000;

/** What this process remembers of orders while they come again and again, and forgets when they do not; nothing here must survive a crash. */
export class OrderMemory {
  readonly #clock: Clock;
  readonly #retellEveryMs: number;
  /** By permit: when this process first saw it, on its monotonic clock. */
  readonly #permitsSeen = new Map<string, number>();
  /** By work: when its end was told again. */
  readonly #retoldAtMs = new Map<string, number>();
  /** By work: why it waits, as it was told last. */
  readonly #waitingBecause = new Map<string, string>();
  /** By replica: when the mover itself read its files, by the wall clock. */
  readonly #ownReads = new Map<string, number>();

  constructor(clock: Clock, retellEveryMs: number) {
    this.#clock = clock;
    this.#retellEveryMs = retellEveryMs;
  }

  /** The permit's time runs from here. */
  see(order: Order): void {
    if ('permitId' in order && !this.#permitsSeen.has(order.permitId)) this.#permitsSeen.set(order.permitId, this.#clock.monotonicMs());
  }

  permitOf(order: Permit['order']): Permit {
    return permitOf(order, this.#permitsSeen.get(order.permitId) ?? 0);
  }

  /** Whether it is time to tell the end of some work again; when it is, it counts as told. */
  mayTellAgain(work: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const lastMs = this.#retoldAtMs.get(work);
    if (lastMs !== undefined && nowMs - lastMs < this.#retellEveryMs) return false;
    this.#retoldAtMs.set(work, nowMs);
    return true;
  }

  /** Whether this is another reason to wait than the one that was told last; when it is, it counts as told. */
  isNewReason(work: string, because: string): boolean {
    if (this.#waitingBecause.get(work) === because) return false;
    this.#waitingBecause.set(work, because);
    return true;
  }

  noteOwnRead(replicaId: string): void {
    this.#ownReads.set(replicaId, this.#clock.nowMs());
  }

  /** By the wall clock; null when the mover did not read it lately. */
  lastOwnReadAtMs(replicaId: string): number | null {
    return this.#ownReads.get(replicaId) ?? null;
  }

  /** @param works of the document's orders */
  forgetExcept(document: DesiredDocument, works: ReadonlySet<string>): void {
    for (const seen of [this.#retoldAtMs, this.#waitingBecause]) for (const work of seen.keys()) if (!works.has(work)) seen.delete(work);
    const permits = new Set<string>(document.orders.flatMap((order) => ('permitId' in order ? [order.permitId] : [])));
    for (const permitId of this.#permitsSeen.keys()) if (!permits.has(permitId)) this.#permitsSeen.delete(permitId);
    // File times are looked at of watched copies alone, and of another one from its first look on.
    const watched = new Set<string>(document.watched.map((replica) => replica.replicaId));
    const beforeMs = this.#clock.nowMs() - keepReadsMs;
    for (const [replicaId, atMs] of this.#ownReads) if (atMs < beforeMs && !watched.has(replicaId)) this.#ownReads.delete(replicaId);
  }
}
