import { driveOutcomes } from '../health/drive-outcomes.ts';
import { heardDrives, storeDriveOutcome } from '../store/drive-outcomes.ts';
import { type LeaderWrite, type LoopParts, tolerate } from './parts.ts';

/** Writes down what became of drives, as far as it can be told from what they answer. */
export class OutcomeWatch {
  readonly #parts: LoopParts;
  #againAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: LoopParts) {
    this.#parts = parts;
  }

  async pass(write: LeaderWrite): Promise<void> {
    const { store, settings } = this.#parts;
    const nowMs = await store.nowMs();
    if (nowMs < this.#againAtMs) return;
    this.#againAtMs = nowMs + settings.outcomes.lookEveryMs;
    for (const found of driveOutcomes(await heardDrives(store.db), settings.outcomes))
      await tolerate(this.#parts, () => write((tx, atMs) => storeDriveOutcome(tx, atMs, found)));
  }
}
