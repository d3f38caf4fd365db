import type { DatasetId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import { domainOf } from '../fleet/lookup.ts';
import type { ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import type { Need } from '../reconcile/needs.ts';
import { type AskContext, asksOf, type Option } from './asks.ts';
import type { Choice, Chosen } from './assemble-plan.ts';
import type { PricedPlacement } from './assignment.ts';
import { prepare } from './prepare-assignment.ts';
import type { Question, Questions } from './questions.ts';
import { tally } from './tally-places.ts';

/** A plan that is longer than this helps nobody, and its jobs would take days: the rest is planned again when these are made. */
const mostMoves = 5_000;

/** Where a copy goes: the one that leaves, or null for one that is added. */
interface Step {
  readonly replica: ReplicaFacts | null;
  readonly to: TargetFacts;
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
): Omit<Choice, 'solvedInMs' | 'full'> {
  const { asked, targets, problem, unreadable } = questions;
  const places = Int16Array.from(placed.places);
  const columnOf = new Map(targets.map((target, column) => [target.targetId, column]));
  const needsFor = (question: Question): readonly Need[] => needsOf.get(question.dataset.datasetId) ?? [];
  const chosen: Chosen[] = unreadable.flatMap((dataset) => asksOf(context, dataset, needsOf.get(dataset.datasetId) ?? []).map((ask) => ({ ask, options: [] })));
  let moves = 0;
  let leftForLater = 0;
  const order = [...asked.keys()].sort((a, b) => Number(asked[a]!.kind === 'better') - Number(asked[b]!.kind === 'better') || a - b);
  for (const row of order) {
    const question = asked[row]!;
    const own = places.subarray(row * placed.width, row * placed.width + problem.datasets.copies[row]!);
    const steps = stepsOf(targets, own, question);
    const isTooLong = moves >= mostMoves && question.kind === 'better';
    if (isTooLong) leftForLater += steps.length;
    const answers = steps.length > 0 || question.kind === 'need' ? answered(context, question, isTooLong ? [] : steps, needsFor(question)) : [];
    const made = answers.reduce((sum, { options }) => sum + options.length, 0);
    moves += made;
    if (made < steps.length) leaveOut(own, question, answers, columnOf);
    chosen.push(...answers);
  }
  const objective = tally(prepare(problem), places, () => true).dollars;
  return {
    chosen,
    gapPerMonth: Math.max(0, objective - placed.lowerBound),
    solver: placed.stopped === 'done' ? 'prices, with repair' : 'prices, with repair, stopped by the time limit',
    leftForLater,
  };
}

/** Which copies go where: those whose place is not among the chosen leave, to the places where none of them is. */
function stepsOf(targets: readonly TargetFacts[], places: Int16Array, question: Question): Step[] {
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
  return question.kind === 'need' ? apartFromWhatStays(question, steps, targets) : steps;
}

/** A copy that was to leave and has no place keeps its domain: no other may come there, or two would stand together. */
function apartFromWhatStays({ dataset, primary, others }: Question, steps: readonly Step[], targets: readonly TargetFacts[]): Step[] {
  const { spread } = dataset.policy;
  const placeOf = new Map(targets.map((target) => [target.targetId, target]));
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
 * The asks of one dataset, those that are answered with the options that were chosen. Which copy goes to which of the places is free; where no way of it pays
 * for each copy by itself, nothing of what would only pay is moved.
 */
function answered(context: AskContext, question: Question, steps: readonly Step[], needs: readonly Need[]): Chosen[] {
  const asks = asksOf(context, question.dataset, needs).filter((ask) => (ask.kind === 'better') === (question.kind === 'better'));
  for (const way of waysToPair(steps)) {
    const optionsOf = new Map<ReplicaId | null, Option[]>();
    let found = 0;
    for (const { replica, to } of way) {
      const key = replica?.replicaId ?? null;
      const option = asks.find((ask) => (ask.replica?.replicaId ?? null) === key)?.options.find((one) => one.to.targetId === to.targetId);
      if (option === undefined) continue;
      found++;
      optionsOf.set(key, [...(optionsOf.get(key) ?? []), option]);
    }
    if (found === way.length) return asks.map((ask) => ({ ask, options: optionsOf.get(ask.replica?.replicaId ?? null) ?? [] }));
  }
  return asks.map((ask) => ({ ask, options: [] }));
}

/** As it is, and with the places of two copies that are no primary the other way round. */
function waysToPair(steps: readonly Step[]): (readonly Step[])[] {
  const ways: (readonly Step[])[] = [steps];
  for (let one = 0; one < steps.length; one++)
    for (let other = one + 1; other < steps.length; other++) {
      const swapped = [...steps];
      swapped[one] = { replica: steps[one]!.replica, to: steps[other]!.to };
      swapped[other] = { replica: steps[other]!.replica, to: steps[one]!.to };
      ways.push(swapped);
    }
  return ways;
}

/** The row's places as they come to be: where its copies are, or nowhere for what was to be made. */
function leaveOut(places: Int16Array, question: Question, answers: readonly Chosen[], columnOf: ReadonlyMap<TargetFacts['targetId'], number>): void {
  const made = new Set(answers.flatMap(({ options }) => options.map(({ to }) => columnOf.get(to.targetId)!)));
  if (question.kind === 'need') {
    for (const [slot, column] of places.entries()) if (!made.has(column)) places[slot] = -1;
    return;
  }
  const held = [...(question.primary === null ? [] : [question.primary]), ...question.others].map((replica) => columnOf.get(replica.targetId)!);
  for (const [slot, column] of held.entries()) places[slot] = column;
}
