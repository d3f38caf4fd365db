import type { Clock } from '@data-in-motion/shared/clock';
import type { PayloadOf } from '@data-in-motion/shared/protocol/topics';
import { type Random, seededRandom } from '@data-in-motion/shared/random';
import type { DownName, Link, UpName } from './link.ts';

/** What an armed fault does to messages; `calm` values change nothing. */
export interface Weather {
  readonly cut: boolean;
  readonly addedMs: number;
  readonly duplicateProbability: number;
  readonly reorderProbability: number;
}

/** A message that is held back passes after this long even when no other follows it. */
const longestHoldMs = 5_000;

/** One direction of a link: passes messages on, late, twice or out of order, as the weather is at the moment. */
class Stretch {
  readonly #weather: () => Weather;
  readonly #clock: Clock;
  readonly #random: Random;
  #held: (() => void)[] = [];

  constructor(weather: () => Weather, clock: Clock, random: Random) {
    this.#weather = weather;
    this.#clock = clock;
    this.#random = random;
  }

  pass(deliver: () => void): void {
    const { cut, addedMs, duplicateProbability, reorderProbability } = this.#weather();
    if (cut) return;
    if (this.#random.next() < reorderProbability) {
      this.#held.push(deliver);
      void this.#clock.sleep(longestHoldMs).then(() => this.#release());
      return;
    }
    const times = this.#random.next() < duplicateProbability ? 2 : 1;
    const go = (): void => {
      for (let i = 0; i < times; i++) deliver();
      this.#release();
    };
    if (addedMs === 0) go();
    else void this.#clock.sleep(addedMs).then(() => this.#weather().cut || go());
  }

  #release(): void {
    const due = this.#held;
    this.#held = [];
    for (const deliver of due) deliver();
  }
}

/** A link under armed faults: cut, slow, repeating, reordering. In calm weather it is the link itself. */
export class WeatheredLink implements Link {
  readonly #inner: Link;
  readonly #weather: () => Weather;
  readonly #upward: Stretch;
  readonly #downward: Stretch;
  readonly #upHandlers: (() => void)[] = [];
  #wasCut = false;

  constructor(inner: Link, weather: () => Weather, clock: Clock, seed: number) {
    this.#inner = inner;
    this.#weather = weather;
    this.#upward = new Stretch(weather, clock, seededRandom(seed));
    this.#downward = new Stretch(weather, clock, seededRandom(seed + 1));
  }

  get up(): boolean {
    return this.#inner.up && !this.#weather().cut;
  }

  get unreadable(): number {
    return this.#inner.unreadable;
  }

  publish<Name extends UpName>(name: Name, payload: PayloadOf<Name>): Promise<boolean> {
    if (this.#isCalm()) return this.#inner.publish(name, payload);
    if (!this.up) return Promise.resolve(false);
    this.#upward.pass(() => void this.#inner.publish(name, payload));
    // The bus has not taken it yet, and may never: nobody may rest on this answer anyway.
    return Promise.resolve(true);
  }

  on<Name extends DownName>(name: Name, handler: (payload: PayloadOf<Name>) => void): void {
    this.#inner.on(name, (payload) => (this.#isCalm() ? handler(payload) : this.#downward.pass(() => handler(payload))));
  }

  onUp(handler: () => void): void {
    this.#upHandlers.push(handler);
    this.#inner.onUp(() => {
      if (!this.#weather().cut) handler();
    });
  }

  /** To be called when faults were armed or undone: the end of a cut is a link that comes up. */
  weatherChanged(): void {
    const isCut = this.#weather().cut;
    const cameBack = this.#wasCut && !isCut;
    this.#wasCut = isCut;
    if (cameBack && this.#inner.up) for (const handler of this.#upHandlers) handler();
  }

  start(): void {
    this.#inner.start();
  }

  stop(): Promise<void> {
    return this.#inner.stop();
  }

  #isCalm(): boolean {
    const { cut, addedMs, duplicateProbability, reorderProbability } = this.#weather();
    return !cut && addedMs === 0 && duplicateProbability === 0 && reorderProbability === 0;
  }
}
