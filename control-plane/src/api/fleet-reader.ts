import type { Store } from '../store/database.ts';
import { type FleetRows, readRows } from './fleet-rows.ts';
import { makeAgain } from './per-look.ts';
import { PlanReader } from './plan-reader.ts';

interface Look {
  readonly beganAtMs: number;
  /** `forgotten`: somebody changed something here since it began; `overtaken`: something else happened. */
  state: 'newest' | 'overtaken' | 'forgotten';
  /** Null while it is under way. */
  tookMs: number | null;
  readonly rows: Promise<FleetRows>;
  datasets: number;
}

/** Several requests of one page load share one look at the database. */
const freshForMs = 250;
/** One that took longer than that is kept so many times as long, while nobody says that something happened: looking must not be all that is done. */
const timesKept = 10;
/** One that was overtaken is looked at anew after so many times as long as it took, and shown meanwhile. */
const timesKeptOvertaken = 3;
/** And up to so many times longer it is still shown while the next one is under way. */
const timesShown = 3;
/** From so many datasets on, whoever does not ask for the newest is not kept waiting each time that something happens: a look takes a tenth of a second and more. */
const largeFleet = 10_000;

export class FleetReader {
  readonly #store: Store;
  readonly #largeFrom: number;
  readonly #plans: PlanReader;
  /** The newest that was begun, and the newest that ended well. */
  #look: Look | undefined;
  #shown: Look | undefined;
  #waiting: Promise<FleetRows> | undefined;

  constructor(store: Store, largeFrom = largeFleet) {
    this.#store = store;
    this.#largeFrom = largeFrom;
    this.#plans = new PlanReader(store);
    // Whoever has read that something happened, and asks for the newest, must not be shown the rows from before it.
    store.signals.on('events', () => this.#mark('overtaken'));
  }

  /**
   * The rows, from after whatever was told to have happened. Where nothing was, they are at most a quarter of a second old, or, where a look takes long,
   * some times as old as that; `asOfMs` says it. One look is under way at a time; who needs a later one waits for it together with all others who do.
   */
  read(): Promise<FleetRows> {
    return this.#readFrom((look) => look.state === 'newest');
  }

  /** The same for a page: of a large fleet from after every change that was made through this interface; what else has happened shows a moment later, unless `newest` is asked for. */
  show({ newest }: { readonly newest: boolean }): Promise<FleetRows> {
    return newest || !this.#isLarge ? this.read() : this.#readFrom((look) => look.state !== 'forgotten');
  }

  get #isLarge(): boolean {
    return this.#shown !== undefined && this.#shown.datasets >= this.#largeFrom;
  }

  #readFrom(serves: (look: Look) => boolean): Promise<FleetRows> {
    const [look, shown] = [this.#look, this.#shown];
    if (look === undefined) return this.#begin();
    const isUnderWay = look.tookMs === null;
    if (shown !== undefined && serves(shown)) {
      const times = shown.state === 'newest' ? timesKept : timesKeptOvertaken;
      const keptMs = Math.max(freshForMs, times * shown.tookMs!);
      const ageMs = performance.now() - shown.beganAtMs;
      if (ageMs <= keptMs) return shown.rows;
      if (keptMs > freshForMs && ageMs <= timesShown * keptMs) {
        if (!isUnderWay) void this.#begin();
        return shown.rows;
      }
    }
    if (!isUnderWay) return this.#begin();
    if (serves(look)) return look.rows;
    const begin = (): Promise<FleetRows> => {
      this.#waiting = undefined;
      return this.#begin();
    };
    this.#waiting ??= look.rows.then(begin, begin);
    return this.#waiting;
  }

  /** After a change: what began before it is not enough for anybody's next read. */
  forget(): void {
    this.#mark('forgotten');
    this.#plans.forget();
  }

  #mark(state: 'overtaken' | 'forgotten'): void {
    for (const look of [this.#look, this.#shown]) if (look !== undefined && look.state !== 'forgotten') look.state = state;
  }

  #begin(): Promise<FleetRows> {
    const beganAtMs = performance.now();
    const rows = this.#read();
    const look: Look = { beganAtMs, state: 'newest', tookMs: null, rows, datasets: 0 };
    this.#look = look;
    const ended = (): void => {
      look.tookMs = performance.now() - beganAtMs;
    };
    rows.then(
      ({ datasets }) => {
        ended();
        look.datasets = datasets.length;
        this.#shown = look;
      },
      () => {
        ended();
        look.state = 'forgotten';
      },
    );
    return rows;
  }

  /** The current plan of the whole fleet as the answer to a request; null before the first. As with pages, of a large fleet the newest comes to who asks for it. */
  planAnswer({ newest }: { readonly newest: boolean }): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#plans.answer(!newest && this.#isLarge);
  }

  async #read(): Promise<FleetRows> {
    const rows = await readRows(this.#store, await this.#plans.plan());
    const before = await this.#shown?.rows;
    if (before !== undefined) await makeAgain(before, rows);
    return rows;
  }
}
