import type { TargetId } from '@data-in-motion/shared/domain/ids';
import { domainOf, freeBytes, indexOf } from '../fleet/lookup.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { expectedUse } from '../heat/expected-use.ts';
import type { Ask, AskContext, Option } from './asks.ts';
import type { Choice, Chosen } from './assemble-plan.ts';
import { readBytesLimitOf, requestsLimitOf, served } from './serve-limits.ts';
import { type MixedModel, solveMixed } from './solve-mixed.ts';

/** Answering an ask of a need is worth more than any saving; among needs a missing copy is worth more than a risky one, that more than a forbidden one. */
const worth = { add: 4, evacuate: 2, forbidden: 1, pin: 0.25 } as const;

/**
 * Choose a place for every ask at the lowest sum of objectives, exactly: a binary variable for each (ask, option), solved as a mixed integer program.
 * A formulation by replica rather than by dataset × target, because what a move costs depends on the copy that it replaces.
 *
 *     minimise   Σ (objective − stay − worth of answering) · x
 *     subject to Σ x of one ask ≤ its count
 *                Σ x of one dataset into one spread domain ≤ 1, and 0 while a copy there stays
 *                Σ size · x into one target ≤ its free bytes
 *                Σ read bytes · x, and Σ reads · x, of primaries into one target ≤ what it can serve besides those that are there
 *
 * Choosing nothing is always possible, so there is always an answer; what could not be answered is seen by its ask's empty options.
 */
export async function choosePlaces(context: AskContext, asks: readonly Ask[]): Promise<Choice> {
  const { snapshot, settings: limits } = context;
  const variables = variablesOf(asks);
  const nothing = { shadowPrices: [], leftForLater: { moves: 0, savesPerMonth: 0 } };
  if (variables.length === 0)
    return { chosen: asks.map((ask) => ({ ask, options: [] })), gapPerMonth: 0, solver: 'no solver (nothing to choose)', solvedInMs: 0, ...nothing };
  const model: MixedModel = {
    costs: pricesOf(variables, asks),
    rows: [...countRows(variables, asks), ...spreadRows(snapshot, variables, asks), ...capacityRows(snapshot, variables), ...serveRows(context, variables)],
  };
  const solution = await solveMixed(model, { timeLimitMs: limits.timeLimitMs, gap: Math.max(1e-9, limits.gap * presentPerMonth(asks)) });
  const options = new Map<Ask, Option[]>(asks.map((ask) => [ask, []]));
  for (const [place, variable] of variables.entries()) if (solution.values[place]) options.get(variable.ask)!.push(variable.option);
  const chosen = asks.map((ask) => ({ ask, options: options.get(ask)! }));
  return {
    chosen,
    gapPerMonth: Math.min(solution.gap, gapToBestAlone(chosen)),
    solver: solution.status === 'optimal' ? 'exact (HiGHS)' : 'exact (HiGHS), stopped by the time limit',
    solvedInMs: solution.solvedInMs,
    ...nothing,
  };
}

/**
 * How far the choice is from one in which each ask had the fleet for itself, with the same needs answered, dollars per month: no choice can be better
 * than that. Tells more than the solver's own bound when the time limit struck early, since that one still hopes to answer every need.
 */
function gapToBestAlone(chosen: readonly Chosen[]): number {
  return chosen.reduce((sum, { ask, options }) => {
    const cheapest = ask.options.map((option) => option.objective).sort((a, b) => a - b);
    const answered = options.reduce((dollars, option) => dollars + option.objective, 0);
    if (ask.kind !== 'better') return sum + answered - cheapest.slice(0, options.length).reduce((dollars, each) => dollars + each, 0);
    return sum + (options.length > 0 ? answered : ask.stayObjective) - Math.min(ask.stayObjective, ...cheapest);
  }, 0);
}

/** What the asked copies cost about, dollars per month: where they are, or for new ones at their best place. */
function presentPerMonth(asks: readonly Ask[]): number {
  return asks.reduce(
    (sum, ask) =>
      sum +
      (ask.kind === 'add'
        ? ask.count * Math.min(...ask.options.map((option) => option.objective), Number.MAX_SAFE_INTEGER) * Number(ask.options.length > 0)
        : ask.stayObjective),
    0,
  );
}

/** So many of the largest savings together never outweigh one need. */
const manyTimes = 20;

interface Variable {
  readonly ask: Ask;
  readonly option: Option;
}

/**
 * One variable for each option that can be part of a best answer: of the options of an ask in one spread domain, those dearer than one at a target
 * with room for everything that could be asked of it are never better, whatever else is chosen.
 */
function variablesOf(asks: readonly Ask[]): Variable[] {
  const asked = new Map<TargetId, number>();
  for (const ask of asks) for (const { to } of ask.options) asked.set(to.targetId, (asked.get(to.targetId) ?? 0) + ask.dataset.sizeBytes);
  const roomy = (option: Option): boolean => asked.get(option.to.targetId)! <= freeBytes(option.to);
  return asks.flatMap((ask) => {
    const domains = Map.groupBy(ask.options, (option) => domainOf(option.to, ask.dataset.policy.spread));
    return [...domains.values()].flatMap((options) => {
      const sorted = [...options].sort((a, b) => a.objective - b.objective || (a.to.targetId < b.to.targetId ? -1 : 1));
      const enough = sorted.findIndex(roomy);
      return sorted.filter((option, place) => enough === -1 || place <= enough || isPinned(ask, option)).map((option) => ({ ask, option }));
    });
  });
}

/**
 * In dollars per month. What answering a need is worth is more than all that could be saved elsewhere by leaving it open, but never more than
 * many times the largest saving there is: in a large fleet the sum of all savings would drown the cents in the solver's tolerance.
 */
function pricesOf(variables: readonly Variable[], asks: readonly Ask[]): number[] {
  const most = new Map<Ask, number>();
  for (const { ask, option } of variables) most.set(ask, Math.max(most.get(ask) ?? 0, Math.abs(option.objective - ask.stayObjective)));
  const all = asks.reduce((sum, ask) => sum + ask.count * (most.get(ask) ?? 0), 0);
  const unit = Math.min(all * 1.1, manyTimes * Math.max(0, ...most.values())) / worth.pin + 1e-3;
  return variables.map(({ ask, option }) => option.objective - ask.stayObjective - unit * (worthOf(ask) + (isPinned(ask, option) ? worth.pin : 0)));
}

function worthOf(ask: Ask): number {
  if (ask.kind === 'better') return 0;
  if (ask.kind === 'add') return worth.add;
  return ask.need === 'evacuate-device' ? worth.evacuate : worth.forbidden;
}

function isPinned(ask: Ask, option: Option): boolean {
  return ask.dataset.policy.pinnedTargets.includes(option.to.targetId);
}

type Row = MixedModel['rows'][number];

function countRows(variables: readonly Variable[], asks: readonly Ask[]): Row[] {
  const rows = new Map(asks.map((ask) => [ask, { columns: [] as number[], weights: [] as number[], atMost: ask.count }]));
  for (const [column, { ask }] of variables.entries()) {
    rows.get(ask)!.columns.push(column);
    rows.get(ask)!.weights.push(1);
  }
  return [...rows.values()].filter((row) => row.columns.length > row.atMost);
}

/** For each dataset and domain: with n copies there that may leave, n · (new ones) ≤ (those that leave); with none, new ones ≤ 1. */
function spreadRows(snapshot: FleetSnapshot, variables: readonly Variable[], asks: readonly Ask[]): Row[] {
  const fleet = indexOf(snapshot);
  const key = (ask: Ask, targetId: TargetId): string => {
    const target = fleet.targets.get(targetId);
    return `${ask.dataset.datasetId} ${target === undefined ? targetId : domainOf(target, ask.dataset.policy.spread)}`;
  };
  const present = new Map<string, number>();
  for (const ask of asks) if (ask.replica !== null) present.set(key(ask, ask.replica.targetId), (present.get(key(ask, ask.replica.targetId)) ?? 0) + 1);
  const rows = new Map<string, Map<number, number>>();
  const add = (name: string, column: number, weight: number): void => {
    const row = rows.get(name) ?? rows.set(name, new Map()).get(name)!;
    row.set(column, (row.get(column) ?? 0) + weight);
  };
  for (const [column, { ask, option }] of variables.entries()) {
    const into = key(ask, option.to.targetId);
    add(into, column, present.get(into) ?? 1);
    if (ask.replica !== null) add(key(ask, ask.replica.targetId), column, -1);
  }
  return [...rows].flatMap(([name, weights]) => {
    const entries = [...weights].filter(([, weight]) => weight !== 0);
    const atMost = present.has(name) ? 0 : 1;
    const most = entries.reduce((sum, [, weight]) => sum + Math.max(0, weight), 0);
    return most > atMost ? [{ columns: entries.map(([column]) => column), weights: entries.map(([, weight]) => weight), atMost }] : [];
  });
}

/** In GB, so that the numbers stay near those of the other rows; targets with room for everything have no row. */
function capacityRows(snapshot: FleetSnapshot, variables: readonly Variable[]): Row[] {
  const byTarget = Map.groupBy([...variables.entries()], ([, { option }]) => option.to.targetId);
  return snapshot.targets.flatMap((target) => {
    const entries = byTarget.get(target.targetId) ?? [];
    const asked = entries.reduce((sum, [, { ask }]) => sum + ask.dataset.sizeBytes, 0);
    if (asked <= freeBytes(target)) return [];
    return [
      { columns: entries.map(([column]) => column), weights: entries.map(([, { ask }]) => ask.dataset.sizeBytes / 1e9), atMost: freeBytes(target) / 1e9 },
    ];
  });
}

/** What primaries that come are read with, each as a share of what the target has left. */
function serveRows(context: AskContext, variables: readonly Variable[]): Row[] {
  const primaries = [...variables.entries()].filter(([, { ask }]) => ask.role === 'primary');
  if (primaries.length === 0) return [];
  const present = served(context);
  return [...Map.groupBy(primaries, ([, { option }]) => option.to)].flatMap(([target, entries]) => {
    const there = present.get(target.targetId) ?? { readBytesPerMonth: 0, readsPerMonth: 0 };
    const use = entries.map(([, { ask }]) => expectedUse(context.heats.get(ask.dataset.datasetId)));
    const row = (limit: number, amounts: readonly number[]): Row[] =>
      amounts.reduce((sum, amount) => sum + amount, 0) <= limit
        ? []
        : [{ columns: entries.map(([column]) => column), weights: amounts.map((amount) => amount / Math.max(1, limit)), atMost: limit > 0 ? 1 : 0 }];
    return [
      ...row(
        Math.max(0, readBytesLimitOf(target, context.settings) - there.readBytesPerMonth),
        use.map((one) => one.readBytesPerMonth),
      ),
      ...row(
        Math.max(0, requestsLimitOf(target, context.settings) - there.readsPerMonth),
        use.map((one) => one.readsPerMonth),
      ),
    ];
  });
}
