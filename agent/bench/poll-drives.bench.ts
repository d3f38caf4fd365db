/**
 * What 60 drives cost an agent that asks each every 10 minutes, one of them hanging: how long a pass takes, the processor's share, the memory.
 * The drives answer through a stand-in for smartctl (a process for each question, as in earnest); each has two years of history and is judged by
 * the model. The processor time of the children is not the agent's and is not counted. The process has all of an agent loaded, from compiled modules as an
 * agent that was started before; what it alone holds (private) stands beside all that it maps (RSS), of which the program's own text is shared.
 * `npm run bench:poll --workspace agent [-- PASSES]`. Prints the figures and writes bench/results/poll-drives.json.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '@data-in-motion/shared/clock';
import { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import { deviceIdOf } from '@data-in-motion/shared/domain/ids';
import { seededRandom } from '@data-in-motion/shared/random';
import { openJournal } from '../src/journal/journal.ts';
import { SmartctlProbe } from '../src/telemetry/probes/smartctl.ts';
import { ReadingHistory } from '../src/telemetry/reading-history.ts';
import { samplerDefaults, startSampler } from '../src/telemetry/sampler.ts';
import { noBallast } from '../test/no-ballast.ts';
import { daysKept, median, modelToMeasure, pointsOfDrive } from './bench-model.ts';

const drives = 60;
const dayMs = 86_400_000;
/** In earnest 30 s; a pass waits once for the drive that hangs. */
const perDiskTimeoutMs = 5_000;
const answer = path.resolve(import.meta.dirname, '../src/telemetry/testdata/smartctl-hdd.json');

interface Polled {
  readonly passMs: readonly number[];
  readonly cpuMsPerPass: number;
  readonly restRssBytes: number;
  readonly restAnonBytes: number;
  readonly heapUsedBytes: number;
  readonly answered: number;
  readonly unanswered: number;
}

const [first = '8'] = process.argv.slice(2);
if (first === 'plant') liveTwoYears(process.argv[3]!);
else if (first === 'poll') process.stdout.write(JSON.stringify(await poll(process.argv[3]!, Number(process.argv[4]))));
else main(Number(first));

function main(passes: number): void {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-bench-'));
  try {
    inProcess('plant', home);
    // The first start compiles; agents keep what was compiled.
    const first = JSON.parse(inProcess('poll', home, '1')) as Polled;
    fs.rmSync(path.join(home, 'hang'), { force: true });
    const polled = JSON.parse(inProcess('poll', home, String(passes))) as Polled;
    const share = polled.cpuMsPerPass / samplerDefaults.deviceEveryMs;
    console.log(
      `${drives} drives, one hangs: a pass takes ${(median(polled.passMs) / 1e3).toFixed(1)} s (waits ${perDiskTimeoutMs / 1e3} s for the one) of ` +
        `${samplerDefaults.deviceEveryMs / 1e3} s, ${polled.cpuMsPerPass.toFixed(0)} ms of processor time (${(share * 100).toFixed(3)} %); ` +
        `memory ${(polled.restRssBytes / 1e6).toFixed(0)} MB, of it private ${(polled.restAnonBytes / 1e6).toFixed(0)} MB, heap ${(polled.heapUsedBytes / 1e6).toFixed(0)} MB ` +
        `(at a very first start ${(first.restRssBytes / 1e6).toFixed(0)} MB, private ${(first.restAnonBytes / 1e6).toFixed(0)} MB); ` +
        `${polled.answered} answers, ${polled.unanswered} of the one that hangs`,
    );
    const file = path.join(import.meta.dirname, 'results/poll-drives.json');
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const setting = { drives, passes, perDiskTimeoutMs, deviceEveryMs: samplerDefaults.deviceEveryMs };
    fs.writeFileSync(file, `${JSON.stringify({ atMs: Date.now(), cores: os.availableParallelism(), ...setting, cpuShare: share, polled }, null, 2)}\n`);
  } finally {
    fs.rmSync(home, { recursive: true, force: true });
  }
}

/** In a process of its own, started as the agents of the local fleet are. */
function inProcess(...args: readonly string[]): string {
  const node = ['--max-semi-space-size=1', '--disable-warning=ExperimentalWarning', import.meta.filename];
  const compiled = path.join(args[1]!, 'compiled');
  return execFileSync(process.execPath, [...node, ...args], { env: { ...process.env, MALLOC_ARENA_MAX: '2', NODE_COMPILE_CACHE: compiled } }).toString();
}

async function poll(home: string, passes: number): Promise<Polled> {
  await import('../src/command-line.ts');
  const journal = openJournal(path.join(home, 'journal.db'), noBallast);
  const judge = new FailureJudge(modelToMeasure().model);
  const count = { answered: 0, unanswered: 0 };
  const command = standIn(home);
  const sampler = startSampler({
    probes: [new SmartctlProbe({ clock: systemClock, note: () => {}, command, timeoutMs: 2_000, sysfs: '/sys' })],
    targets: [],
    tell: (records) => {
      for (const record of records) if (record.type === 'reading') count[record.status === 'read' ? 'answered' : 'unanswered'] += 1;
    },
    absentBecause: async () => null,
    journal,
    model: () => judge,
    // Listed once: the drive hangs from the second pass on.
    settings: { perDiskTimeoutMs, discoverEveryMs: samplerDefaults.deviceEveryMs },
  });
  await sampler.sampleNow();
  fs.writeFileSync(path.join(home, 'hang'), '');
  const passMs: number[] = [];
  const before = process.cpuUsage();
  for (let pass = 0; pass < passes; pass++) {
    const startedMs = performance.now();
    await sampler.sampleNow();
    passMs.push(performance.now() - startedMs);
  }
  const used = process.cpuUsage(before);
  await sampler.stop();
  journal.close();
  const memory = { restRssBytes: memoryOf('VmRSS'), restAnonBytes: memoryOf('RssAnon'), heapUsedBytes: process.memoryUsage().heapUsed };
  return { passMs, cpuMsPerPass: (used.user + used.system) / 1_000 / passes, ...memory, ...count };
}

function liveTwoYears(home: string): void {
  const journal = openJournal(path.join(home, 'journal.db'), noBallast);
  const history = new ReadingHistory(journal);
  const random = seededRandom(3);
  const today = Math.floor(Date.now() / dayMs) - 1;
  for (let drive = 0; drive < drives; drive++) {
    const deviceId = deviceIdOf('EXAMPLE ST4000', `EX${drive}`);
    for (const { day, smart } of pointsOfDrive(random, daysKept(today))) {
      const nothingElse = { unreadableBecause: null, recordedDay: null, temperatureCelsius: 30, nvme: null, selfAssessmentPassed: true };
      history.add({ deviceId, atMs: day * dayMs, source: 'smartctl', status: 'read', powerOnHours: 20_114 - (today - day) * 24, smart, ...nothingElse });
    }
  }
  journal.close();
}

/** A program that lists the drives and answers for each; the last one hangs as soon as the file `hang` is there. */
function standIn(home: string): string {
  const names = Array.from({ length: drives }, (_, i) => `/dev/bench${i}`);
  fs.writeFileSync(path.join(home, 'scan.json'), JSON.stringify({ devices: names.map((name) => ({ name, type: 'sat', protocol: 'ATA' })) }));
  for (const [i, name] of names.entries())
    fs.writeFileSync(path.join(home, path.basename(name)), fs.readFileSync(answer, 'utf8').replaceAll('EX4M9L3A', `EX${i}`));
  const command = path.join(home, 'smartctl');
  fs.writeFileSync(
    command,
    `#!/bin/sh
[ "$1" = --scan-open ] && exec cat ${home}/scan.json
for path; do :; done
[ "$path" = ${names.at(-1)} ] && [ -e ${home}/hang ] && exec sleep 600
exec cat ${home}/\${path##*/}
`,
  );
  fs.chmodSync(command, 0o755);
  return command;
}

function memoryOf(what: 'VmRSS' | 'RssAnon'): number {
  const kilobytes = new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kilobytes) * 1_024;
}
