/**
 * A control plane with its loop on a filled database, in a process of its own, and somebody who asks it: alone, then with reports. Its agents are silent
 * otherwise, which it is told to expect. Prints what it measured as JSON.
 *
 *     node control-plane/bench/run-interface.ts DATABASE_URL SECONDS
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '@data-in-motion/shared/clock';
import { systemRandom } from '@data-in-motion/shared/random';
import pino from 'pino';
import { readConfig } from '../src/config.ts';
import { startControlPlane } from '../src/control-plane.ts';
import { type HeldUp, peakMb, watchHoldUps } from './hold-ups.ts';

interface Asked {
  readonly path: string;
  /** The first one: it may have to make what the others are shown. */
  readonly firstMs: number;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
}

export interface Meanwhile {
  readonly asked: readonly Asked[];
  readonly heldUp: HeldUp;
  readonly cpuSec: number;
  /** Of the main thread alone: what is left is the solver's thread and the collection of garbage. */
  readonly mainCpuSec: number;
  readonly peakMb: number;
}

/** What it prints. */
export type AskedMeanwhile = Record<'quiet' | 'withReports', Meanwhile>;

const reportsPerSec = 5;
const here = (name: string): string => path.join(import.meta.dirname, name);
const quantile = (sorted: readonly number[], q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;

if (import.meta.main) console.log(JSON.stringify(await askedMeanwhile(process.argv[2]!, process.argv[3]!)));

async function askedMeanwhile(databaseUrl: string, seconds: string): Promise<AskedMeanwhile> {
  const home = mkdtempSync(path.join(tmpdir(), 'dim-pass-'));
  const day = String(86_400_000);
  const env = { DIM_HOME: home, DATABASE_URL: databaseUrl, DIM_HTTP_PORT: '0', DIM_MQTT_PORT: '0', DIM_LATE_AFTER_MS: day, DIM_LOST_AFTER_MS: day };
  const log = pino({ level: 'warn' }, process.stderr);
  const running = await startControlPlane({ config: readConfig(env), clock: systemClock, random: systemRandom, log });
  const key = readFileSync(path.join(home, 'admin.key'), 'utf8').trim();
  const quiet = await ask(running.url, key, seconds);
  const reporter = spawn(process.execPath, [here('report-meanwhile.ts'), databaseUrl, String(reportsPerSec)], { stdio: ['ignore', 'ignore', 'inherit'] });
  const withReports = await ask(running.url, key, seconds);
  reporter.kill();
  await running.stop();
  rmSync(home, { recursive: true, force: true });
  return { quiet, withReports };
}

async function ask(url: string, key: string, seconds: string): Promise<Meanwhile> {
  const heldUp = await watchHoldUps();
  const [cpu, mainCpu] = [process.cpuUsage(), process.threadCpuUsage()];
  const child = spawn(process.execPath, [here('ask-interface.ts'), url, key, seconds], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  const secOf = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6;
  const [cpuSec, mainCpuSec] = [secOf(process.cpuUsage(cpu)), secOf(process.threadCpuUsage(mainCpu))];
  const asked = Object.entries(JSON.parse(text) as Record<string, number[]>).map(([name, times]): Asked => {
    const [firstMs = 0, ...later] = times;
    later.sort((a, b) => a - b);
    return { path: name, firstMs, requests: later.length, p50Ms: quantile(later, 0.5), p99Ms: quantile(later, 0.99), slowestMs: later.at(-1) ?? 0 };
  });
  return { asked, heldUp: await heldUp(), cpuSec, mainCpuSec, peakMb: peakMb() };
}
