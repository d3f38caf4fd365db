import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { listOf, nodeView } from '@data-in-motion/shared/api/fleet';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Fleet, FleetSettings } from '../src/fleet/fleet.ts';
import { startFleet } from '../src/fleet/local-fleet.ts';
import { freePort } from '../src/fleet/ports.ts';
import { identify } from '../src/fleet/process-identity.ts';

const stub = { controlPlane: path.join(import.meta.dirname, 'stub/control-plane.mjs'), agent: path.join(import.meta.dirname, 'stub/agent.mjs') };
let home: string;
let running: Fleet[] = [];

beforeEach(() => {
  home = path.join(mkdtempSync(path.join(tmpdir(), 'dim-fleet-')), 'home');
});
afterEach(async () => {
  await Promise.all(running.map((fleet) => fleet.stop()));
  running = [];
  rmSync(path.dirname(home), { recursive: true, force: true });
});

async function start(settings: Partial<FleetSettings> = {}): Promise<Fleet> {
  const httpPort = settings.httpPort ?? (await freePort());
  const fleet = await startFleet({
    home,
    httpPort,
    mqttPort: 0,
    environment: { PATH: '/usr/bin:/bin' },
    programs: stub,
    agents: { stubUrl: `http://127.0.0.1:${httpPort}` },
    ...settings,
  });
  running.push(fleet);
  return fleet;
}

test('a fleet starts, enrols its agents once, and goes on where it was after a stop', async () => {
  const first = await start();
  expect(first.nodeIds).toEqual(['berlin', 'frankfurt', 'virginia']);
  expect(await first.loginUrl()).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#token=once-/);
  expect(statSync(path.join(home, 'agents/berlin/credentials.json')).mode & 0o777).toBe(0o600);
  expect(readFileSync(path.join(home, 'address'), 'utf8').trim()).toBe(first.url);
  await first.stop();
  await start();
  expect(JSON.parse(readFileSync(path.join(home, 'database/stub.json'), 'utf8'))).toEqual({ berlin: 1, frankfurt: 1, virginia: 1 });
});

test.each([0, -3_600_000, 3_600_000])(
  "a second start is ready when its agents have spoken, not when the last run remembers them (the control plane's clock %i ms ahead)",
  async (aheadMs) => {
    const controlPlane = { STUB_CLOCK_AHEAD_MS: String(aheadMs) };
    const first = await start({ controlPlane });
    await first.stop();
    const beganAtMs = Date.now() + aheadMs;
    const second = await start({ controlPlane });
    const { items } = await second.api.call('nodes', listOf(nodeView));
    expect(items.map(({ lastHeardAtMs }) => (lastHeardAtMs ?? 0) >= beganAtMs)).toEqual([true, true, true]);
  },
);

test('an agent and a control plane that are killed come back by themselves', async () => {
  const fleet = await start();
  const before = [fleet.processId('berlin'), fleet.processId('control-plane')];
  await fleet.kill('berlin');
  await fleet.killControlPlane();
  await fleet.untilReady();
  expect(fleet.processId('berlin')).not.toBe(before[0]);
  expect(fleet.processId('control-plane')).not.toBe(before[1]);
});

test('a node that was taken down stays down until it is started', async () => {
  const fleet = await start();
  await fleet.stopNode('virginia', 'killed');
  expect(fleet.processId('virginia')).toBeUndefined();
  await fleet.untilReady();
  fleet.startNode('virginia');
  await fleet.untilReady();
  expect(fleet.processId('virginia')).toBeDefined();
});

test('a second fleet on the same directory is refused and names the first', async () => {
  await start();
  await expect(start()).rejects.toThrow(new RegExp(`already running on .*process ${process.pid}`));
});

test('the lock of a process that is gone is taken over, also when its number lives again', async () => {
  const first = await start();
  await first.stop();
  writeFileSync(path.join(home, 'fleet.lock'), JSON.stringify({ pid: process.pid, bootId: 'of-an-earlier-boot', startTicks: '1' }));
  await start();
});

test('a taken port is refused before anything starts, with the variable that changes it', async () => {
  const taken = createServer();
  const port = await new Promise<number>((resolve) => taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)));
  try {
    await expect(start({ httpPort: port })).rejects.toMatchObject({
      message: expect.stringContaining(`Port ${port} on 127.0.0.1 is taken`),
      hint: expect.stringContaining('DIM_HTTP_PORT'),
    });
    await expect(start({ mqttPort: port })).rejects.toMatchObject({ hint: expect.stringContaining('DIM_MQTT_PORT') });
  } finally {
    taken.close();
  }
  await start();
});

test('what a fleet that was killed left running is ended, and its port waited for', async () => {
  const httpPort = await freePort();
  const first = await start({ httpPort });
  await first.stop();
  // Ends slowly: its port is free only a while after it was told to go.
  const left = spawn(process.execPath, [
    '-e',
    `const child = require('node:child_process').spawn(process.execPath, ['-e', "require('node:net').createServer().listen(${httpPort}, '127.0.0.1', () => console.log('up')); setTimeout(() => process.exit(), 2500)"], { stdio: 'inherit' }); setInterval(() => {}, 1000);`,
  ]);
  await once(left.stdout, 'data');
  writeFileSync(path.join(home, 'run/control-plane.json'), JSON.stringify(identify(left.pid!)));
  await start({ httpPort });
  expect(left.exitCode ?? left.signalCode).toBe('SIGKILL');
});

test('a control plane that refuses its settings ends the start with its own words', async () => {
  await expect(start({ controlPlane: { STUB_REFUSES: '1' } })).rejects.toThrow(/ended while starting[\s\S]*DIM_GRACE_MS=soon/);
});

test('a fresh start forgets what a fleet made, ends what a killed supervisor left, and leaves what somebody else put there', async () => {
  const httpPort = await freePort();
  const first = await start({ httpPort });
  await expect(start({ fresh: true })).rejects.toThrow(/already running/);
  await first.stop();
  writeFileSync(path.join(home, 'notes.txt'), 'mine');
  const made = ['database/of-the-first', 'targets/of-the-first'].map((name) => path.join(home, name));
  for (const file of made) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, 'made');
  }
  const left = spawn(process.execPath, [
    '-e',
    `require('node:net').createServer().listen(${httpPort}, '127.0.0.1', () => console.log('up')); setInterval(() => {}, 1000);`,
  ]);
  await once(left.stdout, 'data');
  writeFileSync(path.join(home, 'run/control-plane.json'), JSON.stringify(identify(left.pid!)));
  const gone = once(left, 'exit');
  const second = await start({ httpPort, fresh: true });
  await gone;
  expect(left.signalCode).toBe('SIGKILL');
  expect(readFileSync(path.join(home, 'notes.txt'), 'utf8')).toBe('mine');
  expect(made.filter(existsSync)).toEqual([]);
  expect(JSON.parse(readFileSync(path.join(home, 'database/stub.json'), 'utf8'))).toEqual({ berlin: 1, frankfurt: 1, virginia: 1 });
  await second.stop();
});

test.each([false, true])('a directory with files of somebody else is refused and stays as it is (fresh: %s)', async (fresh) => {
  mkdirSync(path.join(home, 'logs'), { recursive: true });
  writeFileSync(path.join(home, 'logs/thesis.txt'), 'years of work');
  await expect(start({ fresh })).rejects.toThrow(/not a fleet's state/);
  expect(readdirSync(home, { recursive: true }).sort()).toEqual(['logs', 'logs/thesis.txt']);
});

test('the state of a control plane that ran alone is gone on with, unless somebody else put something there', async () => {
  mkdirSync(path.join(home, 'database'), { recursive: true });
  for (const name of ['control-plane.key', 'control-plane.pub', 'control-plane.key.7.partial', 'admin.key', 'thesis.txt'])
    writeFileSync(path.join(home, name), 'dim_stub\n');
  writeFileSync(path.join(home, 'database/stub.json'), '{"berlin":7}');
  await expect(start()).rejects.toThrow(/not a fleet's state/);
  rmSync(path.join(home, 'thesis.txt'));
  const fleet = await start();
  expect(fleet.apiKey).toBe('dim_stub');
  expect(readFileSync(path.join(home, 'control-plane.key'), 'utf8')).toBe('dim_stub\n');
  expect(JSON.parse(readFileSync(path.join(home, 'database/stub.json'), 'utf8'))).toEqual({ berlin: 8, frankfurt: 1, virginia: 1 });
});

test('a fresh start forgets nothing of a control plane that runs alone', async () => {
  mkdirSync(path.join(home, 'database'), { recursive: true });
  writeFileSync(path.join(home, 'control-plane.key'), 'its own\n');
  const { startTicks, ...rest } = identify(process.pid);
  writeFileSync(path.join(home, 'database/lock'), JSON.stringify({ ...rest, startedAt: startTicks }));
  await expect(start({ fresh: true })).rejects.toThrow(`Process ${process.pid} uses the database`);
  expect(readFileSync(path.join(home, 'control-plane.key'), 'utf8')).toBe('its own\n');
  writeFileSync(path.join(home, 'database/lock'), JSON.stringify({ ...rest, startedAt: `${startTicks}1` }));
  await start({ fresh: true });
  expect(readFileSync(path.join(home, 'admin.key'), 'utf8')).toBe('dim_stub\n');
});

test('a taken port is told before a fresh start forgets anything', async () => {
  const first = await start();
  const other = path.join(path.dirname(home), 'other');
  mkdirSync(other);
  writeFileSync(path.join(other, 'control-plane.key'), 'its own\n');
  await expect(start({ home: other, fresh: true, httpPort: Number(new URL(first.url).port) })).rejects.toThrow(/DIM_HTTP_PORT|taken/);
  expect(readFileSync(path.join(other, 'control-plane.key'), 'utf8')).toBe('its own\n');
});

test('a start that died before it made its mark is gone on with', async () => {
  mkdirSync(home);
  writeFileSync(path.join(home, 'fleet.lock'), JSON.stringify({ pid: process.pid, bootId: 'of-an-earlier-boot', startTicks: '1' }));
  await start({ fresh: true });
});

test('a start that hangs is given up, and nothing of it goes on', async () => {
  const givenUp = new AbortController();
  const starting = start({ controlPlane: { STUB_HANGS: '1' }, signal: givenUp.signal, onStep: () => setTimeout(() => givenUp.abort(), 100) });
  await expect(starting).rejects.toThrow('The start was given up.');
  expect(readdirSync(path.join(home, 'run'))).toEqual([]);
  await start();
});
