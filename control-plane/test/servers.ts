import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { scratchFolder } from './scratch.ts';

/** Real servers for tests: each on a free loopback port, in a folder of its own, ended and removed by `stop`. */
const postgresFolders = ['/usr/lib/postgresql/17/bin', '/usr/lib/postgresql/16/bin', '/usr/lib/postgresql/15/bin', '/usr/local/bin', '/usr/bin'];
const mosquittoPaths = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'];
const postgresBin = postgresFolders.find((folder) => existsSync(join(folder, 'initdb')));
const mosquittoPath = mosquittoPaths.find((path) => existsSync(path));

export const hasPostgres = postgresBin !== undefined;
export const hasMosquitto = mosquittoPath !== undefined;
if (!hasPostgres) console.warn('PostgreSQL is not installed here: its suites are skipped');
if (!hasMosquitto) console.warn('Mosquitto is not installed here: its suites are skipped');

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const clusters = fileURLToPath(new URL('../../node_modules/.cache/dim-postgres', import.meta.url));

/** A cluster takes a second to make and a tenth to copy: one is made per release of the server and kept beside the installed packages. */
function layCluster(data: string, run: { readonly cwd: string; readonly stdio: 'ignore' }): void {
  const initdb = join(postgresBin!, 'initdb');
  const kept = join(clusters, execFileSync(initdb, ['--version'], { encoding: 'utf8' }).replace(/[^\w.]+/g, '-'));
  if (existsSync(kept)) {
    execFileSync('cp', ['-a', kept, data]);
    return;
  }
  execFileSync(initdb, ['-D', data, '-U', 'dim', '-A', 'trust', '-E', 'UTF8', '--no-sync'], run);
  mkdirSync(clusters, { recursive: true });
  const fresh = mkdtempSync(join(clusters, 'new-'));
  execFileSync('cp', ['-a', data, join(fresh, 'data')]);
  try {
    renameSync(join(fresh, 'data'), kept);
  } catch {
    // Another test process was faster.
  }
  rmSync(fresh, { recursive: true, force: true });
}

/** Servers refuse to run as root; Debian's packages bring a user for each. */
function userIds(name: string): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return { uid: Number(execFileSync('id', ['-u', name])), gid: Number(execFileSync('id', ['-g', name])) };
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 2_400; attempt++) {
    if (child.exitCode !== null) throw new Error(`the server ended at once with code ${child.exitCode}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => socket.destroy());
      socket.once('connect', () => socket.end());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the server did not listen in time');
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

export interface PostgresServer {
  /** Connect string of an empty database of the superuser `dim`. */
  readonly url: string;
  /** The folder with the server's Unix socket. */
  readonly socketFolder: string;
  readonly port: number;
  /** Connect string of another database on the same server: empty, or as that of the same server at `like` is, to which nobody is connected. */
  newDatabase(like?: string): Promise<string>;
  /** Like pulling the plug on the processes: `immediate`; a restart recovers from the log, after `awayMs` without a server. */
  restart(awayMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** @param settings by default nothing is flushed: tests end processes and never the machine, and what a process wrote survives its end */
export async function startPostgres(settings: readonly string[] = ['fsync=off']): Promise<PostgresServer> {
  const folder = mkdtempSync(join(scratchFolder, 'dim-pg-'));
  const ids = userIds('postgres');
  if (ids !== undefined) chownSync(folder, ids.uid, ids.gid);
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  const run = { ...(ids ?? {}), cwd: folder, stdio: 'ignore' as const };
  layCluster(data, run);
  const port = await freePort();
  const start = async (): Promise<ChildProcess> => {
    const options = ['listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'max_connections=60', ...settings].flatMap((setting) => [
      '-c',
      setting,
    ]);
    const child = spawn(join(postgresBin!, 'postgres'), ['-D', data, '-p', String(port), ...options], run);
    await untilListening(port, child);
    for (let attempt = 0; attempt < 200; attempt++) {
      try {
        execFileSync(join(postgresBin!, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
        return child;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    }
    throw new Error('PostgreSQL does not accept connections');
  };
  let server = await start();
  let databases = 0;
  const urlOf = (name: string): string => `postgres://dim@127.0.0.1:${port}/${name}`;
  const newDatabase = async (like?: string): Promise<string> => {
    const name = `fleet${++databases}`;
    const client = postgres(urlOf('postgres'), { max: 1 });
    await client.unsafe(`create database ${name} template ${like === undefined ? 'template1' : new URL(like).pathname.slice(1)}`);
    await client.end();
    return urlOf(name);
  };
  return {
    url: await newDatabase(),
    socketFolder: folder,
    port,
    newDatabase,
    async restart(awayMs = 0) {
      await end(server, 'SIGQUIT');
      await new Promise((resolve) => setTimeout(resolve, awayMs));
      server = await start();
    },
    async stop() {
      await end(server, 'SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface MosquittoServer {
  readonly url: string;
  readonly port: number;
  /** Its connections stay open, and nothing is answered any more. */
  freeze(): void;
  kill(): Promise<void>;
  /** Once more on the same port, knowing nothing of before. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** `config` is appended to a configuration that listens on loopback for anybody, and may say otherwise. */
export async function startMosquitto(config: readonly string[] = ['allow_anonymous true']): Promise<MosquittoServer> {
  const folder = mkdtempSync(join(tmpdir(), 'dim-mqtt-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const path = join(folder, 'mosquitto.conf');
  writeFileSync(path, [`listener ${port} 127.0.0.1`, 'persistence false', ...config, ''].join('\n'));
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = spawn(mosquittoPath!, ['-c', path], { cwd: folder, stdio: 'ignore' });
    await untilListening(port, child);
  };
  await start();
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    freeze: () => void child.kill('SIGSTOP'),
    kill: () => end(child, 'SIGKILL'),
    start,
    async stop() {
      await end(child, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
