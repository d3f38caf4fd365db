import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { countReads } from '../store/counted-reads.ts';
import type { LeaderWrite, LoopParts } from './parts.ts';

const dayMs = 86_400_000;
/** Of a month an hour changes little. */
const tourEveryMs = 3_600_000;
/** A slice of datasets that are used in every minute is millions of rows. */
const datasetsPerSlice = 200;

export type CountSlice = typeof countReads;

/** Keeps what was read of each dataset over the past weeks, some datasets with each pass. Where the tour stands is not kept: the next leader starts anew. */
export class ReadCounter {
  readonly #parts: LoopParts;
  readonly #count: CountSlice;
  #after: DatasetId | null = null;
  #tourAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: LoopParts, count: CountSlice = countReads) {
    this.#parts = parts;
    this.#count = count;
  }

  async pass(write: LeaderWrite): Promise<void> {
    const nowMs = await this.#parts.store.nowMs();
    if (this.#after === null && nowMs < this.#tourAtMs) return;
    if (this.#after === null) this.#tourAtMs = nowMs + tourEveryMs;
    const forMs = this.#parts.settings.decisions.heat.pastDays * dayMs;
    this.#after = (await write((tx, atMs) => this.#count(tx, atMs, forMs, this.#after, datasetsPerSlice))).last;
  }
}
