/**
 * The very first pass of the control loop over a made-up fleet in a real PostgreSQL, stage by stage, one that follows it when little has changed, and the first
 * of a process that starts where another ended (each start in a process of its own, see run-pass.ts); then the HTTP interface while a control plane keeps that
 * fleet, first alone, then with agents' reports coming in (run-interface.ts). All of these processes are started with what `control-plane/node-flags` says, as
 * the image and the local fleet start theirs:
 *
 *     node control-plane/bench/whole-pass.bench.ts [--datasets 100000] [--targets 200] [--seconds 60] [--seed 3]
 *
 * CPU is that of the process with its threads, without the database server; peak is its largest resident memory so far. The main thread is held up for as long as
 * it answers nobody: by its own CPU time, so that it can be compared on a machine that does other things, and by the clock.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { hasPostgres, startPostgres } from '../test/servers.ts';
import { runAsStarted } from './as-started.ts';
import type { AskedMeanwhile } from './run-interface.ts';
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
  // A process that ran before, with nothing to do: what it compiled is kept.
  runAsStarted<Started>('run-pass.ts', [server.url]);
  execFileSync(process.execPath, [here('./store-fleet.ts'), server.url, given.datasets!, given.targets!, given.seed!], { stdio: 'inherit' });
  const startOn = (): Started => runAsStarted<Started>('run-pass.ts', [server.url]);
  const starts = { 'the very first start': startOn(), 'another start': startOn() };
  for (const [name, started] of Object.entries(starts)) tell(name, started);
  const meanwhile = Number(given.seconds) > 0 ? runAsStarted<AskedMeanwhile>('run-interface.ts', [server.url, given.seconds!]) : null;
  for (const [how, { asked, heldUp, cpuSec, mainCpuSec, peakMb }] of Object.entries(meanwhile ?? {})) {
    const answers = new Table({ head: [`asked meanwhile, ${how}`, 'first ms', 'requests', 'p50 ms', 'p99 ms', 'slowest ms'] });
    for (const one of asked)
      answers.push([one.path, one.firstMs.toFixed(0), one.requests, one.p50Ms.toFixed(0), one.p99Ms.toFixed(0), one.slowestMs.toFixed(0)]);
    console.log(answers.toString());
    console.log(
      `held up ${heldUp.cpuMs.toFixed(0)} CPU ms, ${heldUp.wallMs.toFixed(0)} ms at most; ${cpuSec.toFixed(1)} CPU s, ${mainCpuSec.toFixed(1)} of them in the main thread, peak ${peakMb.toFixed(0)} MB`,
    );
  }
  console.log(`load of the machine ${load.toFixed(1)} at the start, ${loadavg()[0]!.toFixed(1)} at the end`);
  mkdirSync(here('./results'), { recursive: true });
  const result = { node: process.version, ...given, loadBefore: load, loadAfter: loadavg()[0], starts, meanwhile };
  writeFileSync(here('./results/whole-pass.json'), `${JSON.stringify(result, null, 2)}\n`);
} finally {
  await server.stop();
}
