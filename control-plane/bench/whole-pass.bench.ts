/**
 * The very first pass of the control loop over a made-up fleet in a real PostgreSQL, stage by stage, one that follows it when little has changed, and the first
 * of a process that starts where another ended (each start in a process of its own, see run-pass.ts); then the HTTP interface while a control plane keeps that fleet, first alone, then with agents' reports coming in:
 *
 *     node control-plane/bench/whole-pass.bench.ts [--datasets 100000] [--targets 200] [--seconds 60] [--seed 3]
 *
 * CPU is that of this process with its threads, without the database server; peak is its largest resident memory so far. The main thread is held up for as long as
 * it answers nobody: by its own CPU time, so that it can be compared on a machine that does other things, and by the clock.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '@data-in-motion/shared/clock';
import { systemRandom } from '@data-in-motion/shared/random';
import Table from 'cli-table3';
import pino from 'pino';
import { readConfig } from '../src/config.ts';
import { startControlPlane } from '../src/control-plane.ts';
import { hasPostgres, startPostgres } from '../test/servers.ts';
import { type HeldUp, peakMb, watchHoldUps } from './hold-ups.ts';
import { following, placing, type Stage, type Started } from './run-pass.ts';

if (!hasPostgres) process.exit(0);
const { values: given } = parseArgs({
  options: {
    datasets: { type: 'string', default: '100000' },
    targets: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '3' },
  },
});
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;

interface Asked {
  readonly path: string;
  /** The first one: it may have to make what the others are shown. */
  readonly firstMs: number;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
}

interface Meanwhile {
  readonly asked: readonly Asked[];
  readonly heldUp: HeldUp;
  readonly cpuSec: number;
  /** Of the main thread alone: what is left is the solver's thread and the collection of garbage. */
  readonly mainCpuSec: number;
}

const reportsPerSec = 5;

/** A control plane with its loop on the filled database, and somebody who asks it: alone, then with reports. Its agents are silent otherwise, which it is told to expect. */
async function askedMeanwhile(databaseUrl: string): Promise<Record<'quiet' | 'withReports', Meanwhile>> {
  const home = mkdtempSync(path.join(tmpdir(), 'dim-pass-'));
  const day = String(86_400_000);
  const env = { DIM_HOME: home, DATABASE_URL: databaseUrl, DIM_HTTP_PORT: '0', DIM_MQTT_PORT: '0', DIM_LATE_AFTER_MS: day, DIM_LOST_AFTER_MS: day };
  const log = pino({ level: 'warn' });
  const running = await startControlPlane({ config: readConfig(env), clock: systemClock, random: systemRandom, log });
  const key = readFileSync(path.join(home, 'admin.key'), 'utf8').trim();
  const quiet = await ask(running.url, key);
  const reporter = spawn(process.execPath, [here('./report-meanwhile.ts'), databaseUrl, String(reportsPerSec)], { stdio: ['ignore', 'ignore', 'inherit'] });
  const withReports = await ask(running.url, key);
  reporter.kill();
  await running.stop();
  rmSync(home, { recursive: true, force: true });
  return { quiet, withReports };
}

async function ask(url: string, key: string): Promise<Meanwhile> {
  const heldUp = await watchHoldUps();
  const [cpu, mainCpu] = [process.cpuUsage(), process.threadCpuUsage()];
  const child = spawn(process.execPath, [here('./ask-interface.ts'), url, key, given.seconds!], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  const secOf = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6;
  const [cpuSec, mainCpuSec] = [secOf(process.cpuUsage(cpu)), secOf(process.threadCpuUsage(mainCpu))];
  const asked = Object.entries(JSON.parse(text) as Record<string, number[]>).map(([name, times]): Asked => {
    const [firstMs = 0, ...later] = times;
    later.sort((a, b) => a - b);
    return { path: name, firstMs, requests: later.length, p50Ms: quantile(later, 0.5), p99Ms: quantile(later, 0.99), slowestMs: later.at(-1) ?? 0 };
  });
  return { asked, heldUp: await heldUp(), cpuSec, mainCpuSec };
}

/** A loop that starts on the database and ends again. */
function startOn(databaseUrl: string): Started {
  return JSON.parse(execFileSync(process.execPath, [here('./run-pass.ts'), databaseUrl], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
}

function tell(name: string, { stages, needs, moves, solvedInMs, gap, hadPrices }: Started): void {
  const table = new Table({ head: [name, 's', 'CPU s', 'held up CPU ms', 'ms', 'peak MB'] });
  const { cpuMs, wallMs } = { cpuMs: (one: Stage) => one.heldUp.cpuMs.toFixed(0), wallMs: (one: Stage) => one.heldUp.wallMs.toFixed(0) };
  for (const one of stages) table.push([one.stage, one.sec.toFixed(2), one.cpuSec.toFixed(2), cpuMs(one), wallMs(one), one.peakMb.toFixed(0)]);
  const sums = (name: string, which: (stage: string) => boolean): void => {
    const among = stages.filter(({ stage }) => which(stage));
    const sum = (of: (one: Stage) => number): string => among.reduce((total, one) => total + of(one), 0).toFixed(2);
    table.push([name, sum((one) => one.sec), sum((one) => one.cpuSec), '', '', '']);
  };
  sums('first pass', (stage) => !stage.startsWith(following));
  sums('first pass without placing', (stage) => !stage.startsWith(following) && stage !== placing);
  sums('following pass', (stage) => stage.startsWith(following));
  console.log(table.toString());
  const began = hadPrices ? 'prices of the plan before' : 'nothing';
  console.log(`${needs} needs, ${moves} moves, solved in ${solvedInMs} ms from ${began}, gap ${(100 * gap).toFixed(3)} %`);
}

const load = loadavg()[0]!;
const server = await startPostgres();
try {
  execFileSync(process.execPath, [here('./store-fleet.ts'), server.url, given.datasets!, given.targets!, given.seed!], { stdio: 'inherit' });
  const starts = { 'the very first start': startOn(server.url), 'another start': startOn(server.url) };
  for (const [name, started] of Object.entries(starts)) tell(name, started);
  const meanwhile = Number(given.seconds) > 0 ? await askedMeanwhile(server.url) : null;
  for (const [how, { asked, heldUp, cpuSec, mainCpuSec }] of Object.entries(meanwhile ?? {})) {
    const answers = new Table({ head: [`asked meanwhile, ${how}`, 'first ms', 'requests', 'p50 ms', 'p99 ms', 'slowest ms'] });
    for (const one of asked)
      answers.push([one.path, one.firstMs.toFixed(0), one.requests, one.p50Ms.toFixed(0), one.p99Ms.toFixed(0), one.slowestMs.toFixed(0)]);
    console.log(answers.toString());
    console.log(
      `held up ${heldUp.cpuMs.toFixed(0)} CPU ms, ${heldUp.wallMs.toFixed(0)} ms at most; ${cpuSec.toFixed(1)} CPU s, ${mainCpuSec.toFixed(1)} of them in the main thread, peak ${peakMb().toFixed(0)} MB`,
    );
  }
  console.log(`load of the machine ${load.toFixed(1)} at the start, ${loadavg()[0]!.toFixed(1)} at the end`);
  mkdirSync(here('./results'), { recursive: true });
  const result = { node: process.version, ...given, loadBefore: load, loadAfter: loadavg()[0], starts, meanwhile, peakMb: peakMb() };
  writeFileSync(here('./results/whole-pass.json'), `${JSON.stringify(result, null, 2)}\n`);
} finally {
  await server.stop();
}
