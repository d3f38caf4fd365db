import type { CopyExplanation, DatasetExplanation } from '@data-in-motion/shared/api/explanation';
import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import type { DecisionSettings } from '../../fleet/decision-settings.ts';
import type { DatasetFacts } from '../../fleet/snapshot.ts';
import { targetHealth } from '../../health/target-health.ts';
import { expectedUse, forecastOf } from '../../heat/expected-use.ts';
import type { AskContext } from '../../placement/asks.ts';
import { paidCopies, perMonth } from '../../placement/cost.ts';
import { type Explanation, explainReplica } from '../../placement/explain.ts';
import { policyVerdict } from '../../placement/policy-verdict.ts';
import type { ReplicaRow } from '../../store/kept-datasets.ts';
import { type FleetRows, factsOf, rowsOfDataset } from '../fleet-rows.ts';

const shownAlternatives = 5;
/** In these states a copy lies at a place and could lie at another. */
const standing: readonly ReplicaRow['state'][] = ['verified', 'suspect', 'retiring'];

const contexts = new WeakMap<FleetRows, { readonly decisions: DecisionSettings; readonly context: AskContext }>();

/** What explanations are reckoned from: the rows as decisions would see them. Made once for each look. */
export function explainsFrom(rows: FleetRows, decisions: DecisionSettings): AskContext {
  const known = contexts.get(rows);
  if (known?.decisions === decisions) return known.context;
  const { placement: settings, evacuation } = decisions;
  const context = { snapshot: rows.snapshot, health: targetHealth(rows.snapshot, decisions), heats: rows.heats, settings, evacuation };
  contexts.set(rows, { decisions, context });
  return context;
}

/** Why each copy of the dataset is where it is. */
export function explanationView(rows: FleetRows, datasetId: DatasetId, context: AskContext): DatasetExplanation {
  const facts = factsOf(rows, datasetId);
  const use = expectedUse(context.heats.get(datasetId));
  const standingCopies = (rowsOfDataset(rows, datasetId)?.replicas ?? [])
    .filter((row) => standing.includes(row.state))
    .flatMap((row) => {
      const explained = explainReplica(context, datasetId, row.replicaId);
      return explained === null ? [] : [{ row, explained }];
    });
  const copies = standingCopies
    .map(({ row, explained }) => copyView(rows, row, explained))
    .sort((a, b) => Number(b.primary) - Number(a.primary) || a.targetId.localeCompare(b.targetId));
  const verdict = facts === undefined ? null : policyVerdict(rows.snapshot, facts, context.health, context.heats.get(datasetId));
  const minimised = standingCopies.filter(({ row }) => row.versionId === facts?.versionId);
  const objectivePerMonth = minimised.reduce((sum, { explained }) => sum + explained.objectivePerMonth, 0);
  const bestObjectivePerMonth = minimised.reduce((sum, { explained }) => sum + objectiveAtBest(explained), 0);
  const billed = billedFor(rows, facts, context.heats.get(datasetId));
  return {
    datasetId,
    asOfMs: rows.asOfMs,
    sizeBytes: facts?.sizeBytes ?? 0,
    readsPerMonth: use.readsPerMonth,
    readBytesPerMonth: use.readBytesPerMonth,
    use: madeOf(context.heats.get(datasetId)),
    horizonDays: context.settings.horizonDays,
    objectivePerMonth,
    bestObjectivePerMonth,
    score: objectivePerMonth > 0 ? Math.min(1, bestObjectivePerMonth / objectivePerMonth) : 1,
    costPerMonth: billed.minimised.perMonth + billed.otherVersions.perMonth + billed.unusable.perMonth,
    billed,
    impossible: verdict === null ? null : { when: verdict.when, rules: [...verdict.rules], text: verdict.text, cheapestWayOut: verdict.cheapestWayOut },
    copies,
  };
}

function billedFor(rows: FleetRows, facts: DatasetFacts | undefined, heat: Heat | undefined): DatasetExplanation['billed'] {
  const billed = { minimised: { copies: 0, perMonth: 0 }, otherVersions: { copies: 0, perMonth: 0 }, unusable: { copies: 0, perMonth: 0 } };
  if (facts === undefined) return billed;
  for (const { replica, cost } of paidCopies(rows.snapshot, facts, heat)) {
    const whole = standing.includes(replica.state) ? billed.minimised : billed.unusable;
    const of = replica.versionId === facts.versionId ? whole : billed.otherVersions;
    of.copies++;
    of.perMonth += perMonth(cost);
  }
  return billed;
}

/** What is not known of the past leaves all to the forecast. */
function madeOf(heat: Heat | undefined): DatasetExplanation['use'] {
  const forecast = forecastOf(heat);
  if (heat?.past === undefined) return { past: null, forecast, forecastShare: 1 };
  const { forecastShare, ...past } = heat.past;
  return { past, forecast, forecastShare };
}

/** With the way there, where it would go. */
function objectiveAtBest(explained: Explanation): number {
  const chosen = explained.choice === 'goes' ? explained.alternatives.find(({ targetId }) => targetId === explained.chosenTargetId) : undefined;
  return chosen?.objectivePerMonth ?? explained.objectivePerMonth;
}

function copyView(rows: FleetRows, row: ReplicaRow, explained: Explanation): CopyExplanation {
  const target = rows.targetFacts.get(row.targetId);
  const { alternatives, flips, ...rest } = explained;
  return {
    replicaId: row.replicaId,
    targetId: row.targetId,
    siteId: target?.siteId ?? '',
    tier: target?.tier ?? 'cold',
    state: row.state,
    primary: rowsOfDataset(rows, row.datasetId)?.pointer?.replicaId === row.replicaId,
    ...rest,
    readBytesPerSec: target?.readBytesPerSec ?? null,
    writeBytesPerSec: target?.writeBytesPerSec ?? null,
    alternatives: alternatives.slice(0, shownAlternatives).map((one) => ({ ...one, violates: [...one.violates], because: [...one.because] })),
    placesAllowed: alternatives.filter((one) => one.allowed).length,
    placesInAll: alternatives.length,
    flips: [...flips],
  };
}
