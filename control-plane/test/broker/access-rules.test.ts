import { type BusRole, type TopicName, topicFor, topics } from '@data-in-motion/shared/protocol/topics';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largestMessageBytes } from '../../src/broker/access-rules.ts';
import { type EmbeddedBus, startEmbeddedBus } from '../../src/broker/embedded-bus.ts';
import { until } from './mqtt-events.ts';

const roles = new Map<string, BusRole>([
  ['n1', 'agent'],
  ['n2', 'agent'],
  ['app', 'client'],
]);
const names = Object.keys(topics) as TopicName[];

describe('who may use which topic', () => {
  let bus: EmbeddedBus;
  const refusals: string[] = [];
  const taken: string[] = [];
  const url = () => `mqtt://127.0.0.1:${bus.port}`;
  const open = (options: IClientOptions): MqttClient => connect(url(), { reconnectPeriod: 0, password: 'right', ...options });
  const join = async (name: string): Promise<MqttClient> => {
    const client = open({ clientId: name, username: name });
    await until(client, 'connect');
    return client;
  };
  /** Whether a connection outlives what was sent on it. */
  const survives = async (client: MqttClient): Promise<boolean> => {
    const closed = until(client, 'close').then(() => false);
    const told = client.subscribeAsync(`dim/v1/${client.options.clientId}/down/#`).then(
      () => true,
      () => false,
    );
    const outcome = await Promise.race([closed, told]);
    await client.endAsync(true);
    return outcome;
  };

  beforeAll(async () => {
    bus = await startEmbeddedBus({
      host: '127.0.0.1',
      port: 0,
      authenticate: async (identity, password) => (password === 'right' ? roles.get(identity) : undefined),
    });
    bus.onMessage(async (name, identity) => void taken.push(`${name} ${identity}`));
    bus.onRefused((topic, identity) => refusals.push(`${topic} ${identity}`));
  });
  afterAll(() => bus.close());

  const publishing = (['n1', 'app'] as const).flatMap((who) => names.flatMap((name) => ['n1', 'app', 'n2'].map((of) => ({ who, name, of }))));
  it.each(publishing)('$who publishes $name of $of only when it is its own to say', async ({ who, name, of }) => {
    const topic = topicFor(name, of);
    const mine = of === who && (topics[name].from === 'client' || (topics[name].from === 'agent' && roles.get(who) === 'agent'));
    const client = await join(who);
    client.on('error', () => {});
    const before = { refused: refusals.length, taken: taken.length };
    client.publish(topic, '{}', { qos: 0 });
    expect(await survives(client)).toBe(mine);
    expect([refusals.length - before.refused, taken.length - before.taken]).toEqual(mine ? [0, 1] : [1, 0]);
  });

  const filters = [
    'dim/v1/n1/down/#',
    'dim/v1/n2/down/#',
    'dim/v1/+/down/#',
    'dim/v1/#',
    '#',
    '+/#',
    '$SYS/#',
    '$share/g/dim/v1/n1/down/#',
    'dim/v1/n1/up/#',
    'dim/v1/n2/up/batch',
    'dim/v1/fleet/#',
    'dim/v1/fleet/events',
    'dim/v1/fleet/model',
    'dim/v1/n1/down/ack',
    'dim/v1/n2/down/ack',
  ];
  const allowed: Record<string, string[]> = {
    n1: ['dim/v1/n1/down/#', 'dim/v1/n1/down/ack', 'dim/v1/fleet/model'],
    app: ['dim/v1/fleet/#', 'dim/v1/fleet/events', 'dim/v1/fleet/model'],
  };
  it.each(Object.keys(allowed))('%s subscribes only to what is for it', async (who) => {
    const client = await join(who);
    const granted: string[] = [];
    for (const filter of filters) {
      const outcome = await client.subscribeAsync(filter, { qos: 1 }).catch(() => []);
      if (outcome.some((one) => one.qos < 128)) granted.push(filter);
    }
    await client.endAsync(true);
    expect(granted.sort()).toEqual(allowed[who]!.sort());
  });

  const connects: { what: string; options: IClientOptions }[] = [
    { what: 'a wrong password', options: { clientId: 'n1', username: 'n1', password: 'wrong' } },
    { what: 'no password', options: { clientId: 'n1', username: 'n1', password: undefined as unknown as string } },
    { what: 'another one’s client id', options: { clientId: 'n2', username: 'n1' } },
    { what: 'an unknown identity', options: { clientId: 'n9', username: 'n9' } },
    { what: 'a keepalive of an hour', options: { clientId: 'n1', username: 'n1', keepalive: 3_600 } },
    { what: 'no keepalive', options: { clientId: 'n1', username: 'n1', keepalive: 0 } },
    {
      what: 'a will on another one’s topic',
      options: { clientId: 'n1', username: 'n1', will: { topic: 'dim/v1/n2/up/state', payload: Buffer.from('x'), qos: 1, retain: true } },
    },
    {
      what: 'a will on its batches',
      options: { clientId: 'n1', username: 'n1', will: { topic: 'dim/v1/n1/up/batch', payload: Buffer.from('x'), qos: 1, retain: false } },
    },
    { what: 'the name of something every object has', options: { clientId: 'constructor', username: 'constructor' } },
  ];
  it.each(connects)('nobody comes in with $what', async ({ options }) => {
    const client = open(options);
    client.on('error', () => {});
    await until(client, 'close');
    expect(client.connected).toBe(false);
    await client.endAsync(true);
    expect(bus.clients()).toEqual([]);
  });

  const hostile: { what: string; send: (client: MqttClient) => void }[] = [
    { what: 'a retained batch', send: (client) => client.publish('dim/v1/n1/up/batch', '{}', { retain: true }) },
    { what: 'a message of a megabyte', send: (client) => client.publish('dim/v1/n1/up/batch', Buffer.alloc(1 << 20)) },
    { what: 'a message a byte too long', send: (client) => client.publish('dim/v1/n1/up/batch', Buffer.alloc(largestMessageBytes + 1)) },
    { what: 'a topic of a hundred and twenty levels', send: (client) => client.publish('a/'.repeat(120), 'x') },
    { what: 'a $ topic', send: (client) => client.publish('$SYS/x/new/clients', 'n2') },
  ];
  it.each(hostile)('the connection that sends $what is closed, and the others stay', async ({ send }) => {
    const bystander = await join('n2');
    const client = await join('n1');
    client.on('error', () => {});
    const closed = until(client, 'close');
    send(client);
    await closed;
    await client.endAsync(true);
    expect(await survives(bystander)).toBe(true);
  });

  it('an identity that is disconnected is gone, and one that comes twice replaces itself', async () => {
    const first = await join('n1');
    const replaced = until(first, 'close');
    const second = await join('n1');
    await replaced;
    const ended = until(second, 'close');
    bus.disconnect('n1');
    await ended;
    await first.endAsync(true);
    await second.endAsync(true);
    expect(bus.clients()).toEqual([]);
  });
});
