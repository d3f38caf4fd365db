import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import { copyOnce, leaveOnce } from '../fleet/copy-cost.ts';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import { domainOf, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import { dollarsText } from '../fleet/words.ts';
import { targetHealth } from '../health/target-health.ts';
import { forecastUse } from '../heat/forecast-use.ts';
import { judgeTargets } from '../policy/allowed-targets.ts';
import { violationsOfExistingCopy } from '../policy/violations.ts';
import { copiesOf } from '../reconcile/copies.ts';
import { noCost, perMonth, replicaCost, waitingPerMonth } from './cost.ts';
import { roleOf } from './objective.ts';
import type { Alternative, CostParts } from './plan.ts';

export interface Explanation {
  readonly why: string;
  readonly cost: CostParts;
  /** Every other target: the allowed ones first, cheapest first. */
  readonly alternatives: readonly Alternative[];
}

/** Why a copy is where it is, what it costs there, and what every other place would cost or why it is not allowed. */
export function explainReplica(snapshot: FleetSnapshot, datasetId: DatasetId, replicaId: ReplicaId, heats: ReadonlyMap<DatasetId, Heat>): Explanation {
  const fleet = indexOf(snapshot);
  const dataset = fleet.datasets.get(datasetId);
  const replica = dataset?.replicas.find((each) => each.replicaId === replicaId);
  const here = replica === undefined ? undefined : fleet.targets.get(replica.targetId);
  if (dataset === undefined || replica === undefined || here === undefined)
    return { why: 'it is not part of the fleet as it was last seen', cost: noCost, alternatives: [] };
  const use = forecastUse(heats.get(datasetId));
  const role = roleOf(dataset, replica);
  const cost = replicaCost(here, role, dataset, use);
  const taken = domainsOfOthers(snapshot, dataset, replica);
  const alternatives = otherPlaces(snapshot, dataset, replica, taken).map(({ target, violates }): Alternative => {
    const there = replicaCost(target, role, dataset, use);
    return {
      targetId: target.targetId,
      allowed: violates.length === 0,
      violates,
      cost: { ...there, migrationOnce: copyOnce(here, target, dataset) + leaveOnce(here, replica, dataset, snapshot.takenAtMs) },
      totalPerMonth: perMonth(there),
      differencePerMonth: perMonth(there) - perMonth(cost),
      latencyP95Ms: target.latencyP95Ms,
    };
  });
  alternatives.sort((a, b) => Number(b.allowed) - Number(a.allowed) || a.totalPerMonth - b.totalPerMonth || (a.targetId < b.targetId ? -1 : 1));
  return {
    why: whyHere(snapshot, dataset, replica, here, whatItIs(dataset, replica, here, taken), alternatives, cost, heats.get(datasetId)),
    cost,
    alternatives,
  };
}

function otherPlaces(
  snapshot: FleetSnapshot,
  dataset: DatasetFacts,
  replica: ReplicaFacts,
  taken: ReadonlySet<string>,
): { target: TargetFacts; violates: string[] }[] {
  return judgeTargets(snapshot, dataset, roleOf(dataset, replica), targetHealth(snapshot))
    .filter(({ target }) => target.targetId !== replica.targetId)
    .map(({ target, violations }) => ({
      target,
      violates: [...violations.map((violation) => violation.rule), ...(taken.has(domainOf(target, dataset.policy.spread)) ? ['spread'] : [])],
    }));
}

/** Where the other copies that count are, in the terms of the policy's spread. */
function domainsOfOthers(snapshot: FleetSnapshot, dataset: DatasetFacts, replica: ReplicaFacts): ReadonlySet<string> {
  const fleet = indexOf(snapshot);
  const others = copiesOf(snapshot, dataset, targetHealth(snapshot)).counted.filter((each) => each.replicaId !== replica.replicaId);
  return new Set(others.flatMap((each) => fleet.targets.get(each.targetId) ?? []).map((target) => domainOf(target, dataset.policy.spread)));
}

function whatItIs(dataset: DatasetFacts, replica: ReplicaFacts, here: TargetFacts, taken: ReadonlySet<string>): string {
  if (roleOf(dataset, replica) === 'primary') return 'the primary: readers use it';
  const { spread } = dataset.policy;
  return taken.has(domainOf(here, spread))
    ? `another copy is at the same ${spread}, which the policy does not want: one of them leaves`
    : `a copy at another ${spread} than the others`;
}

function whyHere(
  snapshot: FleetSnapshot,
  dataset: DatasetFacts,
  replica: ReplicaFacts,
  here: TargetFacts,
  what: string,
  alternatives: readonly Alternative[],
  cost: CostParts,
  heat: Heat | undefined,
): string {
  const role = roleOf(dataset, replica);
  if (replica.versionId !== dataset.versionId) return 'a copy of an older version: it leaves once the current one has its copies';
  const health = targetHealth(snapshot).get(here.targetId);
  if (health?.drain === true) return `it is about to leave: ${health.reason}`;
  const broken = violationsOfExistingCopy(dataset.policy, here, role);
  if (broken.length > 0) return `it is to leave: ${broken.map((violation) => violation.text).join('; ')}`;
  if (health?.evacuation != null) return `${what}. ${health.reason}`;
  const allowed = alternatives.filter((alternative) => alternative.allowed);
  const cheaper = allowed.filter((alternative) => alternative.differencePerMonth < 0);
  const price = `${dollarsText(perMonth(cost))} a month`;
  if (allowed.length === 0) return `${what}. Policy and room allow no other place; here it costs ${price}`;
  if (cheaper.length === 0) return `${what}. Of ${allowed.length + 1} places that policy allows this is the cheapest, ${price}`;
  const best = cheaper[0]!;
  const saves = `It costs ${price}; ${best.targetId} would save ${dollarsText(-best.differencePerMonth)} a month`;
  const lost = waitingLost(snapshot, here, best, heat);
  if (role === 'primary' && lost >= -best.differencePerMonth)
    return `${what}. ${saves}, but its readers would wait longer, which is worth ${dollarsText(lost)} a month`;
  return `${what}. ${saves}, but the move does not pay for itself within the horizon, or is not due yet`;
}

/** What the longer waiting of readers at the other place would be worth, dollars per month; negative where it is the faster one. */
function waitingLost(snapshot: FleetSnapshot, here: TargetFacts, other: Alternative, heat: Heat | undefined): number {
  const there = indexOf(snapshot).targets.get(other.targetId);
  const worth = (target: TargetFacts): number => waitingPerMonth(target, 'primary', forecastUse(heat), defaultDecisionSettings.placement.dollarsPerReadSec);
  return there === undefined ? 0 : worth(there) - worth(here);
}
