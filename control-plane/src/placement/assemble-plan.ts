import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { daysPerMonth } from '../fleet/copy-cost.ts';
import { domainOf, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, ShadowPrice } from '../fleet/snapshot.ts';
import { type ExpectedUse, expectedUse } from '../heat/expected-use.ts';
import { judgeTargets } from '../policy/allowed-targets.ts';
import { copiesOf } from '../reconcile/copies.ts';
import type { Need } from '../reconcile/needs.ts';
import type { Ask, AskContext, Option } from './asks.ts';
import { fleetCost, isPaid } from './cost.ts';
import { moveOf, retireMove } from './moves.ts';
import { addParts, addPresentParts, noParts, type ObjectiveParts, objectiveOf } from './objective.ts';
import { orderMoves } from './order-moves.ts';
import type { FullPlace, Infeasible, LeftForLater, Move, Plan } from './plan.ts';
import { sourcesOf } from './read-source.ts';
import { wayOut } from './way-out.ts';

/** One ask with its answer. */
export interface Chosen {
  readonly ask: Ask;
  /** At most `ask.count`, all at different targets; none where it stays or can not be answered. */
  readonly options: readonly Option[];
}

/** What a solver answers, whichever it is. */
export interface Choice {
  readonly chosen: readonly Chosen[];
  /** How far from the best the choice can be at most, dollars per month. */
  readonly gapPerMonth: number;
  readonly solver: string;
  readonly solvedInMs: number;
  readonly shadowPrices: readonly ShadowPrice[];
  /** What would pay and is not in the choice, since a plan that nobody can read helps nobody; it is no part of the gap. */
  readonly leftForLater: LeftForLater;
}

/** The plan that a choice makes: its moves with their reasons, what superfluous copies go, what it costs, and what can not be met. */
export function assemblePlan(context: AskContext, wanted: readonly DatasetFacts[], needsOf: ReadonlyMap<DatasetId, readonly Need[]>, choice: Choice): Plan {
  const { snapshot, heats } = context;
  const placed = choice.chosen.flatMap(({ ask, options }) => options.map((option) => moveOf(snapshot, ask, option, heats.get(ask.dataset.datasetId))));
  const retired = wanted.flatMap((dataset) =>
    (needsOf.get(dataset.datasetId) ?? [])
      .filter((need) => need.answer === 'drop')
      .flatMap((need) => retireMove(snapshot, dataset, need, heats.get(dataset.datasetId)) ?? []),
  );
  const moves = orderMoves(snapshot, [...placed, ...retired]);
  const costBeforePerMonth = fleetCost(snapshot, heats).perMonth;
  const parts = partsAfter(context, choice.chosen, retired);
  const objectivePerMonth = objectiveOf(parts);
  return {
    madeAtMs: snapshot.takenAtMs,
    solver: choice.solver,
    solvedInMs: choice.solvedInMs,
    objectivePerMonth,
    lowerBoundPerMonth: objectivePerMonth - choice.gapPerMonth - choice.leftForLater.savesPerMonth,
    gap: objectivePerMonth === 0 ? 0 : choice.gapPerMonth / Math.abs(objectivePerMonth),
    parts,
    full: fullPlaces(choice.shadowPrices),
    shadowPrices: choice.shadowPrices,
    leftForLater: choice.leftForLater,
    costBeforePerMonth,
    costAfterPerMonth: costBeforePerMonth + moves.reduce((sum, move) => sum + move.changePerMonth, 0),
    moves,
    infeasible: unanswered(context, choice.chosen),
  };
}

/** Only room has a worth that a person can add to; what is read there is the machine's. */
function fullPlaces(prices: readonly ShadowPrice[]): FullPlace[] {
  return prices
    .filter(({ resource }) => resource === 'bytes')
    .map(({ targetId, dollarsPerUnit }) => ({ targetId, dollarsPerTbMonth: dollarsPerUnit * 1e12 }))
    .sort((a, b) => b.dollarsPerTbMonth - a.dollarsPerTbMonth);
}

/** What is minimised, over the whole fleet and by part, once the choice is made and what is superfluous is gone, US dollars per month. */
function partsAfter(context: AskContext, chosen: readonly Chosen[], retired: readonly Move[]): ObjectiveParts {
  const fleet = indexOf(context.snapshot);
  const useOf = (datasetId: DatasetId): ExpectedUse => expectedUse(context.heats.get(datasetId));
  const after = { ...noParts };
  for (const dataset of context.snapshot.datasets) addPresentParts(after, context, dataset, useOf(dataset.datasetId), 1);
  for (const { ask, options } of chosen) {
    for (const { parts } of options) addParts(after, parts, 1);
    if (options.length > 0 && ask.replica !== null && isPaid(ask.replica) && ask.stay !== null) addParts(after, ask.stay, -1);
  }
  for (const move of retired) {
    const dataset = fleet.datasets.get(move.datasetId)!;
    const only = { ...dataset, replicas: dataset.replicas.filter((replica) => replica.replicaId === move.fromReplicaId) };
    addPresentParts(after, context, only, useOf(move.datasetId), -1);
    after.wayTherePerMonth += (move.migrationOnce * daysPerMonth) / context.settings.horizonDays;
  }
  return after;
}

/** One answer for each dataset whose needs could not all be met. */
function unanswered(context: AskContext, chosen: readonly Chosen[]): Infeasible[] {
  const open = chosen.filter(({ ask, options }) => ask.kind !== 'better' && options.length < ask.count);
  const byDataset = Map.groupBy(open, ({ ask }) => ask.dataset.datasetId);
  return [...byDataset.values()].map((asks) => whyNot(context, asks[0]!.ask, chosen));
}

function whyNot(context: AskContext, ask: Ask, chosen: readonly Chosen[]): Infeasible {
  const { dataset } = ask;
  if (ask.kind === 'add' && sourcesOf(dataset, copiesOf(context.snapshot, dataset, context.health), context.health).length === 0) {
    return {
      datasetId: dataset.datasetId,
      rules: ['copies'],
      cheapestWayOut:
        'no verified copy is left that can be read: bring its node back, or import the dataset again, also from a copy that is in a trash still (.dim/trash of its target)',
    };
  }
  const taken = new Set(ask.taken);
  const everywhere = judgeTargets(context.snapshot, dataset, ask.role, context.health);
  // A copy that is to be on a pinned target is kept from it by what is wrong there, not by a lack of room elsewhere.
  const wantsPin = ask.kind === 'leave' && ask.rules.includes('pinned-targets') && dataset.policy.pinnedTargets.length > 0;
  const judged = wantsPin ? everywhere.filter(({ target }) => dataset.policy.pinnedTargets.includes(target.targetId)) : everywhere;
  const held = new Set(
    dataset.replicas
      .filter((replica) => replica.versionId === dataset.versionId && replica.replicaId !== ask.replica?.replicaId)
      .map((replica) => replica.targetId),
  );
  for (const other of chosen) if (other.ask.dataset.datasetId === dataset.datasetId) for (const option of other.options) held.add(option.to.targetId);
  const { targets } = indexOf(context.snapshot);
  const spread = dataset.policy.spread;
  for (const targetId of held) {
    const target = targets.get(targetId);
    if (target !== undefined && context.health.get(targetId)?.counts === true) taken.add(domainOf(target, spread));
  }
  return wayOut(dataset, judged, taken, ask.role, context.heats.get(dataset.datasetId));
}
