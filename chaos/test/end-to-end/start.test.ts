import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { listOf, nodeView } from '@data-in-motion/shared/api/fleet';
import { RouteCaller } from '@data-in-motion/shared/api/route-caller';
import { afterAll, expect, test } from 'vitest';
import { readSettings } from '../../src/config.ts';
import { recordedProcesses } from '../../src/fleet/home.ts';
import { assertPortFree, freePort } from '../../src/fleet/ports.ts';
import { identify, isAlive, type ProcessIdentity, signalProcess } from '../../src/fleet/process-identity.ts';
import { removeTree } from '../../src/fleet/remove-tree.ts';

/** `npm start` as a person has it: one program in a terminal, and Ctrl-C. */

const repository = path.resolve(import.meta.dirname, '../../..');
const directory = mkdtempSync(path.join(tmpdir(), 'dim-start-'));
const home = path.join(directory, 'home');
let running: ChildProcess | undefined;

afterAll(async () => {
  if (running !== undefined && running.exitCode === null && running.signalCode === null) {
    const ended = once(running, 'exit');
    // The whole group: killed alone, the program would leave the fleet that it started.
    process.kill(-running.pid!, 'SIGKILL');
    await ended;
  }
  for (const left of recordedProcesses(home).values()) signalProcess(left, 'SIGKILL');
  removeTree(directory);
});

test('npm start listens on this machine alone, Ctrl-C ends everything, and the next start goes on', { timeout: 400_000 }, async () => {
  const [httpPort, mqttPort] = [await freePort(), await freePort()];
  const first = await start(httpPort, mqttPort);
  expect(first.address).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${httpPort}/#token=`));
  expect(await (await fetch(first.address)).text()).toMatch(/<!doctype html>/i);
  const processes = familyOf(running!.pid!);
  // The program itself, the supervisor, the control plane and an agent for each site.
  expect(processes.length).toBeGreaterThanOrEqual(6);
  const listening = listeningOf(processes);
  expect(listening.filter(({ address }) => address !== '127.0.0.1')).toEqual([]);
  expect(listening.map(({ port }) => port)).toEqual(expect.arrayContaining([httpPort, mqttPort]));
  const key = readFileSync(path.join(home, 'admin.key'), 'utf8');
  await interrupt();
  expect(processes.filter(isAlive)).toEqual([]);
  expect(recordedProcesses(home).size).toBe(0);
  await assertPortFree(httpPort, 'DIM_HTTP_PORT', 0);
  await assertPortFree(mqttPort, 'DIM_MQTT_PORT', 0);

  await start(httpPort, mqttPort);
  expect(readFileSync(path.join(home, 'admin.key'), 'utf8')).toBe(key);
  const { items } = await new RouteCaller(`http://127.0.0.1:${httpPort}`, key.trim()).call('nodes', listOf(nodeView));
  expect(items.map(({ nodeId, agentState }) => [nodeId, agentState])).toEqual(['berlin', 'frankfurt', 'virginia'].map((nodeId) => [nodeId, 'online']));
  const again = familyOf(running!.pid!);
  await interrupt();
  expect(again.filter(isAlive)).toEqual([]);
});

/** Resolves with the address that the last line says; throws with all that was said when the program ends before. */
function start(httpPort: number, mqttPort: number): Promise<{ address: string }> {
  const { environment } = readSettings({ ...process.env, DIM_HOME: home });
  const child = spawn(process.execPath, ['start.mjs', 'start'], {
    cwd: repository,
    env: { ...environment, DIM_HOME: home, DIM_HTTP_PORT: String(httpPort), DIM_MQTT_PORT: String(mqttPort) },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, as a shell gives it: Ctrl-C is for all of it.
    detached: true,
  });
  running = child;
  return new Promise((resolve, reject) => {
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const address = /Data in Motion is ready: (\S+)/.exec(said)?.[1];
        if (address !== undefined) resolve({ address });
      });
    }
    child.once('exit', (code) => reject(new Error(`npm start ended with ${code}:\n${said}`)));
  });
}

/** Ctrl-C; resolves when the program has ended, in order. */
async function interrupt(): Promise<void> {
  const ended = once(running!, 'exit');
  process.kill(-running!.pid!, 'SIGINT');
  expect(await ended).toEqual([0, null]);
}

/** A process and all that descend from it. */
function familyOf(pid: number): ProcessIdentity[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It ended meanwhile.
    }
  }
  const family = [pid];
  for (const member of family) for (const [child, parent] of parents) if (parent === member) family.push(child);
  return family.map(identify);
}

/** Addresses on which these processes listen, by proc(5): `net/tcp` has them in hexadecimal, state 0A is listening, and field 10 is the socket. */
function listeningOf(processes: readonly ProcessIdentity[]): { address: string; port: number }[] {
  const sockets = new Set(
    processes.flatMap(({ pid }) => readdirSync(`/proc/${pid}/fd`).map((descriptor) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${descriptor}`))?.[1])),
  );
  return ['/proc/net/tcp', '/proc/net/tcp6'].filter(existsSync).flatMap((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && sockets.has(fields[9]))
      .map(([, local = '']) => {
        const [address = '', port = ''] = local.split(':');
        const isIpv4 = address.length === 8;
        return { address: isIpv4 ? [...Buffer.from(address, 'hex')].reverse().join('.') : address, port: Number.parseInt(port, 16) };
      }),
  );
}

function linkOf(place: string): string {
  try {
    return readlinkSync(place);
  } catch {
    return '';
  }
}
