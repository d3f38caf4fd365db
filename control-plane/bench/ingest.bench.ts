import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@data-in-motion/shared/clock';
import Table from 'cli-table3';
import { connectAsync } from 'mqtt';
import postgres from 'postgres';
import { median } from 'simple-statistics';
import { startEmbeddedBus } from '../src/broker/embedded-bus.ts';
import { startIngest } from '../src/ingest/ingest.ts';
import { openStore } from '../src/store/database.ts';
import { hasMosquitto, hasPostgres, type PostgresServer, startMosquitto, startPostgres } from '../test/servers.ts';

/**
 * Rows per CPU-second from MQTT to durable rows: our broker, door and store, with deduplication and acknowledgement after the commit,
 * against Mosquitto, mqtt.js and batched INSERT … unnest without either. The same messages, in turn, in one run; the senders are not counted.
 */
if (!hasPostgres || !hasMosquitto) process.exit(0);

interface Load {
  readonly name: string;
  readonly connections: number;
  readonly batches: number;
  readonly perBatch: number;
}
const rounds = 5;
const loads: readonly Load[] = [
  { name: '12 drives per batch', connections: 20, batches: 200, perBatch: 12 },
  { name: '120 readings per batch', connections: 20, batches: 40, perBatch: 120 },
];
const ticksPerSec = 100;

/** CPU seconds of processes by their ids, with those of their ended children. */
function cpuSecOf(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    for (const at of [11, 12, 13, 14]) ticks += Number(fields[at]);
  }
  return ticks / ticksPerSec;
}

function postgresPids(server: PostgresServer): number[] {
  const main = Number(readFileSync(join(server.socketFolder, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
  const isChild = (pid: string): boolean => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === main;
    } catch {
      return false;
    }
  };
  return [
    main,
    ...readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && isChild(name))
      .map(Number),
  ];
}

interface Senders {
  go(): void;
  end(): Promise<void>;
}

async function startSenders(url: string, load: Load, life: number): Promise<Senders> {
  const script = fileURLToPath(new URL('./ingest-load.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [script, url, load.connections, load.batches, load.perBatch, life].map(String), {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout!, 'data');
  return {
    go: () => void child.stdin!.write('go\n'),
    async end() {
      const ended = once(child, 'exit');
      child.stdin!.write('end\n');
      await ended;
    },
  };
}

interface Measured {
  readonly rowsPerCpuSec: number;
  readonly rowsPerSec: number;
}

/** Run one load and measure until `rows()` has grown by all of it. */
async function measure(url: string, load: Load, life: number, pids: () => readonly number[], rows: () => number): Promise<Measured> {
  const senders = await startSenders(url, load, life);
  const expected = rows() + load.connections * load.batches * load.perBatch;
  const own = process.cpuUsage();
  const others = cpuSecOf(pids());
  const beganMs = performance.now();
  senders.go();
  while (rows() < expected) await new Promise((resolve) => setTimeout(resolve, 5));
  const tookSec = (performance.now() - beganMs) / 1_000;
  const used = process.cpuUsage(own);
  const cpuSec = (used.user + used.system) / 1e6 + cpuSecOf(pids()) - others;
  await senders.end();
  const total = load.connections * load.batches * load.perBatch;
  return { rowsPerCpuSec: total / cpuSec, rowsPerSec: total / tookSec };
}

async function startOurs(server: PostgresServer) {
  const store = await openStore({ databaseUrl: await server.newDatabase(), directory: '' });
  const bus = await startEmbeddedBus({ host: '127.0.0.1', port: 0, authenticate: async () => 'agent' });
  const ingest = startIngest({
    store,
    bus,
    clock: systemClock,
    publicKeyPem: '',
    onBoot: async () => {},
    onAsk: () => {},
    onJobsChanged: () => {},
    onFailure(failure) {
      throw failure;
    },
  });
  return {
    url: `mqtt://127.0.0.1:${bus.port}`,
    pids: () => postgresPids(server),
    rows: () => ingest.counts().records,
    async stop() {
      await ingest.stop();
      await bus.close();
      await store.close();
    },
  };
}

/** The common way: collect what arrives, insert it with one unnest per column when there is enough or the last insert is done. */
async function startPeer(server: PostgresServer) {
  const broker = await startMosquitto(['allow_anonymous true', 'max_queued_messages 0', 'max_inflight_messages 0']);
  const sql = postgres(await server.newDatabase(), { path: join(server.socketFolder, `.s.PGSQL.${server.port}`), max: 1, onnotice: () => {} });
  await sql`create table reading (device_id text not null, node_id text not null, at_ms bigint not null, received_at_ms bigint not null, source text not null, status text not null,
    temperature_celsius double precision, power_on_hours double precision, self_assessment_passed boolean, smart jsonb not null, batch_uid text not null)`;
  await sql`create index on reading (device_id, at_ms)`;
  type Row = {
    deviceId: string;
    atMs: number;
    source: string;
    status: string;
    temperatureCelsius: number;
    powerOnHours: number;
    selfAssessmentPassed: boolean;
    smart: object;
    node: string;
    uid: string;
  };
  let waiting: Row[] = [];
  let stored = 0;
  let inserting = false;
  const insert = async (): Promise<void> => {
    if (inserting) return;
    inserting = true;
    while (waiting.length > 0) {
      const rows = waiting.splice(0, 4_000);
      const now = Date.now();
      await sql`insert into reading select * from unnest(${rows.map((r) => r.deviceId)}::text[], ${rows.map((r) => r.node)}::text[], ${rows.map((r) => r.atMs)}::bigint[], ${rows.map(() => now)}::bigint[],
        ${rows.map((r) => r.source)}::text[], ${rows.map((r) => r.status)}::text[], ${rows.map((r) => r.temperatureCelsius)}::float8[], ${rows.map((r) => r.powerOnHours)}::float8[],
        ${rows.map((r) => String(r.selfAssessmentPassed))}::text[]::boolean[], ${rows.map((r) => JSON.stringify(r.smart))}::text[]::jsonb[], ${rows.map((r) => r.uid)}::text[])`;
      stored += rows.length;
    }
    inserting = false;
  };
  const client = await connectAsync(broker.url);
  client.on('message', (topic, payload) => {
    const message = JSON.parse(payload.toString()) as { uid: string; records: string };
    const node = topic.split('/')[2]!;
    for (const row of JSON.parse(message.records) as Row[]) waiting.push({ ...row, node, uid: message.uid });
    void insert();
  });
  await client.subscribeAsync('dim/v1/+/up/batch', { qos: 1 });
  const brokerPid = Number(readdirSync('/proc').find((pid) => /^\d+$/.test(pid) && isBroker(pid)));
  return {
    url: broker.url,
    pids: () => [brokerPid, ...postgresPids(server)],
    rows: () => stored,
    async stop() {
      await client.endAsync(true);
      await sql.end();
      waiting = [];
      await broker.stop();
    },
  };
}

/** Mosquitto's own process among ours: the one whose parent is this and whose name fits. */
function isBroker(pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.includes('(mosquitto)') && Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === process.pid;
  } catch {
    return false;
  }
}

const server = await startPostgres(['fsync=on']);
const table = new Table({ head: ['load', 'ours rows/CPU-s', 'unnest rows/CPU-s', 'ratio', 'ours rows/s', 'unnest rows/s'] });
const results: Record<string, unknown>[] = [];
let life = 1;
for (const load of loads) {
  const [ours, peer] = [await startOurs(server), await startPeer(server)];
  const measured: { ours: Measured[]; peer: Measured[] } = { ours: [], peer: [] };
  for (let round = -1; round < rounds; round++) {
    life++;
    const [a, b] = [await measure(ours.url, load, life, ours.pids, ours.rows), await measure(peer.url, load, life, peer.pids, peer.rows)];
    // The first round warms up.
    if (round >= 0) {
      measured.ours.push(a);
      measured.peer.push(b);
    }
  }
  await ours.stop();
  await peer.stop();
  const of = (list: readonly Measured[], key: keyof Measured): number => Math.round(median(list.map((one) => one[key])));
  const ratio = median(measured.ours.map((one, i) => one.rowsPerCpuSec / measured.peer[i]!.rowsPerCpuSec));
  table.push([
    load.name,
    of(measured.ours, 'rowsPerCpuSec'),
    of(measured.peer, 'rowsPerCpuSec'),
    ratio.toFixed(2),
    of(measured.ours, 'rowsPerSec'),
    of(measured.peer, 'rowsPerSec'),
  ]);
  results.push({ load, ratio, ...measured });
}
await server.stop();
console.log(table.toString());
const folder = fileURLToPath(new URL('./results', import.meta.url));
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'ingest.json'), `${JSON.stringify({ node: process.version, rounds, results }, null, 2)}\n`);
