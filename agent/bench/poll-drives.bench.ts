/**
 * What 60 drives cost an agent that asks each every 10 minutes, one of them hanging: how long a pass takes, the processor's share, the memory.
 * The agent is a real one in a process of its own (see real-agent.ts), each drive has two years of history and is judged by the model that the bus brings.
 * Time is compressed in one way: passes follow each other at once instead of every 10 minutes, with the real time limit of 30 s for the drive that hangs.
 * Processor time is therefore measured twice, at rest and over the passes, and told as rest + what a pass adds in 10 minutes; that of the children is not
 * the agent's. Memory is looked at every 100 ms over the passes, and at rest in an agent that did its first pass.
 * `npm run bench:poll --workspace agent [-- PASSES [FLAG…]]`: flags of Node, in place of those that an agent is started with. Prints the figures and writes
 * bench/results/poll-drives.json.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { samplerDefaults } from '../src/telemetry/sampler.ts';
import { agentFlags } from './agent-flags.ts';
import { median, modelToMeasure } from './bench-model.ts';
import { MadeUpDrives, plantHistories } from './made-up-drives.ts';
import { Bus, type Memory, RealAgent } from './real-agent.ts';

const drives = 60;
const atRestMs = 60_000;
const lookEveryMs = 100;
const [passesWanted = '3', ...flagsWanted] = process.argv.slice(2);
const passes = Number(passesWanted);
const flags = flagsWanted.length > 0 ? flagsWanted : agentFlags;

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-bench-'));
const bus = await Bus.open(modelToMeasure().model);
const made = new MadeUpDrives(home, drives);
let running: RealAgent | undefined;
try {
  plantHistories(path.join(home, 'state'), drives);
  report(await measure());
} finally {
  await running?.stop();
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
  const firstStart = (await start(samplerDefaults.deviceEveryMs)).memory();
  const resting = await start(samplerDefaults.deviceEveryMs);
  await sleep(5_000);
  const [restCpuMs, rest] = [resting.cpuMs(), resting.memory()];
  await sleep(atRestMs);
  const restShare = (resting.cpuMs() - restCpuMs) / atRestMs;
  const polling = await start(100);
  made.hang();
  return { firstStart, rest, restShare, ...(await poll(polling, restShare)) };
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
  const [cpuMs, known, startedMs] = [agent.cpuMs(), agent.readings().length, performance.now()];
  const looking = setInterval(() => looks.push(agent.memory()), lookEveryMs);
  const passMs: number[] = [];
  for (let pass = 1; pass <= passes; pass++) {
    const passStartedMs = performance.now();
    await agent.told(pass + 1, isSilent);
    passMs.push(performance.now() - passStartedMs);
  }
  clearInterval(looking);
  const cpuMsPerPass = (agent.cpuMs() - cpuMs - restShare * (performance.now() - startedMs)) / passes;
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
    peakRssBytes: agent.peakRssBytes(),
    answered: told.length - unanswered,
    unanswered,
  };
}

function report(measured: Polled & { firstStart: Memory; rest: Memory; restShare: number }): void {
  const { firstStart, rest, restShare, passMs, cpuMsPerPass, looks, peakRssBytes } = measured;
  const everyMs = samplerDefaults.deviceEveryMs;
  const cpuShare = restShare + cpuMsPerPass / everyMs;
  const mega = (bytes: number): string => (bytes / 1e6).toFixed(1);
  const words = (of: Memory): string => `${mega(of.rssBytes)} MB (PSS ${mega(of.pssBytes)}, its own ${mega(of.privateBytes)})`;
  console.log(
    `${drives} drives, one hangs: a pass takes ${(median(passMs) / 1e3).toFixed(1)} s of ${everyMs / 1e3} s; processor ${(restShare * 100).toFixed(3)} % at rest, ` +
      `${cpuMsPerPass.toFixed(0)} ms a pass, together ${(cpuShare * 100).toFixed(3)} %\n` +
      `memory: at rest ${words(rest)}, over the passes ${words(looks.median)}, at most ${words(looks.highest)}, ever ${mega(peakRssBytes)} MB; ` +
      `at the very first start ${words(firstStart)}\n${measured.answered} answers, ${measured.unanswered} of the drive that hangs`,
  );
  const file = path.join(import.meta.dirname, 'results/poll-drives.json');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const setting = { drives, passes, flags, deviceEveryMs: everyMs, node: process.version };
  fs.writeFileSync(file, `${JSON.stringify({ atMs: Date.now(), cores: os.availableParallelism(), ...setting, cpuShare, ...measured }, null, 2)}\n`);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
