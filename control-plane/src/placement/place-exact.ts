import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { daysPerMonth } from '../fleet/copy-cost.ts';
import { defaultDecisionSettings, type PlacementSettings, type RiskSettings } from '../fleet/decision-settings.ts';
import { domainOf, indexOf } from '../fleet/lookup.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { targetHealth } from '../health/target-health.ts';
import { forecastUse } from '../heat/forecast-use.ts';
import { judgeTargets } from '../policy/allowed-targets.ts';
import { copiesOf } from '../reconcile/copies.ts';
import type { Need } from '../reconcile/needs.ts';
import { type Ask, type AskContext, asksOf, sourcesOf } from './asks.ts';
import { type Chosen, choosePlaces } from './choose-places.ts';
import { fleetCost, waitingPerMonth } from './cost.ts';
import { moveOf, retireMove } from './moves.ts';
import { orderMoves } from './order-moves.ts';
import type { Infeasible, Move, Plan } from './plan.ts';
import { wayOut } from './way-out.ts';

/**
 * Answer the needs of the fleet, and move what pays for itself, at the lowest cost that the policies allow: exactly, by HiGHS.
 * Only datasets with a need or with a move that pays are asked about; all others stay and are part of the cost only.
 * A need that can not be answered keeps no other from being answered: it is told under `infeasible` with the rules that clash.
 *
 * @param only when given, datasets outside of it stay as they are
 */
export async function placeExact(
  snapshot: FleetSnapshot,
  needs: readonly Need[],
  heats: ReadonlyMap<DatasetId, Heat>,
  settings: PlacementSettings,
  risk: RiskSettings = defaultDecisionSettings,
  only?: ReadonlySet<DatasetId>,
): Promise<Plan> {
  const context: AskContext = { snapshot, health: targetHealth(snapshot, risk), heats, settings };
  const needsOf = Map.groupBy(needs, (need) => need.datasetId);
  const wanted = snapshot.datasets.filter((dataset) => only === undefined || only.has(dataset.datasetId));
  const asks = wanted.flatMap((dataset) => asksOf(context, dataset, needsOf.get(dataset.datasetId) ?? []));
  const choice = await choosePlaces(snapshot, asks, settings);

  const placed = choice.chosen.flatMap(({ ask, options }) => options.map((option) => moveOf(snapshot, ask, option, heats.get(ask.dataset.datasetId))));
  const retired = wanted.flatMap((dataset) =>
    (needsOf.get(dataset.datasetId) ?? [])
      .filter((need) => need.answer === 'drop')
      .flatMap((need) => retireMove(snapshot, dataset, need, heats.get(dataset.datasetId)) ?? []),
  );
  const moves = orderMoves(snapshot, [...placed, ...retired]);
  const costBeforePerMonth = fleetCost(snapshot, heats).perMonth;
  const costAfterPerMonth = costBeforePerMonth + moves.reduce((sum, move) => sum + move.changePerMonth, 0);
  const objectivePerMonth =
    costAfterPerMonth + waitingAfter(context, moves) + moves.reduce((sum, move) => sum + (move.migrationOnce * daysPerMonth) / settings.horizonDays, 0);
  return {
    madeAtMs: snapshot.takenAtMs,
    solver: asks.length === 0 ? 'nothing to choose' : choice.status === 'optimal' ? 'exact (HiGHS)' : 'exact (HiGHS), stopped by the time limit',
    solvedInMs: choice.solvedInMs,
    objectivePerMonth,
    lowerBoundPerMonth: objectivePerMonth - choice.gapPerMonth,
    costBeforePerMonth,
    costAfterPerMonth,
    moves,
    infeasible: unanswered(context, choice.chosen),
  };
}

/** What readers' waiting is worth over the whole fleet once the moves are made. */
function waitingAfter(context: AskContext, moves: readonly Move[]): number {
  const fleet = indexOf(context.snapshot);
  const movedTo = new Map(
    moves.flatMap((move) => (move.action === 'move' && move.fromReplicaId !== null ? [[move.fromReplicaId, move.toTargetId] as const] : [])),
  );
  return context.snapshot.datasets.reduce((sum, dataset) => {
    const primary = dataset.replicas.find((replica) => replica.replicaId === dataset.primaryReplicaId);
    const target = primary === undefined ? undefined : fleet.targets.get(movedTo.get(primary.replicaId) ?? primary.targetId);
    return target === undefined
      ? sum
      : sum + waitingPerMonth(target, 'primary', forecastUse(context.heats.get(dataset.datasetId)), context.settings.dollarsPerReadSec);
  }, 0);
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
