import { type PayloadOf, parseTopic, topics } from '@data-in-motion/shared/protocol/topics';
import { type DownName, downNames } from './link.ts';

type Handlers = { [Name in DownName]?: (payload: PayloadOf<Name>) => void };

/** The door for what arrives: topic to row, text to payload, payload to its handler. */
export class Doorway {
  readonly #nodeId: string;
  readonly #handlers: Handlers = {};
  #unreadable = 0;

  constructor(nodeId: string) {
    this.#nodeId = nodeId;
  }

  get unreadable(): number {
    return this.#unreadable;
  }

  on<Name extends DownName>(name: Name, handler: (payload: PayloadOf<Name>) => void): void {
    const handlers: { [N in Name]?: (payload: PayloadOf<N>) => void } = this.#handlers;
    handlers[name] = handler;
  }

  /** Hand a message to its handler; anything that is not for this node or the fleet, or does not parse, is only counted. */
  receive(topic: string, text: string): void {
    const row = parseTopic(topic);
    const name = downNames.find((known) => known === row?.name);
    const isOurs = row?.identity === this.#nodeId || row?.identity === '';
    const payload = name === undefined || !isOurs ? undefined : parseJson(text);
    if (name === undefined || payload === undefined) {
      this.#unreadable++;
      return;
    }
    const parsed = topics[name].payload.safeParse(payload);
    if (!parsed.success) {
      this.#unreadable++;
      return;
    }
    const handler = this.#handlers[name] as ((payload: unknown) => void) | undefined;
    handler?.(parsed.data);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
