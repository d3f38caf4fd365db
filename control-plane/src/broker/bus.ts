import { Failure } from '@data-in-motion/shared/failure';
import { type BusRole, type TopicName, topics } from '@data-in-motion/shared/protocol/topics';

/**
 * Called for every message of an agent or client. The sender's connection is not read on until the promise is settled, so a full
 * queue slows the senders instead of growing; a rejection is the handler's own affair.
 */
export type MessageHandler = (name: TopicName, identity: string, payload: Buffer) => Promise<void>;

/** A message that its sender was not allowed to publish, or that no table row describes. */
export type RefusalHandler = (topic: string, identity: string, payload: Buffer, because: string) => void;

export interface BusClient {
  readonly clientId: string;
  readonly role: BusRole;
  readonly connected: boolean;
  /** When it connected, wall clock. */
  readonly sinceMs: number;
}

export interface TopicCount {
  readonly name: TopicName;
  readonly messages: number;
  readonly bytes: number;
  /** Of the last whole minute, or of the one that runs where that is more already. */
  readonly perMinute: number;
  readonly lastAtMs: number | null;
}

/** The way to the agents: our own broker in this process, or somebody's beside it. A pipe, never a store. */
export interface Bus {
  readonly kind: 'embedded' | 'outside';
  /** Resolves when the broker has it, which says nothing about the receiver. Throws `unavailable` while there is no connection, and when the broker does not confirm it in time. */
  publish(name: TopicName, identity: string, payload: unknown): Promise<void>;
  /** One handler for everything; messages wait until there is one. */
  onMessage(handler: MessageHandler): void;
  onRefused(handler: RefusalHandler): void;
  connected(): boolean;
  /** Who is connected; an outside broker does not tell. */
  clients(): BusClient[];
  topicCounts(): TopicCount[];
  /** End an identity's connection, if it has one; after its rights were taken away. */
  disconnect(identity: string): void;
  close(): Promise<void>;
}

const minuteMs = 60_000;

/** What passed, per row of the topic table. */
export class TopicCounter {
  readonly #counts = new Map<TopicName, { messages: number; bytes: number; lastAtMs: number; minute: number; inMinute: number; before: number }>();

  add(name: TopicName, bytes: number, nowMs: number): void {
    const minute = Math.floor(nowMs / minuteMs);
    const count = this.#counts.get(name) ?? { messages: 0, bytes: 0, lastAtMs: nowMs, minute, inMinute: 0, before: 0 };
    this.#counts.set(name, count);
    if (count.minute !== minute) {
      count.before = count.minute === minute - 1 ? count.inMinute : 0;
      count.inMinute = 0;
      count.minute = minute;
    }
    count.messages++;
    count.inMinute++;
    count.bytes += bytes;
    count.lastAtMs = nowMs;
  }

  list(nowMs: number): TopicCount[] {
    const minute = Math.floor(nowMs / minuteMs);
    return (Object.keys(topics) as TopicName[]).map((name) => {
      const count = this.#counts.get(name);
      if (count === undefined) return { name, messages: 0, bytes: 0, perMinute: 0, lastAtMs: null };
      const ended = count.minute === minute ? count.before : count.minute === minute - 1 ? count.inMinute : 0;
      const running = count.minute === minute ? count.inMinute : 0;
      return { name, messages: count.messages, bytes: count.bytes, perMinute: Math.max(ended, running), lastAtMs: count.lastAtMs };
    });
  }
}

/** The one handler of a bus; who asks for it early waits. */
export class HandlerSlot {
  #handler: MessageHandler | undefined;
  readonly #waiting: (() => void)[] = [];
  refused: RefusalHandler = () => {};

  set(handler: MessageHandler): void {
    this.#handler = handler;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Hand a message over; settles when the next one may come, and never throws. */
  async handle(name: TopicName, identity: string, payload: Buffer): Promise<void> {
    if (this.#handler === undefined) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await this.#handler?.(name, identity, payload);
    } catch {
      // The handler is a door of its own and has told whom it had to; the bus goes on.
    }
  }
}

/** The text of a message of ours. @throws defect for a row that is not the control plane's to send */
export function outgoing(name: TopicName, payload: unknown): string {
  if (topics[name].from !== 'control-plane') throw new Failure('defect', { code: 'bus.not-ours', message: `"${name}" is not a message of the control plane` });
  return JSON.stringify(payload);
}
