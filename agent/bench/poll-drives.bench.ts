/**
 * What 60 drives cost an agent that asks each every 10 minutes, one of them hanging: how long a pass takes, the processor's share, the memory.
 * The agent is a real one in a process of its own (see real-agent.ts), each drive has two years of history and is judged by the model that the bus brings.
 * Time is compressed in one way: passes follow each other at once instead of every 10 minutes, with the real time limit of 30 s for the drive that hangs.
 * Processor time is therefore measured twice, at rest and over the passes, and told as rest + what a pass adds in 10 minutes; that of the children is not
 * the agent's. At rest is from half a minute after the start, when the garbage of it is collected. Beside it, in the same minutes, stand an empty Node
 * process and one with a connection to the bus and an open journal: below them no agent can come. Memory is looked at every 100 ms over the passes, and
 * at the end of the rest in an agent that did its first pass.
 * `npm run bench:poll --workspace agent [-- PASSES [MINUTES [FLAG…]]]`: minutes at rest; flags of Node, in place of those that an agent is started with.
 * Prints the figures and writes bench/results/poll-drives.json.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { samplerDefaults } from '../src/telemetry/sampler.ts';
import { agentFlags } from './agent-flags.ts';
import { median, modelToMeasure } from './bench-model.ts';
import { Floor, floorKinds } from './floors.ts';
import { MadeUpDrives, plantHistories } from './made-up-drives.ts';
import { cpuMsOf, type Memory, memoryOf, peakRssBytesOf } from './measured-process.ts';
import { Bus, RealAgent } from './real-agent.ts';

const drives = 60;
const settleMs = 30_000;
const lookEveryMs = 100;
const [passesWanted = '3', minutesWanted = '5', ...flagsWanted] = process.argv.slice(2);
const passes = Number(passesWanted);
const atRestMs = Number(minutesWanted) * 60_000;
const flags = flagsWanted.length > 0 ? flagsWanted : agentFlags;

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-bench-'));
const bus = await Bus.open(modelToMeasure().model);
const made = new MadeUpDrives(home, drives);
let running: RealAgent | undefined;
const floors: Floor[] = [];
try {
  plantHistories(path.join(home, 'state'), drives);
  report(await measure());
} finally {
  await running?.stop();
  for (const floor of floors) await floor.stop();
  await bus.close();
  fs.rmSync(home, { recursive: true, force: true });
}

/** An agent that has read all its drives once. */
async function start(deviceEveryMs: number): Promise<RealAgent> {
  await running?.stop();
  running = new RealAgent(home, { telemetry: { smartctl: made.smartctl, sysfsDirectory: made.sysfs, deviceEveryMs } }, bus, flags);
  await running.told(drives);
  return running;
}

async function measure() {
  // The first start compiles; agents keep what was compiled.
  const firstStart = memoryOf((await start(samplerDefaults.deviceEveryMs)).pid);
  const resting = await start(samplerDefaults.deviceEveryMs);
  for (const kind of floorKinds) floors.push(await Floor.start(kind, home, bus.url, flags));
  await sleep(settleMs);
  const pids = [resting, ...floors].map(({ pid }) => pid);
  const before = pids.map(cpuMsOf);
  await sleep(atRestMs);
  const [rest, empty, linkAndJournal] = pids.map((pid, i) => ({ ...memoryOf(pid), cpuShare: (cpuMsOf(pid) - before[i]!) / atRestMs }));
  for (const floor of floors.splice(0)) await floor.stop();
  const polling = await start(100);
  made.hang();
  return { firstStart, rest: rest!, floors: { empty: empty!, linkAndJournal: linkAndJournal! }, ...(await poll(polling, rest!.cpuShare)) };
}

interface Resting extends Memory {
  readonly cpuShare: number;
}

interface Polled {
  readonly passMs: readonly number[];
  readonly cpuMsPerPass: number;
  readonly looks: { readonly median: Memory; readonly highest: Memory };
  readonly peakRssBytes: number;
  readonly answered: number;
  readonly unanswered: number;
}

async function poll(agent: RealAgent, restShare: number): Promise<Polled> {
  const looks: Memory[] = [];
  const isSilent = ({ status }: { status: string }): boolean => status !== 'read';
  // A pass ends with the drive that hangs; the one in which it began to is not measured.
  await agent.told(1, isSilent);
  const [cpuMs, known, startedMs] = [cpuMsOf(agent.pid), agent.readings().length, performance.now()];
  const looking = setInterval(() => looks.push(memoryOf(agent.pid)), lookEveryMs);
  const passMs: number[] = [];
  for (let pass = 1; pass <= passes; pass++) {
    const passStartedMs = performance.now();
    await agent.told(pass + 1, isSilent);
    passMs.push(performance.now() - passStartedMs);
  }
  clearInterval(looking);
  const cpuMsPerPass = (cpuMsOf(agent.pid) - cpuMs - restShare * (performance.now() - startedMs)) / passes;
  const told = agent.readings().slice(known);
  const unanswered = told.filter(isSilent).length;
  const all = <Name extends keyof Memory>(name: Name): number[] => looks.map((look) => look[name]);
  const of = (figure: (values: number[]) => number): Memory => ({
    rssBytes: figure(all('rssBytes')),
    pssBytes: figure(all('pssBytes')),
    privateBytes: figure(all('privateBytes')),
  });
  return {
    passMs,
    cpuMsPerPass,
    looks: { median: of(median), highest: of((values) => Math.max(...values)) },
    peakRssBytes: peakRssBytesOf(agent.pid),
    answered: told.length - unanswered,
    unanswered,
  };
}

function report(measured: Polled & { firstStart: Memory; rest: Resting; floors: { empty: Resting; linkAndJournal: Resting } }): void {
  const { firstStart, rest, passMs, cpuMsPerPass, looks, peakRssBytes } = measured;
  const everyMs = samplerDefaults.deviceEveryMs;
  const cpuShare = rest.cpuShare + cpuMsPerPass / everyMs;
  const mega = (bytes: number): string => (bytes / 1e6).toFixed(1);
  const words = (of: Memory): string => `${mega(of.rssBytes)} MB (PSS ${mega(of.pssBytes)}, its own ${mega(of.privateBytes)})`;
  const percent = (share: number): string => `${(share * 100).toFixed(3)} %`;
  console.log(
    `${drives} drives, one hangs: a pass takes ${(median(passMs) / 1e3).toFixed(1)} s of ${everyMs / 1e3} s; processor ${percent(rest.cpuShare)} at rest, ` +
      `${cpuMsPerPass.toFixed(0)} ms a pass, together ${percent(cpuShare)}\n` +
      `memory: at rest ${words(rest)}, over the passes ${words(looks.median)}, at most ${words(looks.highest)}, ever ${mega(peakRssBytes)} MB; ` +
      `at the very first start ${words(firstStart)}\n` +
      Object.entries(measured.floors)
        .map(([kind, floor]) => `below any agent, ${kind}: ${words(floor)}, processor ${percent(floor.cpuShare)}\n`)
        .join('') +
      `${measured.answered} answers, ${measured.unanswered} of the drive that hangs`,
  );
  const file = path.join(import.meta.dirname, 'results/poll-drives.json');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const setting = { drives, passes, atRestMs, flags, deviceEveryMs: everyMs, node: process.version };
  fs.writeFileSync(file, `${JSON.stringify({ atMs: Date.now(), cores: os.availableParallelism(), ...setting, cpuShare, ...measured }, null, 2)}\n`);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
