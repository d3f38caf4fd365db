/**
 * One whole pass of the control loop over a made-up fleet in a real PostgreSQL, stage by stage, then the HTTP interface while a control plane keeps that fleet:
 *
 *     node control-plane/bench/whole-pass.bench.ts [--datasets 100000] [--targets 200] [--seconds 60] [--seed 3]
 *
 * CPU is that of this process with its threads, without the database server; peak is its largest resident memory so far.
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
import { picture, planTrigger, promoteCopies, storeHeats } from '../src/control-loop/decide.ts';
import { defaultLoopSettings, type LeaderWrite } from '../src/control-loop/parts.ts';
import { solverThread } from '../src/control-loop/solve-in-thread.ts';
import { startControlPlane } from '../src/control-plane.ts';
import { admitPlan } from '../src/jobs/admit.ts';
import { planBasisOf } from '../src/placement/plan-basis.ts';
import { openStore } from '../src/store/database.ts';
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
  /** Longest time that the event loop of the main thread stood still. */
  readonly heldUpMs: number;
  readonly peakMb: number;
}
const stages: Stage[] = [];
const eventLoop = monitorEventLoopDelay({ resolution: 5 });

async function measure<T>(stage: string, work: () => T | Promise<T>): Promise<T> {
  eventLoop.enable();
  eventLoop.reset();
  // It counts from its first look on.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const cpu = process.cpuUsage();
  const beganMs = performance.now();
  const result = await work();
  const sec = (performance.now() - beganMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  // The timer that looks for delays must come round once more to see the last one.
  await new Promise((resolve) => setTimeout(resolve, 20));
  eventLoop.disable();
  stages.push({ stage, sec, cpuSec: (user + system) / 1e6, heldUpMs: eventLoop.max / 1e6, peakMb: peakMb() });
  return result;
}

function peakMb(): number {
  return process.resourceUsage().maxRSS / 1024;
}

/** The stages of a pass that makes a plan, as the control loop runs them. */
async function passOf(databaseUrl: string): Promise<void> {
  const store = await openStore({ databaseUrl, directory: '' });
  const thread = solverThread(decisions);
  const snapshot = await measure('snapshot', () => loadSnapshot(store));
  const seen = await measure('heats and needs', () => picture(snapshot, { settings: defaultLoopSettings }));
  const { heats, needs } = seen;
  const leads: LeaderWrite = (work) => store.transaction(async (tx) => work(tx, await store.nowMs(tx)));
  await measure('store heats', () => storeHeats(leads, seen, decisions.heat));
  await measure('promotions', () => promoteCopies(leads, snapshot));
  await measure('what the plan depends on', () => planTrigger(seen));
  const made = await measure('place (thread)', () => thread.solve(snapshot, needs, heats, null));
  const fresh = await measure('snapshot again', () => loadSnapshot(store));
  await measure('snapshot, nothing new', () => loadSnapshot(store));
  const basis = planBasisOf(snapshot, heats, made.moves, decisions);
  const admissions = await measure('admit', () => admitPlan(fresh, made, decisions.limits, decisions));
  await measure('save the plan', () =>
    leads((tx, nowMs) =>
      savePlan(tx, planViewOf(ulid(made.madeAtMs, systemRandom) as PlanId, made, admissions, new Map(), 'current', null), { basis, heldUntilMs: 0 }, nowMs),
    ),
  );
  console.log(`${needs.length} needs, ${made.moves.length} moves, solved in ${made.solvedInMs} ms`);
  await thread.stop();
  await store.close();
}

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;

interface Asked {
  readonly path: string;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
}

/** A control plane with its loop on the filled database, and somebody who asks it. Its agents are silent, which it is told to expect. */
async function askedMeanwhile(databaseUrl: string): Promise<{ asked: Asked[]; heldUpMs: number; cpuSec: number }> {
  const home = mkdtempSync(path.join(tmpdir(), 'dim-pass-'));
  const day = String(86_400_000);
  const env = { DIM_HOME: home, DATABASE_URL: databaseUrl, DIM_HTTP_PORT: '0', DIM_MQTT_PORT: '0', DIM_LATE_AFTER_MS: day, DIM_LOST_AFTER_MS: day };
  const log = pino({ level: 'warn' });
  const running = await startControlPlane({ config: readConfig(env), clock: systemClock, random: systemRandom, log });
  const cpu = process.cpuUsage();
  eventLoop.enable();
  eventLoop.reset();
  const key = readFileSync(path.join(home, 'admin.key'), 'utf8').trim();
  const child = spawn(process.execPath, [here('./ask-interface.ts'), running.url, key, given.seconds!], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  const { user, system } = process.cpuUsage(cpu);
  eventLoop.disable();
  const asked = Object.entries(JSON.parse(text) as Record<string, number[]>).map(([name, times]): Asked => {
    times.sort((a, b) => a - b);
    return { path: name, requests: times.length, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), slowestMs: times.at(-1)! };
  });
  await running.stop();
  rmSync(home, { recursive: true, force: true });
  return { asked, heldUpMs: eventLoop.max / 1e6, cpuSec: (user + system) / 1e6 };
}

const load = loadavg()[0]!;
const server = await startPostgres();
try {
  execFileSync(process.execPath, [here('./store-fleet.ts'), server.url, given.datasets!, given.targets!, given.seed!], { stdio: 'inherit' });
  await passOf(server.url);
  const table = new Table({ head: ['stage', 's', 'CPU s', 'held up ms', 'peak MB'] });
  for (const one of stages) table.push([one.stage, one.sec.toFixed(2), one.cpuSec.toFixed(2), one.heldUpMs.toFixed(0), one.peakMb.toFixed(0)]);
  const sum = (of: (one: Stage) => number): number => stages.reduce((total, one) => total + of(one), 0);
  table.push(['the whole pass', sum((one) => one.sec).toFixed(2), sum((one) => one.cpuSec).toFixed(2), '', peakMb().toFixed(0)]);
  console.log(table.toString());
  const meanwhile = Number(given.seconds) > 0 ? await askedMeanwhile(server.url) : null;
  if (meanwhile !== null) {
    const answers = new Table({ head: ['asked meanwhile', 'requests', 'p50 ms', 'p99 ms', 'slowest ms'] });
    for (const one of meanwhile.asked) answers.push([one.path, one.requests, one.p50Ms.toFixed(0), one.p99Ms.toFixed(0), one.slowestMs.toFixed(0)]);
    console.log(answers.toString());
    console.log(
      `held up ${meanwhile.heldUpMs.toFixed(0)} ms at most, ${meanwhile.cpuSec.toFixed(1)} CPU s in ${given.seconds} s, peak ${peakMb().toFixed(0)} MB`,
    );
  }
  console.log(`load of the machine ${load.toFixed(1)} at the start, ${loadavg()[0]!.toFixed(1)} at the end`);
  mkdirSync(here('./results'), { recursive: true });
  const result = { node: process.version, ...given, loadBefore: load, loadAfter: loadavg()[0], stages, meanwhile, peakMb: peakMb() };
  writeFileSync(here('./results/whole-pass.json'), `${JSON.stringify(result, null, 2)}\n`);
} finally {
  await server.stop();
}
