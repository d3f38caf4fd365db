import type { Store } from '../store/database.ts';
import { type FleetPlan, fleetPlanMark, fleetPlanText, readFleetPlan } from '../store/fleet-plan.ts';

/** A plan that was made meanwhile shows at most so much later, where its reader may be shown the one before. */
const shownForMs = 5_000;

interface KnownAnswer {
  readonly mark: string;
  readonly answer: Uint8Array<ArrayBuffer>;
  /** When it was the newest for sure. */
  wasNewestAtMs: number;
}

/** The current plan of the whole fleet. It is read only when it is another than before: thousands of moves are megabytes. */
export class PlanReader {
  readonly #store: Store;
  #plan: FleetPlan | null = null;
  #known: KnownAnswer | undefined;
  #reading: Promise<void> | undefined;
  #changes = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** As it is now; null before the first. */
  async plan(): Promise<FleetPlan | null> {
    const mark = await fleetPlanMark(this.#store.db);
    if (mark !== (this.#plan?.mark ?? '')) this.#plan = await readFleetPlan(this.#store);
    return this.#plan;
  }

  /** The answer to who asks for it. @param mayBeOlder the one of a moment ago will do while a new one is being read */
  async answer(mayBeOlder: boolean): Promise<Uint8Array<ArrayBuffer> | null> {
    for (;;) {
      const mark = await fleetPlanMark(this.#store.db);
      if (mark === '') return null;
      const [known, nowMs] = [this.#known, performance.now()];
      if (known?.mark === mark) {
        known.wasNewestAtMs = nowMs;
        return known.answer;
      }
      const reading = this.#read();
      if (mayBeOlder && known !== undefined && nowMs - known.wasNewestAtMs <= shownForMs) {
        reading.catch(() => {});
        return known.answer;
      }
      await reading;
    }
  }

  /** After a change: what was read before it is shown to nobody. */
  forget(): void {
    this.#changes++;
    this.#known = undefined;
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readAnswer().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readAnswer(): Promise<void> {
    const [changes, beganAtMs] = [this.#changes, performance.now()];
    const read = await fleetPlanText(this.#store.db);
    if (read !== undefined && changes === this.#changes)
      this.#known = { mark: read.mark, answer: new TextEncoder().encode(read.text), wasNewestAtMs: beganAtMs };
  }
}
