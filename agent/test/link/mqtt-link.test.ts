import { type ChildProcess, spawn } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '@data-in-motion/shared/clock';
import { Failure } from '@data-in-motion/shared/failure';
import { topicFor } from '@data-in-motion/shared/protocol/topics';
import { systemRandom } from '@data-in-motion/shared/random';
import { Aedes } from 'aedes';
import mqtt, { type MqttClient } from 'mqtt';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type ContractBus, type HeardMessage, linkContract } from '../../src/link/link.contract.ts';
import { MqttLink } from '../../src/link/mqtt-link.ts';

interface Broker {
  readonly port: number;
  close(): Promise<void>;
}

const mosquitto = '/usr/sbin/mosquitto';
if (!existsSync(mosquitto)) console.log('mosquitto is not installed: the link is tried against the embedded broker only');

describe('an MQTT link on the embedded broker', () => linkContract(async () => busOn(await embeddedBroker())));
describe.skipIf(!existsSync(mosquitto))('an MQTT link on mosquitto', () => linkContract(async () => busOn(await mosquittoBroker())));

describe('an MQTT link whose bus is away', () => {
  const parts = { clock: systemClock, random: systemRandom };
  const settings = { nodeId: 'node-a', password: '', firstDelayMs: 1, longestDelayMs: 2, keepaliveSec: 20 };

  test('leaves nothing behind of a connection that is over', async () => {
    const signals = new Set<AbortSignal>();
    const add = EventTarget.prototype.addEventListener;
    vi.spyOn(EventTarget.prototype, 'addEventListener').mockImplementation(function (this: EventTarget, ...given) {
      if (this instanceof AbortSignal) signals.add(this);
      add.apply(this, given);
    });
    onTestFinished(() => void vi.restoreAllMocks());
    let sessions = 0;
    const url = `mqtt://127.0.0.1:${await freePort()}`;
    const link = new MqttLink({ ...parts, settings: { ...settings, url }, nextSession: () => ++sessions, onTrouble: () => undefined });
    link.start();
    await vi.waitFor(() => expect(sessions).toBeGreaterThan(10), 10_000);
    expect(signals.size).toBeGreaterThan(0);
    expect(Math.max(...[...signals].map((signal) => getEventListeners(signal, 'abort').length))).toBeLessThanOrEqual(2);
    await link.stop();
  });

  test('goes on trying when a session could not be written down', async () => {
    const troubles: string[] = [];
    let asked = 0;
    const nextSession = (): number => {
      asked++;
      throw new Failure('exhausted', { code: 'journal.disk-full', message: 'the disk is full' });
    };
    const link = new MqttLink({ ...parts, settings: { ...settings, url: 'mqtt://127.0.0.1:1' }, nextSession, onTrouble: (what) => troubles.push(what) });
    link.start();
    await vi.waitFor(() => expect(asked).toBeGreaterThan(2), 10_000);
    await link.stop();
    expect(troubles).toEqual(['the disk is full']);
  });

  test('does not take a mistake of ours for a bus that is away', async () => {
    const troubles: string[] = [];
    const nextSession = (): number => {
      throw new TypeError('a mistake');
    };
    const link = new MqttLink({ ...parts, settings: { ...settings, url: 'mqtt://127.0.0.1:1' }, nextSession, onTrouble: (what) => troubles.push(what) });
    link.start();
    await expect(link.stop()).rejects.toThrow('a mistake');
    expect(troubles).toEqual([]);
  });

  test('speaks on a bus that does not let it hear models, and says so', async () => {
    const broker = await Aedes.createBroker({
      authorizeSubscribe: (_, subscription, done) => done(null, subscription.topic === topicFor('model') ? null : subscription),
    });
    const server = createServer(broker.handle);
    onTestFinished(() => void server.close());
    const troubles: string[] = [];
    const url = `mqtt://127.0.0.1:${await listening(server)}`;
    const link = new MqttLink({ ...parts, settings: { ...settings, url }, nextSession: () => 1, onTrouble: (what) => troubles.push(what) });
    const up = new Promise<void>((resolve) => link.onUp(resolve));
    link.start();
    await up;
    expect(troubles).toEqual(['the bus refuses the subscription to dim/v1/fleet/model']);
    await link.stop();
    await new Promise<void>((resolve) => broker.close(resolve));
  });

  test('goes on trying a bus that refuses its password', async () => {
    const refusing = createServer((socket) => {
      // Who is refused hangs up, sometimes before the answer is sent to its end.
      socket.on('error', () => socket.destroy());
      socket.once('data', () => socket.end(Buffer.from([0x20, 2, 0, 5])));
    });
    const url = `mqtt://127.0.0.1:${await listening(refusing)}`;
    onTestFinished(() => void refusing.close());
    const troubles: string[] = [];
    let sessions = 0;
    const link = new MqttLink({ ...parts, settings: { ...settings, url }, nextSession: () => ++sessions, onTrouble: (what) => troubles.push(what) });
    link.start();
    await vi.waitFor(() => expect(sessions).toBeGreaterThan(2), 10_000);
    await link.stop();
    expect(troubles).toEqual([expect.stringMatching(/not authorized/i)]);
  });
});

/** A proxy stands between link and broker, so that a connection can be cut without a word. */
async function busOn(broker: Broker): Promise<ContractBus> {
  const sockets = new Set<Socket>();
  const proxy = createServer((incoming) => {
    const outgoing = connect(broker.port, '127.0.0.1');
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  const port = await listening(proxy);
  const watcher = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, { clientId: 'control-plane', protocolVersion: 4 });
  const heard: HeardMessage[] = [];
  const waiting = new Set<() => void>();
  watcher.on('message', (topic, payload) => {
    heard.push({ topic, text: payload.toString() });
    for (const look of waiting) look();
  });
  await watcher.subscribeAsync('dim/v1/+/up/#', { qos: 1 });
  let session = 0;
  return {
    makeLink: (nodeId) =>
      new MqttLink({
        settings: { url: `mqtt://127.0.0.1:${port}`, nodeId, password: 'secret', firstDelayMs: 20, longestDelayMs: 100, keepaliveSec: 5 },
        clock: systemClock,
        random: systemRandom,
        nextSession: () => ++session,
        onTrouble: () => {},
      }),
    untilHeard: (matches) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = heard.find(matches);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    say: (topic, text, retain = false) => void watcher.publish(topic, text, { qos: 1, retain }),
    break: () => {
      for (const socket of sockets) socket.destroy();
      return { again: () => {} };
    },
    retained: (topic) => retainedText(broker.port, topic),
    close: async () => {
      await watcher.endAsync(true);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
      await broker.close();
    },
  };
}

async function retainedText(port: number, topic: string): Promise<string> {
  const client: MqttClient = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4 });
  const text = new Promise<string>((resolve) => client.on('message', (_, payload) => resolve(payload.toString())));
  await client.subscribeAsync(topic, { qos: 1 });
  const answer = await text;
  await client.endAsync(true);
  return answer;
}

async function embeddedBroker(): Promise<Broker> {
  const broker = await Aedes.createBroker();
  const server = createServer(broker.handle);
  const port = await listening(server);
  return {
    port,
    close: async () => {
      await new Promise<void>((resolve) => broker.close(resolve));
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function mosquittoBroker(): Promise<Broker> {
  const directory = mkdtempSync(path.join(tmpdir(), 'dim-mosquitto-'));
  const port = await freePort();
  writeFileSync(path.join(directory, 'mosquitto.conf'), `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`);
  const child = spawn(mosquitto, ['-c', path.join(directory, 'mosquitto.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
  await running(child);
  return {
    port,
    close: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function running(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.on('data', (piece: Buffer) => {
      said += piece.toString();
      if (said.includes('running')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`mosquitto ended with ${code}: ${said}`)));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}
