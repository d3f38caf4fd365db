import type { PayloadOf, TopicName, topics } from '@data-in-motion/shared/protocol/topics';

type From<Sender extends string> = { [Name in TopicName]: (typeof topics)[Name]['from'] extends Sender ? Name : never }[TopicName];
/** Rows of the topic table that an agent sends; `state` is the link's own. */
export type UpName = Exclude<From<'agent'>, 'state'>;
/** Rows that an agent receives: its own, and of the fleet's the model. */
export type DownName = 'welcome' | 'ack' | 'nudge' | 'desired' | 'fault' | 'model';
export const downNames = ['welcome', 'ack', 'nudge', 'desired', 'fault', 'model'] as const satisfies readonly DownName[];

/**
 * One agent's connection to the bus. Messages may be lost, repeated, delayed and reordered at any time; nothing may rest on one arriving.
 *
 * - The link announces itself on the `state` topic: online when it is up, offline as its last will, each with the session number of the connection.
 * - It connects again by itself, for ever, and subscribes again each time.
 * - What arrives is parsed by its topic's schema; what does not parse is counted and goes no further.
 */
export interface Link {
  /** Connected and subscribed. */
  readonly up: boolean;
  /** Messages that were dropped at the door because they did not parse. */
  readonly unreadable: number;
  /** True when the bus took the message; false when it did not, or nobody knows. It is never a receipt of the control plane. */
  publish<Name extends UpName>(name: Name, payload: PayloadOf<Name>): Promise<boolean>;
  /** One handler per row; set before `start`. It must not throw. */
  on<Name extends DownName>(name: Name, handler: (payload: PayloadOf<Name>) => void): void;
  /** Called each time the link comes up, after the subscriptions stand. */
  onUp(handler: () => void): void;
  start(): void;
  /** Says offline, then disconnects. */
  stop(): Promise<void>;
}
