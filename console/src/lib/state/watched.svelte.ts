import { asRequestFailed, type RequestFailed } from '../api/request-failed.ts';
import { live } from './live.svelte.ts';
import { session } from './session.svelte.ts';

export interface Pace {
  /** Refreshed at least this often even when no event says so: progress and ages move without events. */
  readonly everyMs: number;
  /** …and at most this often, however many events come. */
  readonly atMostEveryMs: number;
}

const usualPace: Pace = { everyMs: 15_000, atMostEveryMs: 1_000 };

export type Load<Value> = (signal: AbortSignal) => Promise<Value>;

/** Something of the control plane that a page shows: its value, its age, and what went wrong with it. */
export class Watched<Value> {
  value = $state.raw<Value | null>(null);
  failed = $state.raw<RequestFailed | null>(null);
  /** When the value was asked for. */
  asOfMs = $state<number | null>(null);
  #load: Load<Value> | null = null;
  #abort: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #startedAtMs = 0;
  #wanted = false;
  #pace = usualPace;

  /** Follow one source until the returned function is called. A new source starts empty. */
  follow(load: Load<Value>, pace: Partial<Pace> = {}): () => void {
    this.#pace = { ...usualPace, ...pace };
    this.#load = load;
    this.value = null;
    this.failed = null;
    this.asOfMs = null;
    void this.refresh();
    const offChange = live.onChange(() => this.#soon());
    const every = setInterval(() => !document.hidden && this.#soon(), this.#pace.everyMs);
    return () => {
      offChange();
      clearInterval(every);
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = null;
      this.#wanted = false;
      this.#load = null;
      this.#abort?.abort();
      this.#abort = null;
    };
  }

  /** Ask now; while an answer is under way, ask once more after it. */
  async refresh(): Promise<void> {
    const load = this.#load;
    if (load === null) return;
    if (this.#abort !== null) {
      this.#wanted = true;
      return;
    }
    const abort = new AbortController();
    this.#abort = abort;
    this.#startedAtMs = Date.now();
    try {
      const value = await load(abort.signal);
      if (abort.signal.aborted) return;
      this.value = value;
      this.asOfMs = this.#startedAtMs;
      this.failed = null;
      live.heard();
    } catch (thrown) {
      if (abort.signal.aborted) return;
      this.failed = asRequestFailed(thrown);
      if (this.failed.status === 401) session.lost();
    }
    this.#abort = null;
    if (this.#wanted) {
      this.#wanted = false;
      this.#soon();
    }
  }

  /** Many events make one question. */
  #soon(): void {
    if (this.#timer !== null) return;
    const waitMs = Math.max(0, this.#startedAtMs + this.#pace.atMostEveryMs - Date.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.refresh();
    }, waitMs);
  }
}

/**
 * Watch a source for as long as the calling component lives. What `source` reads while it runs decides when another source is followed.
 */
export function watch<Value>(source: () => Load<Value>, pace: Partial<Pace> = {}): Watched<Value> {
  const watched = new Watched<Value>();
  $effect(() => watched.follow(source(), pace));
  return watched;
}
