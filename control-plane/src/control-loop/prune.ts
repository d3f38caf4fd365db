import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { asc, gt } from 'drizzle-orm';
import type { Tx } from '../store/database.ts';
import {
  pruneAccesses,
  pruneAnswers,
  pruneBatches,
  pruneDevice,
  pruneDriftLooks,
  pruneEvents,
  pruneModels,
  pruneRates,
  pruneRecommendations,
  pruneRefusals,
  type Retention,
  vacuumNext,
} from '../store/retention.ts';
import { dataset, device } from '../store/schema.ts';
import { type LeaderWrite, type LoopParts, tolerate } from './parts.ts';

/** One thing to look at; answers how many rows it deleted. */
type Slice = (tx: Tx, nowMs: number) => Promise<number>;

/** Names of datasets are read so many at a time: all of a large fleet at once would hold everybody up. */
const datasetsAtOnce = 500;

/**
 * Keeps the database from growing without end: a tour through everything that has an age, a few small deletions with each pass, so that nothing is held up.
 * Where the tour stands is not kept: the next leader starts anew.
 */
export class Pruner {
  readonly #parts: LoopParts;
  #open: Slice[] = [];
  /** The dataset that the tour is at, in the order of their names; null when it has been at all of them. */
  #after: DatasetId | null = null;
  #tourAtMs = Number.NEGATIVE_INFINITY;
  #vacuumAtMs: number | null = null;
  #vacuums = 0;

  constructor(parts: LoopParts) {
    this.#parts = parts;
  }

  async pass(write: LeaderWrite): Promise<void> {
    const { store } = this.#parts;
    const { tourEveryMs, slicesPerPass, rowsPerSlice } = this.#parts.settings.pruning;
    const nowMs = await store.nowMs();
    if (this.#open.length === 0 && this.#after !== null) this.#open = await this.#nextDatasets(this.#after);
    if (this.#open.length === 0 && nowMs >= this.#tourAtMs) {
      this.#tourAtMs = nowMs + tourEveryMs;
      this.#open = await this.#tour();
      this.#after = '' as DatasetId;
    }
    for (let i = 0; i < slicesPerPass && this.#open.length > 0; i++) {
      const slice = this.#open.shift()!;
      await tolerate(this.#parts, async () => {
        if ((await write(slice)) >= rowsPerSlice) this.#open.unshift(slice);
      });
    }
    await tolerate(this.#parts, () => this.#vacuum(nowMs));
  }

  async #tour(): Promise<Slice[]> {
    const { store, settings } = this.#parts;
    const { rowsPerSlice: rows } = settings.pruning;
    const keep: Retention = settings.retention;
    const devices = await store.db.select({ deviceId: device.deviceId }).from(device);
    return [
      (tx, nowMs) => pruneBatches(tx, store.durability, keep, nowMs, rows),
      (tx, nowMs) => pruneEvents(tx, keep, nowMs, rows),
      (tx, nowMs) => pruneDriftLooks(tx, keep, nowMs, rows),
      (tx, nowMs) => pruneAnswers(tx, keep, nowMs, rows),
      (tx, nowMs) => pruneRecommendations(tx, keep, nowMs, rows),
      (tx) => pruneRefusals(tx, rows),
      (tx) => pruneRates(tx, rows),
      (tx) => pruneModels(tx, rows),
      ...devices.map(
        ({ deviceId }): Slice =>
          (tx, nowMs) =>
            pruneDevice(tx, deviceId, keep, nowMs, rows),
      ),
    ];
  }

  async #nextDatasets(after: DatasetId): Promise<Slice[]> {
    const { store, settings } = this.#parts;
    const { datasetId } = dataset;
    const datasets = await store.db.select({ datasetId }).from(dataset).where(gt(datasetId, after)).orderBy(asc(datasetId)).limit(datasetsAtOnce);
    this.#after = datasets.length < datasetsAtOnce ? null : datasets.at(-1)!.datasetId;
    return datasets.map(
      (one): Slice =>
        (tx, nowMs) =>
          pruneAccesses(tx, one.datasetId, settings.retention, nowMs, settings.pruning.rowsPerSlice),
    );
  }

  /** PostgreSQL vacuums by itself. */
  async #vacuum(nowMs: number): Promise<void> {
    const { store, settings } = this.#parts;
    if (store.kind !== 'pglite') return;
    this.#vacuumAtMs ??= nowMs + settings.pruning.vacuumEveryMs;
    if (nowMs < this.#vacuumAtMs) return;
    this.#vacuumAtMs = nowMs + settings.pruning.vacuumEveryMs;
    await vacuumNext(store.db, this.#vacuums++);
  }
}
