import type { Clock } from '@data-in-motion/shared/clock';
import { asFailure } from '@data-in-motion/shared/failure';
import { type PayloadOf, topicFor, topics } from '@data-in-motion/shared/protocol/topics';
import type { Random } from '@data-in-motion/shared/random';
import { backoffMs } from '@data-in-motion/shared/retry';
import type { MqttClient } from 'mqtt';
import { connect } from './connect.ts';
import type { DownName, Link, UpName } from './link.ts';
import { downNames } from './link.ts';
import { Doorway } from './wire.ts';

export interface MqttLinkSettings {
  readonly url: string;
  /** Also the client id and the user name. */
  readonly nodeId: string;
  readonly password: string;
  /** Full jitter between 0 and a bound that doubles from the first to the longest; short ones are for a bus on the same machine. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  readonly keepaliveSec: number;
}

export interface MqttLinkParts {
  readonly settings: MqttLinkSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly nextSession: () => number;
  /** What went wrong with a connection, in words; the same words once until a connection stood. For the log. */
  readonly onTrouble: (what: string) => void;
}

const connectTimeoutMs = 15_000;
const publishTimeoutMs = 30_000;
/** A client that is ended while it connects never says that it closed. */
const stopTimeoutMs = 200;
/** A connection that stood this long was a good one: the back-off begins anew. */
const steadyMs = 30_000;

/**
 * A link over MQTT 3.1.1, clean session. Each connection is a new client with its own last will, so a session number is never shared by two
 * and nothing waits in stores of the client library, which lose messages; what must arrive is sent again by the outbox.
 */
export class MqttLink implements Link {
  readonly #parts: MqttLinkParts;
  readonly #doorway: Doorway;
  readonly #upHandlers: (() => void)[] = [];
  readonly #stopping = new AbortController();
  #client: MqttClient | undefined;
  #up = false;
  #session = 0;
  #lastTrouble = '';
  #running: Promise<void> | undefined;

  constructor(parts: MqttLinkParts) {
    this.#parts = parts;
    this.#doorway = new Doorway(parts.settings.nodeId);
  }

  get up(): boolean {
    return this.#up;
  }

  get unreadable(): number {
    return this.#doorway.unreadable;
  }

  publish<Name extends UpName>(name: Name, payload: PayloadOf<Name>): Promise<boolean> {
    if (!this.#up || this.#client === undefined) return Promise.resolve(false);
    const { qos, retain } = topics[name];
    return published(this.#client, topicFor(name, this.#parts.settings.nodeId), JSON.stringify(payload), { qos, retain });
  }

  on<Name extends DownName>(name: Name, handler: (payload: PayloadOf<Name>) => void): void {
    this.#doorway.on(name, handler);
  }

  onUp(handler: () => void): void {
    this.#upHandlers.push(handler);
  }

  start(): void {
    this.#running ??= this.#keepConnected();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#up && this.#client !== undefined) {
      await Promise.race([this.#say(this.#client, 'offline'), this.#parts.clock.sleep(1_000)]);
    }
    this.#client?.end(true);
    await this.#running;
  }

  async #keepConnected(): Promise<void> {
    const { clock, random, settings } = this.#parts;
    for (let attempt = 0; !this.#stopping.signal.aborted; attempt++) {
      const startedMs = clock.monotonicMs();
      await this.#oneConnection().catch((thrown: unknown) => {
        const failure = asFailure(thrown);
        // Without a number that was written down there is no session: a full disk is waited for as a bus that is away. That a bus is away,
        // or refuses us, is an event and never thrown.
        if (failure.kind !== 'exhausted') throw thrown;
        this.#complain(failure.message);
      });
      if (clock.monotonicMs() - startedMs > steadyMs) attempt = 0;
      await clock.sleep(backoffMs(attempt, settings, random), this.#stopping.signal);
    }
  }

  /** Resolves when the connection is over, however that came. */
  async #oneConnection(): Promise<void> {
    const { settings } = this.#parts;
    this.#session = this.#parts.nextSession();
    const client = connect(settings.url, {
      clientId: settings.nodeId,
      username: settings.nodeId,
      password: settings.password,
      protocolVersion: 4,
      clean: true,
      keepalive: settings.keepaliveSec,
      connectTimeout: connectTimeoutMs,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      // It would keep a buffer for each of 65,536 numbers, 9 MB, to save what we do some times a second.
      writeCache: false,
      will: { ...this.#stateMessage('offline'), qos: topics.state.qos, retain: topics.state.retain },
    });
    this.#client = client;
    client.setMaxListeners(0);
    client.on('message', (topic, payload) => this.#doorway.receive(topic, payload.toString('utf8')));
    client.on('error', (error) => this.#complain(error.message));
    return new Promise((resolve) => {
      client.on('connect', () => void this.#arrive(client));
      const stop = (): void => void setTimeout(over, stopTimeoutMs).unref();
      const over = (): void => {
        this.#stopping.signal.removeEventListener('abort', stop);
        if (this.#client === client) this.#up = false;
        client.end(true);
        resolve();
      };
      client.once('close', over);
      this.#stopping.signal.addEventListener('abort', stop, { once: true });
    });
  }

  async #arrive(client: MqttClient): Promise<void> {
    try {
      const wanted = downNames.filter((name) => name !== 'model').map((name) => topicFor(name, this.#parts.settings.nodeId));
      const granted = await client.subscribeAsync(wanted, { qos: 1 });
      const refused = granted.filter((grant) => grant.qos === 128).map((grant) => grant.topic);
      if (refused.length > 0) throw new Error(`the bus refuses the subscription to ${refused.join(', ')}`);
    } catch (thrown) {
      this.#complain(thrown instanceof Error ? thrown.message : String(thrown));
      client.end(true);
      return;
    }
    // A bus whose rights are of an older release is no reason not to speak: without a model the rules judge.
    await client.subscribeAsync(topicFor('model'), { qos: topics.model.qos }).catch(() => {
      if (client.connected) this.#complain(`the bus refuses the subscription to ${topicFor('model')}`);
    });
    if (this.#client !== client || !client.connected || this.#stopping.signal.aborted) return;
    this.#up = true;
    this.#lastTrouble = '';
    void this.#say(client, 'online');
    for (const handler of this.#upHandlers) handler();
  }

  #complain(what: string): void {
    if (what !== this.#lastTrouble) this.#parts.onTrouble(what);
    this.#lastTrouble = what;
  }

  #stateMessage(state: 'online' | 'offline'): { topic: string; payload: Buffer } {
    const message: PayloadOf<'state'> = { v: 1, session: this.#session, state, atMs: Math.max(0, Math.floor(this.#parts.clock.nowMs())) };
    return { topic: topicFor('state', this.#parts.settings.nodeId), payload: Buffer.from(JSON.stringify(message)) };
  }

  #say(client: MqttClient, state: 'online' | 'offline'): Promise<boolean> {
    const { topic, payload } = this.#stateMessage(state);
    return published(client, topic, payload, { qos: topics.state.qos, retain: topics.state.retain });
  }
}

/** True on PUBACK; false when the connection went first, or nothing came in time. */
function published(client: MqttClient, topic: string, payload: string | Buffer, options: { qos: 0 | 1; retain: boolean }): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (ok: boolean): void => {
      clearTimeout(timer);
      client.off('close', lost);
      resolve(ok);
    };
    const lost = (): void => answer(false);
    const timer = setTimeout(lost, publishTimeoutMs);
    client.once('close', lost);
    client.publish(topic, payload, options, (error) => answer(error === undefined || error === null));
  });
}
