import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Aedes } from 'aedes';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ControlPlaneStub } from './control-plane-stub.ts';

const agent = path.resolve(import.meta.dirname, '../..');
const built = path.join(agent, 'build/main.js');
const sources = path.join(agent, 'src/main.ts');
let broker: Aedes;
let server: Server;
let mqttUrl: string;
let directory: string;
let controlPlane: ControlPlaneStub;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  execFileSync(process.execPath, [path.join(agent, 'build-agent.ts')]);
  broker = await Aedes.createBroker();
  broker.on('publish', (packet) => {
    if (!packet.topic.startsWith('$SYS')) controlPlane.hear(packet.topic, packet.payload.toString());
  });
  server = createServer(broker.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  mqttUrl = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise<void>((resolve) => broker.close(resolve));
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'dim-process-'));
  controlPlane = new ControlPlaneStub('node-a', (topic, payload) =>
    broker.publish({ cmd: 'publish', topic, payload, qos: 1, dup: false, retain: false }, () => {}),
  );
});
afterEach(async () => {
  for (const child of children) {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGKILL');
    await ended;
  }
  children.clear();
  rmSync(directory, { recursive: true, force: true });
});

function writeSettings(settings: object = {}): string {
  const file = path.join(directory, 'agent.json');
  mkdirSync(path.join(directory, 'data'), { recursive: true });
  const fast = { smartctl: 'off', targetEveryMs: 200, targetToldEveryMs: 200 };
  const targets = [{ targetId: 'disk-1', root: 'data', tier: 'hot', reserveBytes: 0 }];
  writeFileSync(
    file,
    JSON.stringify({
      nodeId: 'node-a',
      siteId: 'berlin',
      mqttUrl,
      password: 'secret',
      stateDirectory: 'state',
      targets,
      telemetry: fast,
      ballastBytes: 1_000_000,
      faultsAllowed: true,
      ...settings,
    }),
  );
  return file;
}

function run(args: string[], environment: Record<string, string> = {}, program = built): { child: ChildProcess; said: () => string } {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece: Buffer) => (text += piece.toString()));
  return { child, said: () => text };
}

const agentTold = (): Promise<void> => controlPlane.untilTold((record) => record.type === 'target-stats' && record.reachable);
const startsLimitMs = 90_000;
const hasTwice = (): boolean => new Set(controlPlane.reference.store.batches.keys()).size !== controlPlane.reference.store.counted;

test.each([built, sources])('an agent process runs, and ends cleanly on a signal: %s', async (program) => {
  const { child, said } = run(['--config', writeSettings()], {}, program);
  await agentTold();
  const rssMb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
  console.log(`an agent that runs takes ${rssMb.toFixed(0)} MiB of memory`);
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  expect(code, said()).toBe(0);
  expect(said()).toContain('agent stopped');
});

test('an agent that is killed at any of its crash points goes on after the next start, and tells nothing twice', { timeout: startsLimitMs }, async () => {
  for (const point of ['C32:kill:1', 'C28:kill:2', 'C29:kill:1', 'C29:kill:3', 'C30:kill:1', 'C30:kill:2']) {
    const { child, said } = run(['--config', writeSettings()], { DIM_FAILPOINT: point });
    const [, signal] = await once(child, 'exit');
    expect(signal, `${point}: ${said()}`).toBe('SIGKILL');
  }
  const before = controlPlane.records.length;
  run(['--config', writeSettings()]);
  await controlPlane.until(() => controlPlane.records.length > before);
  expect(hasTwice()).toBe(false);
  expect(controlPlane.boots.at(-1)?.lastIncarnation).toBeGreaterThanOrEqual(4);
});

test('a fault that kills the agent is told before, and is over at the next start', async () => {
  const { child } = run(['--config', writeSettings()]);
  await agentTold();
  controlPlane.fault({
    experimentId: '01ARZ3NDEKTSV4RRFFQ69G5FAV' as never,
    action: 'arm',
    kind: 'kill-agent',
    subject: 'node-a',
    parameters: {},
    ttlMs: 5_000,
    seed: 1,
  });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
  run(['--config', writeSettings()]);
  await controlPlane.untilTold((record) => record.type === 'fault' && record.state === 'undone');
  expect(controlPlane.records.filter((record) => record.type === 'fault').map((record) => record.state)).toEqual(['armed', 'undone']);
});

test('an agent enrols with a token, and only its owner can read what it got', async () => {
  const asked: unknown[] = [];
  const http = createHttpServer((request, response) => {
    let body = '';
    request.on('data', (piece) => (body += piece));
    request.on('end', () => {
      const { token, nodeId } = JSON.parse(body) as { token: string; nodeId: string };
      asked.push({ url: request.url, token, nodeId });
      response.statusCode = token === 'good-token' ? 201 : 403;
      response.end(
        JSON.stringify(
          token === 'good-token'
            ? { nodeId, password: 'given', mqttUrl, keyId: controlPlane.key.keyId, publicKeyPem: 'x' }
            : { title: 'Forbidden', detail: 'The token was used.' },
        ),
      );
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const file = writeSettings({ mqttUrl: null, password: null, credentialsFile: 'credentials.json' });

  const refused = run(['enroll', url, '--token', 'used-token', '--config', file]);
  expect((await once(refused.child, 'exit'))[0]).toBe(2);
  expect(refused.said()).toContain('The token was used.');

  const enrolled = run(['enroll', url, '--token', 'good-token', '--config', file]);
  expect((await once(enrolled.child, 'exit'))[0], enrolled.said()).toBe(0);
  expect(asked.at(-1)).toEqual({ url: '/v1/agents/enroll', token: 'good-token', nodeId: 'node-a' });
  expect(statSync(path.join(directory, 'credentials.json')).mode & 0o777).toBe(0o600);
  http.close();

  run(['--config', file]);
  await agentTold();
});

test('settings that can not work end the process with all that is wrong', async () => {
  const { child, said } = run(['--config', writeSettings({ siteId: 'Not A Name', quietMs: 'long' })]);
  expect((await once(child, 'exit'))[0]).toBe(2);
  expect(said()).toMatch(/siteId: [\s\S]*quietMs: /);
});
