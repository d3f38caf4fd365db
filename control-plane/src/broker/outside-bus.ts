import { Failure } from '@data-in-motion/shared/failure';
import { parseTopic, type TopicName, topicFor, topics } from '@data-in-motion/shared/protocol/topics';
import { systemRandom } from '@data-in-motion/shared/random';
import { backoffMs } from '@data-in-motion/shared/retry';
import { connect } from 'mqtt';
import { largestMessageBytes } from './access-rules.ts';
import { type Bus, HandlerSlot, outgoing, TopicCounter } from './bus.ts';

export interface OutsideBusSettings {
  /** `mqtt://host:port` or `mqtts://host:port` */
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
}

const reconnect = { firstDelayMs: 1_000, longestDelayMs: 60_000 };
/** A broker that has not confirmed a message after this long is as good as away. */
const confirmedWithinMs = 5_000;

function away(message: string, cause?: unknown): Failure {
  return new Failure('unavailable', { code: 'bus.disconnected', message, cause });
}

/**
 * A broker that somebody else runs, for large fleets and several control planes. Its access rules are its own; ours are in
 * `control-plane/README.md` to be copied. Messages are taken one at a time and acknowledged when they are queued, so a full queue
 * fills the broker's window for us and nothing of ours. Throws `unavailable` when the broker refuses the first connection.
 */
export async function connectOutsideBus(settings: OutsideBusSettings): Promise<Bus> {
  const counter = new TopicCounter();
  const slot = new HandlerSlot();
  const client = connect(settings.url, {
    clientId: `control-plane-${crypto.randomUUID()}`,
    ...(settings.username === null ? {} : { username: settings.username }),
    ...(settings.password === null ? {} : { password: settings.password }),
    clean: true,
    keepalive: 60,
    reconnectPeriod: reconnect.firstDelayMs,
    queueQoSZero: false,
    manualConnect: true,
  });
  let attempt = 0;
  /** Messages that the broker has not confirmed: the client itself would let their senders wait until it is connected again. */
  const unconfirmed = new Set<(failure: Failure) => void>();
  client.on('close', () => {
    for (const giveUp of [...unconfirmed]) giveUp(away('the connection to the MQTT broker was lost'));
    client.options.reconnectPeriod = backoffMs(attempt++, reconnect, systemRandom) + 100;
  });
  client.on('error', () => {});
  client.handleMessage = (packet, done) => {
    const row = parseTopic(packet.topic);
    const payload = Buffer.from(packet.payload);
    if (row === undefined || payload.length > largestMessageBytes) {
      slot.refused(packet.topic, row?.identity ?? '', payload, row === undefined ? 'no such topic' : `longer than ${largestMessageBytes} bytes`);
      return done();
    }
    counter.add(row.name, payload.length, Date.now());
    void slot.handle(row.name, row.identity, payload).then(() => done());
  };
  const filters = (Object.keys(topics) as TopicName[]).filter((name) => topics[name].from !== 'control-plane').map((name) => topicFor(name, '+'));
  client.on('connect', () => {
    attempt = 0;
    // Subscribing again after every connect, because no session is kept.
    client.subscribe(filters, { qos: 1 }, () => {});
  });
  const settled = new Promise<void>((resolve) =>
    client
      .once('connect', () => resolve())
      .once('error', () => resolve())
      .once('close', () => resolve()),
  );
  client.connect();
  await settled;
  if (!client.connected) {
    await client.endAsync(true);
    throw new Failure('unavailable', {
      code: 'bus.unreachable',
      message: 'the MQTT broker can not be reached, or refuses us',
      hint: 'Check MQTT_URL, the user name and the password.',
    });
  }
  await client.subscribeAsync(filters, { qos: 1 });

  return {
    kind: 'outside',
    async publish(name, identity, payload) {
      const text = outgoing(name, payload);
      if (!client.connected) throw away('there is no connection to the MQTT broker');
      counter.add(name, text.length, Date.now());
      await new Promise<void>((resolve, reject) => {
        const settle = (failure?: Failure): void => {
          clearTimeout(timer);
          unconfirmed.delete(settle);
          if (failure === undefined) resolve();
          else reject(failure);
        };
        const timer = setTimeout(() => settle(away(`the MQTT broker did not confirm a message within ${confirmedWithinMs} ms`)), confirmedWithinMs);
        unconfirmed.add(settle);
        client.publish(topicFor(name, identity), text, { qos: topics[name].qos, retain: topics[name].retain }, (error) =>
          settle(error ? away(error.message, error) : undefined),
        );
      });
    },
    onMessage: (handler) => slot.set(handler),
    onRefused(handler) {
      slot.refused = handler;
    },
    connected: () => client.connected,
    clients: () => [],
    topicCounts: () => counter.list(Date.now()),
    // Only the broker can; the identity is refused by what its messages may do.
    disconnect: () => {},
    close: () => client.endAsync(true),
  };
}
