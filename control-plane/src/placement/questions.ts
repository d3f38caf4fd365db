import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { daysPerMonth, leaveOnce } from '../fleet/copy-cost.ts';
import { domainOf, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import { copyAtStake } from '../health/evacuation-price.ts';
import { expectedUse } from '../heat/expected-use.ts';
import { copiesOf } from '../reconcile/copies.ts';
import type { Need } from '../reconcile/needs.ts';
import { type AskContext, isAtRest, movableCopies, takenDomains } from './asks.ts';
import { assignedTargets } from './assigned-targets.ts';
import type { Assignment } from './assignment.ts';
import { AssignmentRows, type RowOfCopies } from './assignment-rows.ts';
import { presentObjective, roleOf } from './objective.ts';
import { PlaceRules } from './place-rules.ts';
import { sourcesOf } from './read-source.ts';
import { RowSpecials } from './row-specials.ts';

/** One dataset about which something is to be decided: which of its copies may or must be elsewhere, and how many are to be added. */
export interface Question {
  readonly dataset: DatasetFacts;
  readonly kind: 'need' | 'better';
  /** The primary where it is part of the question. */
  readonly primary: ReplicaFacts | null;
  /** The other copies of the question. */
  readonly others: readonly ReplicaFacts[];
  readonly adds: number;
  /** What it is worth, dollars a month, that a copy comes to a pinned target. */
  readonly pinWorth: number;
}

export interface Questions {
  readonly problem: Assignment;
  /** Alongside the rows of the problem. */
  readonly asked: readonly Question[];
  /** Alongside the columns. */
  readonly targets: readonly TargetFacts[];
  /** Datasets with a need that nothing can be made for: no copy is left to read. */
  readonly unreadable: readonly DatasetFacts[];
}

/** Answering a need is worth so many times what any place costs for it: a missing copy more than a risky one, that more than a forbidden one; a pinned place a little. */
const worth = { add: 80, evacuate: 40, forbidden: 20, pin: 5 } as const;

/**
 * The same questions that `asksOf` puts into words, of the whole fleet and as numbers: without an object for each dataset and target, of which a large fleet
 * would have millions. Datasets that need nothing and do not rest are not in it.
 */
export function questionsOf(context: AskContext, wanted: readonly DatasetFacts[], needsOf: ReadonlyMap<DatasetId, readonly Need[]>): Questions {
  const { snapshot } = context;
  const targets = snapshot.targets.filter((target) => target.prices !== null);
  const rules = new PlaceRules(context, targets);
  const rows = new AssignmentRows(2 * wanted.length);
  const specials = new RowSpecials(rules.home);
  const asked: Question[] = [];
  const unreadable: DatasetFacts[] = [];
  for (const dataset of wanted) {
    const needs = needsOf.get(dataset.datasetId) ?? [];
    const open = needs.filter((need) => need.answer !== 'drop');
    const needed = open.length > 0 ? needRow(context, dataset, open, rules, specials) : null;
    if (needed !== null) {
      rows.add(needed.row, specials, rules.allowedBy(needed.row.rule));
      asked.push(needed.question);
    } else if (open.length > 0) unreadable.push(dataset);
    if (open.length < needs.length || (needed !== null && !rules.isEmpty(needed.row.rule)) || !isAtRest(context, dataset)) continue;
    const better = betterRow(context, dataset, open, rules, specials);
    if (better === null) continue;
    rows.add(better.row, specials, rules.allowedBy(better.row.rule));
    asked.push(better.question);
  }
  return { problem: { datasets: rows.whole(), rules: rules.all, targets: assignedTargets(context, targets, rules.home) }, asked, targets, unreadable };
}

/** What is special to the row stands in the list that was given. */
type Made = { readonly row: RowOfCopies; readonly question: Question };

/** Copies that are missing or must leave; those that stand well keep their domains. Null where nothing can be read to make one from. */
function needRow(context: AskContext, dataset: DatasetFacts, open: readonly Need[], rules: PlaceRules, specials: RowSpecials): Made | null {
  const copies = copiesOf(context.snapshot, dataset, context.health);
  const leaving = new Map(open.flatMap((need) => (need.answer === 'leave' && need.replicaId !== null ? [[need.replicaId, need] as const] : [])));
  const replicas = dataset.replicas.filter((replica) => leaving.has(replica.replicaId));
  const primary = replicas.find((replica) => roleOf(dataset, replica) === 'primary') ?? null;
  const others = replicas.filter((replica) => replica !== primary);
  const adds = open.filter((need) => need.answer === 'add').length;
  const firm = copies.counted.filter((replica) => !leaving.has(replica.replicaId));
  const sources = sourcesOf(dataset, copies, context.health);
  if (sources.length === 0) return null;
  const onlyPinned = dataset.policy.pinnedTargets.length > 0 && open.every((need) => need.answer === 'leave' && need.rules.includes('pinned-targets'));
  const rule = rules.numberOf(dataset, { taken: takenDomains(context, dataset, firm, copies.comingTo), onlyPinned, held: [] });
  const most = open.some((need) => need.answer === 'add') ? worth.add : open.some((need) => need.kind === 'evacuate-device') ? worth.evacuate : worth.forbidden;
  const row = baseRow(context, dataset, rule, primary !== null, replicas.length + adds, sources, most, rules, specials);
  const pinWorth = (worth.pin * row.missing) / most;
  for (const targetId of dataset.policy.pinnedTargets) if (rules.columnOf.has(targetId)) specials.credit(rules.columnOf.get(targetId)!, pinWorth);
  // A target that holds a readable copy takes no other one of the dataset.
  for (const replica of dataset.replicas)
    if (holdsCopy(dataset, replica) && rules.columnOf.has(replica.targetId)) specials.forbid(rules.columnOf.get(replica.targetId)!);
  return { row, question: { dataset, kind: 'need', primary, others, adds, pinWorth } };
}

/** Copies that stand well and would pay for being elsewhere; each may stay, and then costs nothing to bring there. Null where none may go. */
function betterRow(context: AskContext, dataset: DatasetFacts, open: readonly Need[], rules: PlaceRules, specials: RowSpecials): Made | null {
  const { columnOf } = rules;
  const { movable, firm } = movableCopies(context, dataset, open);
  const placed = movable.filter((replica) => columnOf.has(replica.targetId));
  if (placed.length === 0) return null;
  const { targets } = indexOf(context.snapshot);
  const taken = takenDomains(context, dataset, [...firm, ...movable.filter((replica) => !columnOf.has(replica.targetId))], []);
  // Two that stand too near, and may not be parted now, are left as they are.
  const apart = placed.map((replica) => domainOf(targets.get(replica.targetId)!, dataset.policy.spread)).filter((domain) => !taken.has(domain));
  if (new Set(apart).size < apart.length) return null;
  const primary = placed.find((replica) => roleOf(dataset, replica) === 'primary') ?? null;
  const others = placed.filter((replica) => replica !== primary);
  const rule = rules.numberOf(dataset, {
    taken,
    onlyPinned: false,
    held: placed.map((replica) => ({ targetId: replica.targetId, serves: replica === primary })),
  });
  const row = baseRow(context, dataset, rule, primary !== null, placed.length, [...movable, ...firm], worth.add, rules, specials);
  const rest = restPerMonth(context, dataset);
  for (const replica of placed) {
    const column = columnOf.get(replica.targetId)!;
    const stays = row.arrive + rules.arrivesAt(dataset, column) + leavePerMonth(context, dataset, replica) + rest;
    specials.hold(column, replica === primary ? -Infinity : stays, replica === primary ? stays : -Infinity);
  }
  for (const replica of dataset.replicas)
    if (holdsCopy(dataset, replica) && !placed.includes(replica) && columnOf.has(replica.targetId)) specials.forbid(columnOf.get(replica.targetId)!);
  return { row, question: { dataset, kind: 'better', primary, others, adds: 0, pinWorth: 0 } };
}

/** What hysteresis asks a move to save besides, US dollars a month. */
export function restPerMonth(context: AskContext, dataset: DatasetFacts): number {
  return dataset.policy.forecastMargin * presentObjective(context, dataset, expectedUse(context.heats.get(dataset.datasetId)));
}

/** The fee for leaving before the minimum days, spread over the horizon, US dollars a month. */
export function leavePerMonth({ snapshot, settings }: AskContext, dataset: DatasetFacts, replica: ReplicaFacts): number {
  const here = indexOf(snapshot).targets.get(replica.targetId);
  return here === undefined ? 0 : (leaveOnce(here, replica, dataset, snapshot.takenAtMs) * daysPerMonth) / settings.horizonDays;
}

function holdsCopy(dataset: DatasetFacts, replica: ReplicaFacts): boolean {
  return replica.versionId === dataset.versionId && ['joining', 'verified', 'suspect', 'retiring'].includes(replica.state);
}

function baseRow(
  context: AskContext,
  dataset: DatasetFacts,
  rule: number,
  hasPrimary: boolean,
  copies: number,
  sources: readonly ReplicaFacts[],
  times: number,
  rules: PlaceRules,
  specials: RowSpecials,
): RowOfCopies {
  const use = expectedUse(context.heats.get(dataset.datasetId));
  specials.clear();
  return {
    bytes: dataset.sizeBytes,
    objects: dataset.objects,
    readBytes: use.readBytesPerMonth,
    requests: use.readsPerMonth,
    atStake: copyAtStake(dataset, context.evacuation),
    copies,
    hasPrimary,
    rule,
    arrive: rules.arriveFrom(dataset, sources, specials),
    missing: times * rules.dearest(dataset, use),
  };
}
