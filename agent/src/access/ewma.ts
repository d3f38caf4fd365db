import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import type { Journal } from '../journal/journal.ts';

const hourMs = 3_600_000;
/** An access counts half after this long: fast enough to notice a working day, slow enough not to forget it over lunch. */
export const halfLifeMs = 6 * hourMs;
const decayPerMs = Math.LN2 / halfLifeMs;

interface Rate {
  /** Accesses, each weighed by how long ago it was. */
  weight: number;
  atMs: number;
}

/**
 * Exponentially weighted accesses per hour of each dataset: the sum of `2^(-age / halfLife)` over its accesses, times ln 2 / half-life.
 * A steady n per hour settles at n; after a stop it halves every half-life. The agent's part of heat: it needs no history and no control plane.
 * With a journal the rates survive a restart.
 */
export class EwmaCounter {
  readonly #rates = new Map<DatasetId, Rate>();
  readonly #journal: Journal | null;
  /** Something was counted or forgotten since the journal was written. */
  #isNews = false;

  constructor(journal: Journal | null) {
    this.#journal = journal;
    if (journal === null) return;
    journal.define('ewma', ['CREATE TABLE ewma (dataset_id TEXT PRIMARY KEY, weight REAL NOT NULL, at_ms INTEGER NOT NULL) STRICT']);
    for (const row of journal.db.prepare('SELECT dataset_id, weight, at_ms FROM ewma').all() as { dataset_id: DatasetId; weight: number; at_ms: number }[]) {
      this.#rates.set(row.dataset_id, { weight: row.weight, atMs: row.at_ms });
    }
  }

  /** @param accesses at least 0; an access from before the last one counts as if it were now, time does not run backwards */
  count(datasetId: DatasetId, accesses: number, atMs: number): void {
    this.#isNews = true;
    const rate = this.#rates.get(datasetId) ?? { weight: 0, atMs };
    const laterMs = Math.max(rate.atMs, atMs);
    this.#rates.set(datasetId, { weight: rate.weight * Math.exp(-decayPerMs * (laterMs - rate.atMs)) + accesses, atMs: laterMs });
  }

  /** 0 for a dataset that was never counted. */
  perHour(datasetId: DatasetId, nowMs: number): number {
    const rate = this.#rates.get(datasetId);
    if (rate === undefined) return 0;
    return rate.weight * Math.exp(-decayPerMs * Math.max(0, nowMs - rate.atMs)) * decayPerMs * hourMs;
  }

  /** Forget all but these, and keep what is left for the next start. */
  keep(datasetIds: readonly DatasetId[]): void {
    for (const datasetId of this.#rates.keys()) if (!datasetIds.includes(datasetId)) this.#isNews = this.#rates.delete(datasetId);
    const journal = this.#journal;
    // Rates that only fade are told by those that are there.
    if (journal === null || !this.#isNews) return;
    journal.transaction(() => {
      journal.db.prepare('DELETE FROM ewma').run();
      const insert = journal.db.prepare('INSERT INTO ewma (dataset_id, weight, at_ms) VALUES (?, ?, ?)');
      for (const [datasetId, rate] of this.#rates) insert.run(datasetId, rate.weight, Math.round(rate.atMs));
    });
    this.#isNews = false;
  }
}
