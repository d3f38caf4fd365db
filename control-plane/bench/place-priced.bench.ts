/**
 * The priced solver on made-up fleets: time, certified gap, memory and what an independent checker finds, again and again after 1 % of the datasets changed,
 * and HiGHS on the smallest of them, asked for 0.01 %.
 *
 *     node control-plane/bench/place-priced.bench.ts [--large] [--seed 7]
 *
 * `reads` is how many times what a random placement is read with each target can serve.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '@data-in-motion/shared/random';
import Table from 'cli-table3';
import { pairedWhereLarge } from '../src/control-loop/paired-pass.ts';
import type { Assignment, PricedPlacement, PricedState } from '../src/placement/assignment.ts';
import { placePriced } from '../src/placement/place-priced.ts';
import { solveMixed } from '../src/placement/solve-mixed.ts';
import { mixedAssignment } from '../src/placement/testdata/mixed-assignment.ts';
import { assignmentInstance, changedInstance } from './assignment-instance.ts';
import { checkAssignment } from './check-assignment.ts';

const { values: given } = parseArgs({
  options: { large: { type: 'boolean', default: false }, seed: { type: 'string', default: '7' }, one: { type: 'string' } },
});
const solvers = ['priced', 'HiGHS'] as const;
const daysAgain = 5;
interface Again {
  readonly ms: number;
  readonly cpuMs: number;
  readonly gapPercent: number;
  readonly missing: number;
}
interface Run {
  readonly datasets: number;
  readonly targets: number;
  readonly reads: number;
  readonly solver: (typeof solvers)[number];
  readonly ms: number;
  readonly cpuMs: number;
  readonly gapPercent: number;
  readonly objective: number;
  /** Datasets that miss copies; null where nobody looked. */
  readonly missing: number | null;
  /** Each after another 1 % of the datasets changed, from the answer before. */
  readonly again: readonly Again[];
  /** Of the process once it has solved, before the checker; with the runtime, the problem and the answer. */
  readonly peakMb: number;
  /** Null where nobody looked. */
  readonly violations: number | null;
  readonly load: number;
}

if (given.one !== undefined) {
  const [datasets, targets, solver, reads = '2'] = given.one.split(',');
  console.log(JSON.stringify(await run(Number(datasets), Number(targets), Number(reads), solver === 'HiGHS' ? 'HiGHS' : 'priced')));
} else {
  // A process for each, so that the memory is that of one problem.
  const sizes = [[1000, 12], [10_000, 12], [100_000, 12], [100_000, 50], ...(given.large ? [[1_000_000, 50]] : [])];
  const tight = [
    [10_000, 12],
    [100_000, 12],
    [100_000, 50],
  ];
  const wanted = [...sizes.map((size) => [...size, 'priced', 2]), ...tight.map((size) => [...size, 'priced', 1.2]), [1000, 12, 'HiGHS', 2]];
  const runs = wanted.map((one): Run => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [import.meta.filename, '--seed', given.seed, '--one', one.join(',')], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  });
  const table = new Table({
    head: [
      'datasets',
      'targets',
      'reads ×',
      'solver',
      's',
      'CPU s',
      'gap %',
      'missing',
      'again s',
      'again CPU s',
      'ratio',
      'gap %',
      'missing',
      'peak MB',
      'violations',
      'load',
    ],
  });
  for (const one of runs)
    table.push([
      one.datasets,
      one.targets,
      one.reads,
      one.solver,
      (one.ms / 1000).toFixed(2),
      (one.cpuMs / 1000).toFixed(2),
      one.gapPercent.toFixed(5),
      one.missing ?? '',
      ...(one.again.length === 0 ? ['', '', '', '', ''] : againCells(one)),
      one.peakMb.toFixed(0),
      one.violations ?? '',
      one.load.toFixed(1),
    ]);
  console.log(table.toString());
  const results = path.join(import.meta.dirname, 'results');
  mkdirSync(results, { recursive: true });
  writeFileSync(path.join(results, 'place-priced.json'), `${JSON.stringify(runs, null, 2)}\n`);
}

/** Of the re-solves the middle ones. */
function againCells({ again, cpuMs }: Run): (string | number)[] {
  const middle = (of: (one: Again) => number): number => again.map(of).sort((a, b) => a - b)[Math.floor(again.length / 2)]!;
  const againCpuMs = middle((one) => one.cpuMs);
  const sec = (ms: number): string => (ms / 1000).toFixed(2);
  return [
    sec(middle((one) => one.ms)),
    sec(againCpuMs),
    (againCpuMs / cpuMs).toFixed(2),
    middle((one) => one.gapPercent).toFixed(5),
    Math.max(...again.map((one) => one.missing)),
  ];
}

async function run(datasets: number, targets: number, reads: number, solver: Run['solver']): Promise<Run> {
  const problem = assignmentInstance(datasets, targets, Number(given.seed), reads);
  const cpu = process.cpuUsage();
  const from = performance.now();
  const base = { datasets, targets, reads, solver, load: loadavg()[0]! };
  if (solver === 'HiGHS') {
    const { model, allLeftOut } = mixedAssignment(problem);
    const { values, gap } = await solveMixed(model, { timeLimitMs: 60_000, gap: 0.5 });
    const objective = values.reduce((sum, taken, at) => sum + (taken ? model.costs[at]! : 0), allLeftOut);
    const timed = { ms: performance.now() - from, cpuMs: cpuMsSince(cpu), peakMb: peakMb() };
    return { ...base, ...timed, objective, gapPercent: (100 * gap) / objective, missing: null, again: [], violations: null };
  }
  const placed = priced(problem, null);
  const timed = { ms: performance.now() - from, cpuMs: cpuMsSince(cpu), peakMb: peakMb() };
  let violations = checkAssignment(problem, placed).violations.length;
  // One after the other, each from the answer before: the first of them runs code that was never run.
  const days: Again[] = [];
  for (let day = 1, last = placed, present = problem; day <= daysAgain; day++) {
    present = changedInstance(present, 0.01, Number(given.seed) + day);
    const [againCpu, againFrom] = [process.cpuUsage(), performance.now()];
    const again = priced(present, last.state);
    days.push({ ms: performance.now() - againFrom, cpuMs: cpuMsSince(againCpu), gapPercent: 100 * again.gap, missing: again.missing.length });
    violations += checkAssignment(present, again).violations.length;
    last = again;
  }
  return {
    ...base,
    ...timed,
    objective: placed.objective,
    gapPercent: 100 * placed.gap,
    missing: placed.missing.length,
    again: days,
    violations,
  };
}

function priced(problem: Assignment, from: PricedState | null): PricedPlacement {
  return placePriced(problem, {
    random: seededRandom(1),
    isOver: () => false,
    from: from === null ? null : { state: from, rows: null, columns: null },
    passOver: pairedWhereLarge,
  });
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function peakMb(): number {
  return (process.resourceUsage().maxRSS * 1024) / 1e6;
}
