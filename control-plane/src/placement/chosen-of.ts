import type { DatasetId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import { domainOf, indexOf } from '../fleet/lookup.ts';
import type { ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import type { Need } from '../reconcile/needs.ts';
import { type AskContext, asksOf, type Option } from './asks.ts';
import type { Choice, Chosen } from './assemble-plan.ts';
import type { PricedPlacement } from './assignment.ts';
import { costAt, type PreparedAssignment, prepare } from './prepare-assignment.ts';
import { leavePerMonth, type Question, type Questions, restPerMonth } from './questions.ts';

/** A plan that is longer than this helps nobody, and its jobs would take days: the rest is planned again when these are made. */
const mostMoves = 5_000;

/** Where a copy goes: the one that leaves, or null for one that is added. */
interface Step {
  readonly replica: ReplicaFacts | null;
  readonly to: TargetFacts;
}

/** A row of which a copy goes elsewhere, or has to. */
interface Going {
  readonly row: number;
  readonly copies: number;
  /** Dollars a month where it is and where it goes; what is needed can not stay, and costs the same here as there. */
  readonly costHere: number;
  readonly costThere: number;
  readonly saves: number;
}

/**
 * The priced solver's columns as moves of copies, with the words that only a move needs; needs come first. What can not be made as it was placed stays, and the
 * gap grows by what that costs.
 */
export function chosenOf(
  context: AskContext,
  questions: Questions,
  placed: PricedPlacement,
  needsOf: ReadonlyMap<DatasetId, readonly Need[]>,
): Omit<Choice, 'solvedInMs' | 'shadowPrices'> {
  const { asked, targets, problem, unreadable } = questions;
  const prepared = prepare(problem);
  const columnOf = new Map(targets.map((target, column) => [target.targetId, column]));
  const needsFor = (question: Question): readonly Need[] => needsOf.get(question.dataset.datasetId) ?? [];
  const chosen: Chosen[] = unreadable.flatMap((dataset) => asksOf(context, dataset, needsOf.get(dataset.datasetId) ?? []).map((ask) => ({ ask, options: [] })));
  let moves = 0;
  const leftForLater = { moves: 0, savesPerMonth: 0 };
  let objective = 0;
  const placesOf = (row: number): Int16Array => placed.places.subarray(row * placed.width, row * placed.width + problem.datasets.copies[row]!);
  const going: Going[] = [];
  for (const [row, question] of asked.entries()) {
    const [here, there] = [whereItIs(question, columnOf), placesOf(row)];
    const costThere = placedCost(prepared, row, there);
    const copies = copiesThatMove(here, there, question.primary !== null);
    if (question.kind === 'need') going.push({ row, copies, costHere: costThere, costThere, saves: Infinity });
    else if (copies === 0) objective += costThere;
    else {
      const costHere = placedCost(prepared, row, here);
      going.push({ row, copies, costHere, costThere, saves: costHere - costThere });
    }
  }
  for (const { row, copies, costHere, costThere, saves } of going.sort((a, b) => (a.saves === b.saves ? a.row - b.row : b.saves - a.saves))) {
    const question = asked[row]!;
    if (moves >= mostMoves && question.kind === 'better') {
      leftForLater.moves += copies;
      leftForLater.savesPerMonth += saves;
      objective += costThere;
      continue;
    }
    const answers = answered(context, question, stepsOf(context, targets, placesOf(row), question), needsFor(question));
    moves += answers.reduce((sum, { options }) => sum + options.length, 0);
    // Where nothing of it pays by itself all of it stays.
    objective += answers.length > 0 ? costOf(context, question, answers, problem.datasets.missing[row]!) : costHere;
    chosen.push(...answers);
  }
  return {
    chosen,
    gapPerMonth: Math.max(0, objective - placed.lowerBound),
    solver: placed.stopped === 'done' ? 'prices, with repair' : 'prices, with repair, stopped by the time limit',
    leftForLater,
  };
}

/** How many copies of a row that could stay are not where they were, the primary first where the row has one. */
function copiesThatMove(here: Int16Array, there: Int16Array, hasPrimary: boolean): number {
  let moved = hasPrimary && there[0] !== -1 && there[0] !== here[0] ? 1 : 0;
  const first = hasPrimary ? 1 : 0;
  for (let slot = first; slot < there.length; slot++) if (there[slot] !== -1 && here.indexOf(there[slot]!, first) === -1) moved++;
  return moved;
}

/** Which copies go where: those whose place is not among the chosen leave, to the places where none of them is. */
function stepsOf(context: AskContext, targets: readonly TargetFacts[], places: Int16Array, question: Question): Step[] {
  const steps: Step[] = [];
  let others = [...places];
  if (question.primary !== null) {
    const to = targets[places[0]!];
    others = others.slice(1);
    if (to !== undefined && to.targetId !== question.primary.targetId) steps.push({ replica: question.primary, to });
  }
  const chosen = others.flatMap((column) => (column === -1 ? [] : [targets[column]!]));
  const held = new Set(question.kind === 'better' ? question.others.map((replica) => replica.targetId) : []);
  const kept = new Set(chosen.map((target) => target.targetId));
  const leaving = question.kind === 'need' ? question.others : question.others.filter((replica) => !kept.has(replica.targetId));
  for (const [at, to] of chosen.filter((target) => !held.has(target.targetId)).entries()) {
    const replica = at < question.adds ? null : leaving[at - question.adds];
    if (replica !== undefined) steps.push({ replica, to });
  }
  return question.kind === 'need' ? apartFromWhatStays(question, steps, indexOf(context.snapshot).targets) : steps;
}

/** A copy that was to leave and has no place keeps its domain: no other may come there, or two would stand together. */
function apartFromWhatStays(
  { dataset, primary, others }: Question,
  steps: readonly Step[],
  placeOf: ReadonlyMap<TargetFacts['targetId'], TargetFacts>,
): Step[] {
  const { spread } = dataset.policy;
  const domain = (target: TargetFacts | undefined): string | null => (target === undefined ? null : domainOf(target, spread));
  let kept = [...steps];
  for (let before = -1; before !== kept.length; ) {
    before = kept.length;
    const stays = [...others, ...(primary === null ? [] : [primary])].filter((replica) => !kept.some((step) => step.replica === replica));
    const taken = new Set(stays.map((replica) => domain(placeOf.get(replica.targetId))));
    kept = kept.filter((step) => !taken.has(domain(step.to)));
  }
  return kept;
}

/**
 * The asks of one dataset, those that are answered with the options that were chosen. Which copy goes to which of the places is free, so the cheapest way is
 * taken; where no way of it pays for each copy by itself, nothing of what would only pay is moved.
 */
function answered(context: AskContext, question: Question, steps: readonly Step[], needs: readonly Need[]): Chosen[] {
  const places = new Set(steps.map(({ to }) => to.targetId));
  const asks = asksOf({ ...context, places }, question.dataset, needs).filter((ask) => (ask.kind === 'better') === (question.kind === 'better'));
  let best: { readonly dollars: number; readonly optionsOf: ReadonlyMap<ReplicaId | null, readonly Option[]> } = { dollars: Infinity, optionsOf: new Map() };
  for (const way of waysToPair(steps)) {
    const optionsOf = new Map<ReplicaId | null, Option[]>();
    let found = 0;
    let dollars = 0;
    for (const { replica, to } of way) {
      const key = replica?.replicaId ?? null;
      const option = asks.find((ask) => (ask.replica?.replicaId ?? null) === key)?.options.find((one) => one.to.targetId === to.targetId);
      if (option === undefined) continue;
      found++;
      dollars += option.objective;
      optionsOf.set(key, [...(optionsOf.get(key) ?? []), option]);
    }
    if (found === way.length && dollars < best.dollars) best = { dollars, optionsOf };
  }
  return asks.map((ask) => ({ ask, options: best.optionsOf.get(ask.replica?.replicaId ?? null) ?? [] }));
}

/** Of few steps every way, of many only as it is. */
function waysToPair(steps: readonly Step[]): (readonly Step[])[] {
  if (steps.length > 4) return [steps];
  return orders(steps.map(({ to }) => to)).map((places) => steps.map(({ replica }, at) => ({ replica, to: places[at]! })));
}

function orders<Item>(items: readonly Item[]): Item[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((first, at) => orders(items.filter((_, other) => other !== at)).map((rest) => [first, ...rest]));
}

/**
 * What the dataset's part in the question costs as it is answered, in the terms of its moves: these are never cheaper than the row says. In the row what leaving
 * costs is a credit for staying, and of a copy that must leave no part at all: so it is taken off here of what moves and of what stays.
 */
function costOf(context: AskContext, question: Question, answers: readonly Chosen[], missing: number): number {
  const pinned = new Set(question.dataset.policy.pinnedTargets);
  const rest = question.kind === 'better' ? restPerMonth(context, question.dataset) : 0;
  return answers.reduce((sum, { ask, options }) => {
    // A copy on a target without a price is asked about beside the others, and is no part of the row.
    if (ask.replica !== null && ask.replica !== question.primary && !question.others.includes(ask.replica)) return sum;
    const fee = ask.replica === null ? 0 : leavePerMonth(context, question.dataset, ask.replica) + rest;
    const answered = options.reduce((dollars, option) => dollars + option.objective - fee - (pinned.has(option.to.targetId) ? question.pinWorth : 0), 0);
    const open = ask.count - options.length;
    return sum + answered + (open === 0 ? 0 : question.kind === 'better' ? ask.stayObjective - fee : open * missing);
  }, 0);
}

function whereItIs(question: Question, columnOf: ReadonlyMap<TargetFacts['targetId'], number>): Int16Array {
  const held = [...(question.primary === null ? [] : [question.primary]), ...question.others];
  return Int16Array.from(held, (replica) => columnOf.get(replica.targetId)!);
}

function placedCost(prepared: PreparedAssignment, row: number, places: Int16Array): number {
  return places.reduce((sum, column, slot) => sum + costAt(prepared, row, slot, column), 0);
}
