/** One piece of work: at most one of a job, and at most one on a replica, at a time. */
export interface Work {
  /** Of job, epoch and kind. */
  readonly key: string;
  /** What must not be worked on by two at once. */
  readonly claims: readonly string[];
  /** Reads or writes all of a copy; only some of these run together. */
  readonly isHeavy: boolean;
  run(signal: AbortSignal): Promise<void>;
}

interface Running {
  readonly work: Work;
  readonly stopping: AbortController;
  readonly ended: Promise<void>;
}

/** Runs work in the order in which it came, bounded; what is not wanted any more is stopped. `run` rejects only with a defect, which ends the process. */
export class WorkQueue {
  readonly #heavyAtOnce: number;
  #waiting: Work[] = [];
  readonly #running = new Map<string, Running>();
  #isClosed = false;

  constructor(heavyAtOnce: number) {
    this.#heavyAtOnce = heavyAtOnce;
  }

  has(key: string): boolean {
    return this.#running.has(key) || this.#waiting.some((work) => work.key === key);
  }

  add(work: Work): void {
    this.#waiting.push(work);
    this.#startNext();
  }

  /** Stop everything else. What runs ends at its next safe place; work with the same claims waits for that. */
  keepOnly(keys: ReadonlySet<string>): void {
    this.#waiting = this.#waiting.filter((work) => keys.has(work.key));
    for (const { work, stopping } of this.#running.values()) if (!keys.has(work.key)) stopping.abort();
    this.#startNext();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting = [];
    for (const { stopping } of this.#running.values()) stopping.abort();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  #startNext(): void {
    if (this.#isClosed) return;
    const claimed = new Set([...this.#running.values()].flatMap(({ work }) => work.claims));
    let heavy = [...this.#running.values()].filter(({ work }) => work.isHeavy).length;
    for (const work of [...this.#waiting]) {
      const isFree = work.claims.every((claim) => !claimed.has(claim)) && (!work.isHeavy || heavy < this.#heavyAtOnce);
      // Also what must wait keeps its claims, so that later work for the same job does not overtake it.
      for (const claim of work.claims) claimed.add(claim);
      if (!isFree) continue;
      if (work.isHeavy) heavy++;
      this.#start(work);
    }
  }

  #start(work: Work): void {
    this.#waiting = this.#waiting.filter((one) => one !== work);
    const stopping = new AbortController();
    const ended = work.run(stopping.signal).finally(() => {
      this.#running.delete(work.key);
      this.#startNext();
    });
    this.#running.set(work.key, { work, stopping, ended });
  }
}
