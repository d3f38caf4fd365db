import type { TargetId } from '@data-in-motion/shared/domain/ids';
import type { AskContext } from './asks.ts';
import type { AssignedDatasets, AssignedTargets } from './assignment.ts';
import { rowsOfAssignment } from './assignment-rows.ts';
import { everyRow } from './every-row.ts';
import { prepare } from './prepare-assignment.ts';
import { PricePass } from './price-pass.ts';
import type { Questions } from './questions.ts';
import { served } from './serve-limits.ts';

/** Looked at first, of as many more. */
const triedRows = 2_000;
/** A share of them. */
const mostOpen = 0.75;

/**
 * The questions that have an answer other than "stay": all needs, and of what would pay only what is cheaper somewhere while there is room for all. What stays
 * under no prices stays under any, since prices of room make only what moves dearer; so nothing is lost by not asking further. What primaries that stay are
 * read with is taken from the limits, and never sends one away. Where a sample says that most have another answer, all questions are kept: the answer is the same.
 */
export function screen(context: AskContext, questions: Questions): Questions {
  const kept = openRows(questions);
  if (kept === null) return { ...questions, problem: { ...questions.problem, targets: withWhatStays(context, questions) } };
  const { problem, asked } = questions;
  const open = { ...questions, problem: { ...problem, datasets: rowsOfAssignment(problem.datasets, kept) }, asked: kept.map((row) => asked[row]!) };
  return { ...open, problem: { ...open.problem, targets: withWhatStays(context, open) } };
}

/** Null where most are open: to find the others would take longer than to ask them too. */
function openRows({ problem, asked }: Questions): number[] | null {
  const { count } = problem.datasets;
  const prepared = prepare(problem);
  const places = new Int16Array(count * prepared.width).fill(-1);
  const pass = new PricePass(prepared);
  const openOf = (rows: Int32Array): number[] => {
    pass.run(new Float64Array(prepared.limits.length), { rows, weights: null, whims: 0, window: 0, lists: false, places, values: null });
    return [...rows].filter((row) => asked[row]!.kind === 'need' || isElsewhere(problem.datasets, row, places, prepared.width));
  };
  const stride = Math.floor(count / triedRows);
  if (stride > 1) {
    const tried = Int32Array.from({ length: triedRows }, (_, at) => at * stride);
    if (openOf(tried).length > mostOpen * triedRows) return null;
  }
  return openOf(everyRow(count));
}

/** Whether any copy would rather be where it is not. */
function isElsewhere({ specialsFrom, specialColumn, stays, copies }: AssignedDatasets, row: number, places: Int16Array, width: number): boolean {
  const held = new Set<number>();
  for (let at = specialsFrom[row]!; at < specialsFrom[row + 1]!; at++) if (stays[at] === 1) held.add(specialColumn[at]!);
  return places.subarray(row * width, row * width + copies[row]!).some((column) => !held.has(column));
}

function withWhatStays(context: AskContext, { problem, asked, targets }: Questions): AssignedTargets {
  const present = served(context);
  const own = new Map<TargetId, { requests: number; readBytes: number }>();
  for (const [row, { kind, primary }] of asked.entries()) {
    if (kind === 'need' || primary === null) continue;
    const sum = own.get(primary.targetId) ?? { requests: 0, readBytes: 0 };
    sum.readBytes += problem.datasets.readBytes[row]!;
    sum.requests += problem.datasets.requests[row]!;
    own.set(primary.targetId, sum);
  }
  // With room for the rounding of sums: what is there may stay.
  const left = (limit: number, all: number, mine: number): number => Math.max(mine, limit - (all - mine)) * (1 + 1e-9);
  const { readBytesLimit, requestsLimit } = problem.targets;
  return {
    ...problem.targets,
    readBytesLimit: readBytesLimit.map((limit, column) => {
      const { targetId } = targets[column]!;
      return left(limit, present.get(targetId)?.readBytesPerMonth ?? 0, own.get(targetId)?.readBytes ?? 0);
    }),
    requestsLimit: requestsLimit.map((limit, column) => {
      const { targetId } = targets[column]!;
      return left(limit, present.get(targetId)?.readsPerMonth ?? 0, own.get(targetId)?.requests ?? 0);
    }),
  };
}
