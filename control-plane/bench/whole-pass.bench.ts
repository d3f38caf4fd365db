/**
 * A first pass of the control loop over a made-up fleet in a real PostgreSQL, stage by stage, and one that follows it when little has changed; then the HTTP
 * interface while a control plane keeps that fleet, first alone, then with agents' reports coming in:
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
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '@data-in-motion/shared/clock';
import type { PlanId } from '@data-in-motion/shared/domain/ids';
import { systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import Table from 'cli-table3';
import pino from 'pino';
import { readConfig } from '../src/config.ts';
import { type Picture, picture, planTrigger, promoteCopies, storeHeats } from '../src/control-loop/decide.ts';
import { KeptNeeds } from '../src/control-loop/kept-needs.ts';
import { defaultLoopSettings, type LeaderWrite } from '../src/control-loop/parts.ts';
import { solverThread } from '../src/control-loop/solve-in-thread.ts';
import { startControlPlane } from '../src/control-plane.ts';
import type { FleetSnapshot } from '../src/fleet/snapshot.ts';
import { targetHealth } from '../src/health/target-health.ts';
import { admitPlan } from '../src/jobs/admit.ts';
import { planBasisOf } from '../src/placement/plan-basis.ts';
import { storeAccesses } from '../src/store/accesses.ts';
import { openStore, type Store } from '../src/store/database.ts';
import { loadSnapshot } from '../src/store/load-snapshot.ts';
import { planViewOf, savePlan } from '../src/store/plans.ts';
import { hasPostgres, startPostgres } from '../test/servers.ts';

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
const { decisions } = defaultLoopSettings;

interface Stage {
  readonly stage: string;
  readonly sec: number;
  readonly cpuSec: number;
  readonly heldUp: HeldUp;
  readonly peakMb: number;
}

/** The longest time between two turns of the event loop of the main thread, milliseconds. */
interface HeldUp {
  readonly cpuMs: number;
  readonly wallMs: number;
}

const stages: Stage[] = [];
const eventLoop = monitorEventLoopDelay({ resolution: 5 });

/** Look how long the main thread is held up, until the returned function is called. */
async function watchHoldUps(): Promise<() => Promise<HeldUp>> {
  eventLoop.enable();
  eventLoop.reset();
  let cpuMs = 0;
  let last = process.threadCpuUsage();
  const look = (): void => {
    const now = process.threadCpuUsage();
    cpuMs = Math.max(cpuMs, (now.user + now.system - last.user - last.system) / 1e3);
    last = now;
  };
  const turns = setInterval(look, 2);
  // It counts from its first look on.
  await new Promise((resolve) => setTimeout(resolve, 20));
  return async () => {
    // The timer that looks for delays must come round once more to see the last one.
    await new Promise((resolve) => setTimeout(resolve, 20));
    clearInterval(turns);
    eventLoop.disable();
    return { cpuMs, wallMs: eventLoop.max / 1e6 };
  };
}

async function measure<T>(stage: string, work: () => T | Promise<T>): Promise<T> {
  const heldUp = await watchHoldUps();
  const cpu = process.cpuUsage();
  const beganMs = performance.now();
  const result = await work();
  const sec = (performance.now() - beganMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  stages.push({ stage, sec, cpuSec: (user + system) / 1e6, heldUp: await heldUp(), peakMb: peakMb() });
  return result;
}

function peakMb(): number {
  return process.resourceUsage().maxRSS / 1024;
}

const placing = 'place (thread), store heats';
const following = 'then: ';

/** The stages of a pass that makes a plan, as the control loop runs them, then those of the next, before which some datasets were used. */
async function passesOf(databaseUrl: string): Promise<void> {
  const store = await openStore({ databaseUrl, directory: '' });
  const thread = solverThread(decisions);
  const needs = new KeptNeeds();
  const leads: LeaderWrite = (work) => store.transaction(async (tx) => work(tx, await store.nowMs(tx)));
  const look = async (name: string): Promise<Picture> => {
    const snapshot = await measure(`${name}snapshot`, () => loadSnapshot(store));
    if (name === '') thread.prepare(snapshot);
    const seen = await measure(`${name}heats and needs`, () => picture(snapshot, { settings: defaultLoopSettings }, needs));
    await measure(`${name}promotions`, () => promoteCopies(leads, snapshot));
    await measure(`${name}what the plan depends on`, () => planTrigger(seen));
    return seen;
  };
  thread.prepare();
  const seen = await look('');
  const { snapshot, needs: needed, heats } = seen;
  // Beside it the loop stores what it found of heat, and its next pass looks at the fleet again.
  const beside = async (): Promise<void> => {
    await storeHeats(leads, seen, decisions.heat);
    await loadSnapshot(store);
  };
  const [made] = await measure(placing, () => Promise.all([thread.solve(snapshot, needed, heats, null), beside()]));
  const fresh = await measure('snapshot again', () => loadSnapshot(store));
  const basis = planBasisOf(snapshot, heats, made.moves, decisions);
  const admissions = await measure('admit', () => admitPlan(fresh, made, decisions.limits, decisions));
  await measure('save the plan', () =>
    leads((tx, nowMs) =>
      savePlan(tx, planViewOf(ulid(made.madeAtMs, systemRandom) as PlanId, made, admissions, new Map(), 'current', null), { basis, heldUntilMs: 0 }, nowMs),
    ),
  );
  console.log(`${needed.length} needs, ${made.moves.length} moves, solved in ${made.solvedInMs} ms, gap ${(100 * (made.gap ?? 0)).toFixed(3)} %`);
  // The heats that were written made every dataset another.
  await needs.of(fresh, targetHealth(fresh, decisions));
  await useSome(store, leads, fresh);
  const next = await look(following);
  await measure(`${following}store heats`, () => storeHeats(leads, next, decisions.heat));
  await thread.stop();
  await store.close();
}

/** One in a hundred. */
async function useSome(store: Store, leads: LeaderWrite, { datasets }: FleetSnapshot): Promise<void> {
  const atMs = await store.nowMs();
  const used = datasets.filter((_, at) => at % 100 === 0);
  await leads((tx) =>
    storeAccesses(
      tx,
      atMs,
      used.map(({ datasetId }) => ({ accessId: `pass ${datasetId}`, datasetId, kind: 'read', count: 2, bytes: 1e6, atMs, latencyMs: null, source: 'bus' })),
    ),
  );
}

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

const load = loadavg()[0]!;
const server = await startPostgres();
try {
  execFileSync(process.execPath, [here('./store-fleet.ts'), server.url, given.datasets!, given.targets!, given.seed!], { stdio: 'inherit' });
  await passesOf(server.url);
  const table = new Table({ head: ['stage', 's', 'CPU s', 'held up CPU ms', 'ms', 'peak MB'] });
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
  const result = { node: process.version, ...given, loadBefore: load, loadAfter: loadavg()[0], stages, meanwhile, peakMb: peakMb() };
  writeFileSync(here('./results/whole-pass.json'), `${JSON.stringify(result, null, 2)}\n`);
} finally {
  await server.stop();
}
