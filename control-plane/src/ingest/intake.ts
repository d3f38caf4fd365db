import type { Work } from './read-message.ts';

/** How much a message weighs in the queue and in a transaction: its records, at least one. */
export function weightOf(work: Work): number {
  if (work.kind === 'batch') return Math.max(1, work.batch.content.length);
  if (work.kind === 'access') return work.accesses.length;
  return 1;
}

/**
 * Messages on their way into the store, bounded by records: who brings one waits until there is room for it, which holds back the
 * sender and nobody else. Taken out in groups, in the order of arrival.
 */
export class Intake {
  readonly #mostRecords: number;
  #queue: Work[] = [];
  #records = 0;
  #waiting: { work: Work; taken: () => void }[] = [];
  #wakeTaker: (() => void) | undefined;
  #closed = false;

  constructor(mostRecords: number) {
    this.#mostRecords = mostRecords;
  }

  /** Records that wait, those outside the bound included. */
  get depth(): number {
    return this.#records + this.#waiting.reduce((sum, { work }) => sum + weightOf(work), 0);
  }

  /** Resolves when the message is in the queue. After a close it is dropped: nothing was promised to its sender yet. */
  add(work: Work): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#waiting.length > 0 || (this.#records > 0 && this.#records + weightOf(work) > this.#mostRecords)) {
      return new Promise((taken) => this.#waiting.push({ work, taken }));
    }
    this.#push(work);
    return Promise.resolve();
  }

  /** The next group of up to `mostRecords` records and at least one message; empty after a close. */
  async take(mostRecords: number): Promise<Work[]> {
    if (this.#queue.length === 0 && !this.#closed) await new Promise<void>((resolve) => (this.#wakeTaker = resolve));
    let records = 0;
    let count = 0;
    while (count < this.#queue.length && (count === 0 || records + weightOf(this.#queue[count]!) <= mostRecords)) records += weightOf(this.#queue[count++]!);
    const group = this.#queue.splice(0, count);
    this.#records -= records;
    this.#letIn();
    return group;
  }

  close(): void {
    this.#closed = true;
    for (const { taken } of this.#waiting.splice(0)) taken();
    this.#queue = [];
    this.#records = 0;
    this.#wakeTaker?.();
  }

  #push(work: Work): void {
    this.#queue.push(work);
    this.#records += weightOf(work);
    this.#wakeTaker?.();
    this.#wakeTaker = undefined;
  }

  #letIn(): void {
    while (this.#waiting.length > 0 && (this.#records === 0 || this.#records + weightOf(this.#waiting[0]!.work) <= this.#mostRecords)) {
      const { work, taken } = this.#waiting.shift()!;
      this.#push(work);
      taken();
    }
  }
}
