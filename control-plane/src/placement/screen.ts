import type { TargetId } from '@data-in-motion/shared/domain/ids';
import type { AskContext } from './asks.ts';
import type { AssignedTargets } from './assignment.ts';
import { rowsOfAssignment } from './assignment-rows.ts';
import { prepare } from './prepare-assignment.ts';
import { PricePass } from './price-pass.ts';
import type { Questions } from './questions.ts';
import { served } from './serve-limits.ts';

/**
 * The questions that have an answer other than "stay": all needs, and of what would pay only what is cheaper somewhere while there is room for all. What stays
 * under no prices stays under any, since prices of room make only what moves dearer; so nothing is lost by not asking further. What primaries that stay are
 * read with is taken from the limits, and never sends one away.
 */
export function screen(context: AskContext, questions: Questions): Questions {
  const { problem, asked } = questions;
  const prepared = prepare(problem);
  const { count, specialsFrom, specialColumn, stays, copies } = problem.datasets;
  const places = new Int16Array(count * prepared.width).fill(-1);
  new PricePass(prepared, 'one').run(new Float64Array(prepared.limits.length), { rows: null, weights: null, whims: 0, window: 0, places, values: null });
  const kept: number[] = [];
  for (let row = 0; row < count; row++) {
    const held = new Set<number>();
    for (let at = specialsFrom[row]!; at < specialsFrom[row + 1]!; at++) if (stays[at] === 1) held.add(specialColumn[at]!);
    const chosen = places.subarray(row * prepared.width, row * prepared.width + copies[row]!);
    if (asked[row]!.kind === 'need' || chosen.some((column) => !held.has(column))) kept.push(row);
  }
  const open = { ...questions, problem: { ...problem, datasets: rowsOfAssignment(problem.datasets, kept) }, asked: kept.map((row) => asked[row]!) };
  return { ...open, problem: { ...open.problem, targets: withWhatStays(context, open) } };
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
