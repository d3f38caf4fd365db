import { type PayloadOf, type TopicName, topicFor } from '@data-in-motion/shared/protocol/topics';
import type { Random } from '@data-in-motion/shared/random';
import { type DownName, downNames, type Link, type UpName } from './link.ts';
import { Doorway } from './wire.ts';

/** How badly a bus in memory treats its messages; each a probability per message. */
export interface BusWeather {
  readonly loss: number;
  readonly duplication: number;
  /** Held back until the next delivery. */
  readonly reordering: number;
}

export const calm: BusWeather = { loss: 0, duplication: 0, reordering: 0 };

interface Message {
  readonly topic: string;
  readonly text: string;
}

/**
 * A bus within one process: text in, text out, delivered in its own turn of the event loop. It loses, repeats and reorders as told.
 * Retained topics are the last text of each; a client that vanishes has its last will published.
 */
export class MemoryBus {
  weather: BusWeather;
  readonly retained = new Map<string, string>();
  readonly #random: Random;
  readonly #receivers = new Set<(message: Message) => void>();
  #held: Message[] = [];

  constructor(random: Random, weather: BusWeather = calm) {
    this.#random = random;
    this.weather = weather;
  }

  /** @returns a function that ends the subscription */
  subscribe(receiver: (topic: string, text: string) => void): () => void {
    const own = (message: Message): void => receiver(message.topic, message.text);
    this.#receivers.add(own);
    return () => this.#receivers.delete(own);
  }

  publish(topic: string, text: string, retain = false): void {
    if (retain) this.retained.set(topic, text);
    if (this.#random.next() < this.weather.loss) return;
    const message = { topic, text };
    if (this.#random.next() < this.weather.reordering) {
      this.#held.push(message);
      return;
    }
    const due = [message, ...this.#held];
    this.#held = [];
    if (this.#random.next() < this.weather.duplication) due.push(message);
    setImmediate(() => {
      for (const each of due) for (const receiver of this.#receivers) receiver(each);
    });
  }
}

export interface MemoryLinkParts {
  readonly bus: MemoryBus;
  readonly nodeId: string;
  readonly nextSession: () => number;
  readonly nowMs: () => number;
}

/** A link to a bus in the same process. */
export class MemoryLink implements Link {
  readonly #parts: MemoryLinkParts;
  readonly #doorway: Doorway;
  readonly #topics: ReadonlySet<string>;
  #upHandlers: (() => void)[] = [];
  #leave: (() => void) | undefined;
  #session = 0;

  constructor(parts: MemoryLinkParts) {
    this.#parts = parts;
    this.#doorway = new Doorway(parts.nodeId);
    this.#topics = new Set(downNames.map((name) => topicFor(name, parts.nodeId)));
  }

  get up(): boolean {
    return this.#leave !== undefined;
  }

  get unreadable(): number {
    return this.#doorway.unreadable;
  }

  async publish<Name extends UpName>(name: Name, payload: PayloadOf<Name>): Promise<boolean> {
    if (!this.up) return false;
    this.#parts.bus.publish(topicFor(name, this.#parts.nodeId), JSON.stringify(payload));
    return true;
  }

  on<Name extends DownName>(name: Name, handler: (payload: PayloadOf<Name>) => void): void {
    this.#doorway.on(name, handler);
  }

  onUp(handler: () => void): void {
    this.#upHandlers.push(handler);
  }

  start(): void {
    if (this.up) return;
    this.#session = this.#parts.nextSession();
    this.#leave = this.#parts.bus.subscribe((topic, text) => {
      if (this.#topics.has(topic)) this.#doorway.receive(topic, text);
    });
    for (const [topic, text] of this.#parts.bus.retained) if (this.#topics.has(topic)) setImmediate(() => this.up && this.#doorway.receive(topic, text));
    this.#say('online');
    for (const handler of this.#upHandlers) handler();
  }

  /** The connection breaks: the bus publishes the last will. `start` connects again. */
  lose(): void {
    if (!this.up) return;
    this.#leave?.();
    this.#leave = undefined;
    this.#say('offline');
  }

  async stop(): Promise<void> {
    this.lose();
    this.#upHandlers = [];
  }

  #say(state: 'online' | 'offline'): void {
    const message: PayloadOf<'state'> = { v: 1, session: this.#session, state, atMs: this.#parts.nowMs() };
    const name: TopicName = 'state';
    this.#parts.bus.publish(topicFor(name, this.#parts.nodeId), JSON.stringify(message), true);
  }
}
