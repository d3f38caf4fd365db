import { connect, type MqttClient } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/broker/bus.ts';
import { startEmbeddedBus } from '../../src/broker/embedded-bus.ts';
import { connectOutsideBus } from '../../src/broker/outside-bus.ts';
import { hasMosquitto, startMosquitto } from '../servers.ts';
import { nextMessage, until } from './mqtt-events.ts';

interface Ground {
  readonly bus: Bus;
  readonly url: string;
  stop(): Promise<void>;
}

async function embedded(): Promise<Ground> {
  const bus = await startEmbeddedBus({ host: '127.0.0.1', port: 0, authenticate: async (_, password) => (password === 'right' ? 'agent' : undefined) });
  return { bus, url: `mqtt://127.0.0.1:${bus.port}`, stop: () => bus.close() };
}

async function outside(): Promise<Ground> {
  const server = await startMosquitto();
  const bus = await connectOutsideBus({ url: server.url, username: null, password: null });
  return {
    bus,
    url: server.url,
    async stop() {
      await bus.close();
      await server.stop();
    },
  };
}

const grounds = [{ name: 'embedded', start: embedded }, ...(hasMosquitto ? [{ name: 'mosquitto', start: outside }] : [])];

describe.each(grounds)('a bus on the $name broker', ({ start }) => {
  const clients: MqttClient[] = [];
  let ground: Ground | undefined;
  const agent = async (name: string): Promise<MqttClient> => {
    const client = connect(ground!.url, { clientId: name, username: name, password: 'right', reconnectPeriod: 0 });
    clients.push(client);
    await until(client, 'connect');
    return client;
  };
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.endAsync(true);
    await ground?.stop();
  });

  it('hands over what an agent says, with its row and its name', async () => {
    ground = await start();
    const heard = new Promise((resolve) => ground!.bus.onMessage(async (name, identity, payload) => resolve({ name, identity, payload: payload.toString() })));
    (await agent('n1')).publish('dim/v1/n1/up/ask', '{"v":1}', { qos: 1 });
    expect(await heard).toEqual({ name: 'ask', identity: 'n1', payload: '{"v":1}' });
    expect(ground.bus.topicCounts().find((count) => count.name === 'ask')).toMatchObject({ messages: 1, bytes: 7 });
  });

  it('brings a message down to the one agent that it is for', async () => {
    ground = await start();
    const [one, two] = [await agent('n1'), await agent('n2')];
    const strays: string[] = [];
    two.on('message', (topic) => strays.push(topic));
    await one.subscribeAsync('dim/v1/n1/down/#', { qos: 1 });
    await two.subscribeAsync('dim/v1/n2/down/#', { qos: 1 });
    const arrived = nextMessage(one);
    await ground.bus.publish('nudge', 'n1', { v: 1, rev: 7 });
    expect(await arrived).toEqual({ topic: 'dim/v1/n1/down/nudge', text: '{"v":1,"rev":7}' });
    const own = nextMessage(two);
    await ground.bus.publish('nudge', 'n2', { v: 1, rev: 8 });
    await own;
    expect(strays).toEqual(['dim/v1/n2/down/nudge']);
  });

  it('keeps a failure model of a megabyte for the agent that comes later', async () => {
    ground = await start();
    const message = { v: 1, body: 'x'.repeat(1_100_000), signature: 's', keyId: 'k' };
    await ground.bus.publish('model', '', message);
    const one = await agent('n1');
    const arrived = nextMessage(one);
    await one.subscribeAsync('dim/v1/fleet/model', { qos: 1 });
    const { topic, text } = await arrived;
    expect([topic, JSON.parse(text)]).toEqual(['dim/v1/fleet/model', message]);
  });

  it('does not take the next messages while those before them have no room', async () => {
    ground = await start();
    let go = (): void => {};
    const room = new Promise<void>((resolve) => (go = resolve));
    let taken = 0;
    ground.bus.onMessage(async () => {
      taken++;
      await room;
    });
    const one = await agent('n1');
    const acknowledged = one.publishAsync('dim/v1/n1/up/ask', 'x', { qos: 1 });
    let isAcknowledged = ground.bus.kind === 'outside';
    void acknowledged.then(() => (isAcknowledged = true));
    while (taken === 0) await new Promise((resolve) => setImmediate(resolve));
    if (ground.bus.kind === 'embedded') expect(isAcknowledged).toBe(false);
    go();
    await acknowledged;
  });

  it('goes on after a handler that throws', async () => {
    ground = await start();
    let calls = 0;
    const second = new Promise<void>((resolve) =>
      ground!.bus.onMessage(async () => {
        if (++calls === 2) return resolve();
        throw new Error('defect');
      }),
    );
    const one = await agent('n1');
    await one.publishAsync('dim/v1/n1/up/ask', 'x', { qos: 1 });
    await one.publishAsync('dim/v1/n1/up/ask', 'y', { qos: 1 });
    await second;
  });

  it('keeps the last retained state and tells the will of an agent whose line breaks', async () => {
    ground = await start();
    const states: string[] = [];
    const gone = new Promise<void>((resolve) =>
      ground!.bus.onMessage(async (_, identity, payload) => {
        states.push(`${identity}:${payload}`);
        if (String(payload) === 'gone') resolve();
      }),
    );
    const client = connect(ground.url, {
      clientId: 'n1',
      username: 'n1',
      password: 'right',
      reconnectPeriod: 0,
      will: { topic: 'dim/v1/n1/up/state', payload: Buffer.from('gone'), qos: 1, retain: true },
    });
    clients.push(client);
    await until(client, 'connect');
    await client.publishAsync('dim/v1/n1/up/state', 'here', { qos: 1, retain: true });
    client.stream.destroy();
    await gone;
    expect(states).toEqual(['n1:here', 'n1:gone']);
  });

  it('refuses to send what is not the control plane’s to say', async () => {
    ground = await start();
    await expect(ground.bus.publish('batch', 'n1', {})).rejects.toMatchObject({ kind: 'defect' });
  });
});

describe('an outside bus', () => {
  it('that can not be reached says so', async () => {
    await expect(connectOutsideBus({ url: 'mqtt://127.0.0.1:9', username: null, password: null })).rejects.toMatchObject({ kind: 'unavailable' });
  });
});
