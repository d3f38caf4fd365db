import type { TargetId } from '@data-in-motion/shared/domain/ids';
import { domainOf, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, ReplicaFacts } from '../fleet/snapshot.ts';
import type { TargetHealth } from '../health/target-health.ts';
import { clashingRules, judgeTargets } from './allowed-targets.ts';
import { type PolicyRule, violationsOfExistingCopy } from './violations.ts';

/** Something about a dataset that is not as its policy says, and what to do about it. */
export interface Finding {
  readonly rule: PolicyRule;
  readonly text: string;
  readonly remedy: string;
  readonly severity: 'info' | 'warning' | 'error';
  /** Where the copy is that it speaks of; null when it is about all copies together. */
  readonly targetId: TargetId | null;
  /** Since when, as far as the snapshot knows. */
  readonly sinceMs: number | null;
}

/** What would be done about a copy, or about a missing one (null), in words; null where no place is left. Findings do not choose places: who makes plans does. */
export type Remedy = (leaving: ReplicaFacts | null) => string | null;

/**
 * Where a dataset departs from its policy; empty when everything is as it should be. Nothing is found before the first version is committed.
 *
 * @param health of the same snapshot; who asks about many datasets makes it once
 */
export function policyFindings(snapshot: FleetSnapshot, dataset: DatasetFacts, health: ReadonlyMap<TargetId, TargetHealth>, remedy: Remedy): Finding[] {
  return findingsWith(snapshot, dataset, health, (role, leaving) => remedy(leaving) ?? noPlaceLeft(snapshot, dataset, health, role, leaving));
}

/**
 * For one look at the fleet: whether a finding of a dataset is an error. What would help is not looked for, and what was answered of a dataset that did not
 * change is answered again for as long as the places are the same in everything that an error can come from; latency, price and room only make warnings.
 */
export function policyBreaches(snapshot: FleetSnapshot, health: ReadonlyMap<TargetId, TargetHealth>): (dataset: DatasetFacts) => boolean {
  const places = JSON.stringify(
    snapshot.targets.map(({ targetId, nodeId, siteId, provider, region, encryptedAtRest }) => {
      const { counts, evacuation, riskyDeviceId } = health.get(targetId) ?? {};
      return [targetId, nodeId, siteId, provider, region, encryptedAtRest, counts, evacuation, riskyDeviceId];
    }),
  );
  if (places !== answered.places) answered = { places, breaches: new WeakMap() };
  const { breaches } = answered;
  return (dataset) => {
    const known = breaches.get(dataset);
    if (known !== undefined) return known;
    const isBroken = findingsWith(snapshot, dataset, health, () => '').some((finding) => finding.severity === 'error');
    breaches.set(dataset, isBroken);
    return isBroken;
  };
}

let answered: { readonly places: string; readonly breaches: WeakMap<DatasetFacts, boolean> } = { places: '', breaches: new WeakMap() };

type Help = (role: 'primary' | 'copy', leaving: ReplicaFacts | null) => string;

function findingsWith(snapshot: FleetSnapshot, dataset: DatasetFacts, health: ReadonlyMap<TargetId, TargetHealth>, remedy: Help): Finding[] {
  if (dataset.versionId === null) return [];
  return [...copiesFinding(dataset, health, remedy), ...placeFindings(snapshot, dataset, health, remedy), ...spreadFindings(snapshot, dataset, health)];
}

function copiesFinding(dataset: DatasetFacts, health: ReadonlyMap<TargetId, TargetHealth>, remedy: Help): Finding[] {
  const counted = verifiedCopies(dataset).filter((replica) => health.get(replica.targetId)?.counts === true).length;
  if (counted >= dataset.policy.copies) return [];
  const text =
    counted === 0 ? 'no verified copy is in a place that counts' : `${counted} of ${dataset.policy.copies} wanted copies are verified in places that count`;
  return [
    {
      rule: 'copies',
      text,
      remedy: remedy('copy', null),
      severity: counted === 0 ? 'error' : 'warning',
      targetId: null,
      sinceMs: null,
    },
  ];
}

function placeFindings(snapshot: FleetSnapshot, dataset: DatasetFacts, health: ReadonlyMap<TargetId, TargetHealth>, remedyFor: Help): Finding[] {
  const fleet = indexOf(snapshot);
  return verifiedCopies(dataset).flatMap((replica): Finding[] => {
    const target = fleet.targets.get(replica.targetId);
    const place = health.get(replica.targetId);
    if (target === undefined || place === undefined) return [];
    const role = replica.replicaId === dataset.primaryReplicaId ? 'primary' : 'copy';
    const remedy = (): string => remedyFor(role, replica);
    const { targetId } = target;
    const riskySinceMs = place.riskyDeviceId === null ? null : (fleet.devices.get(place.riskyDeviceId)?.levelSinceMs ?? null);
    const node = fleet.nodes.get(target.nodeId);
    const broken = violationsOfExistingCopy(dataset.policy, target, role).map(
      (violation): Finding => ({
        rule: violation.rule,
        text: violation.text,
        remedy: remedy(),
        severity: violation.rule === 'region' || violation.rule === 'encryption' ? 'error' : 'warning',
        targetId,
        sinceMs: null,
      }),
    );
    const text = place.reason ?? `device ${place.riskyDeviceId} gives signs`;
    if (place.counts && place.evacuation === 'watched')
      broken.push({ rule: 'risky-device', text, remedy: watchedRemedy, severity: 'info', targetId, sinceMs: riskySinceMs });
    else if (place.counts && place.evacuation === 'waits')
      broken.push({ rule: 'risky-device', text, remedy: waitsRemedy, severity: 'warning', targetId, sinceMs: riskySinceMs });
    else if (place.riskyDeviceId !== null)
      broken.push({
        rule: 'risky-device',
        text: place.reason ?? `device ${place.riskyDeviceId} is risky`,
        remedy: remedy(),
        severity: 'error',
        targetId,
        sinceMs: riskySinceMs,
      });
    else if (!place.counts)
      broken.push({
        rule: 'not-usable',
        text: place.reason ?? `${targetId} can not be used`,
        remedy: remedy(),
        severity: 'warning',
        targetId,
        // A lost node is silent since it was heard last; since when another place can not be used is not in the snapshot.
        sinceMs: node?.agentState === 'lost' ? node.lastHeardAtMs : null,
      });
    return broken;
  });
}

const watchedRemedy = 'nothing now: the copy counts, nothing new is put there, and the drive is judged anew with every reading';
const waitsRemedy = 'nothing now: the copy counts and leaves by itself when its turn comes';

function spreadFindings(snapshot: FleetSnapshot, dataset: DatasetFacts, health: ReadonlyMap<TargetId, TargetHealth>): Finding[] {
  const fleet = indexOf(snapshot);
  const places = verifiedCopies(dataset).flatMap((replica) => fleet.targets.get(replica.targetId) ?? []);
  const crowded = [...Map.groupBy(places, (target) => domainOf(target, dataset.policy.spread))].filter(([, targets]) => targets.length > 1);
  const counting = places.filter((target) => health.get(target.targetId)?.counts === true);
  // A copy more than wanted, about to leave, may share a domain for a while; too few domains for the wanted copies break the promise.
  const kept = new Set(counting.map((target) => domainOf(target, dataset.policy.spread))).size >= dataset.policy.copies;
  return crowded.map(
    ([domain, targets]): Finding => ({
      rule: 'spread',
      text: `${targets.length} copies are at the same ${dataset.policy.spread} ${domain}: ${targets.map((target) => target.targetId).join(', ')}`,
      remedy: kept
        ? 'it is one copy more than wanted; that one leaves by itself'
        : `move one of them to another ${dataset.policy.spread}; the next plan does it when one has room`,
      severity: kept ? 'info' : 'error',
      targetId: null,
      sinceMs: null,
    }),
  );
}

/** The rules that leave no place. */
function noPlaceLeft(
  snapshot: FleetSnapshot,
  dataset: DatasetFacts,
  health: ReadonlyMap<TargetId, TargetHealth>,
  role: 'primary' | 'copy',
  leaving: ReplicaFacts | null,
): string {
  const fleet = indexOf(snapshot);
  const held = verifiedCopies(dataset).flatMap((replica) => {
    const target = health.get(replica.targetId)?.counts === true ? fleet.targets.get(replica.targetId) : undefined;
    return target === undefined ? [] : [{ replica, target }];
  });
  // The copy that leaves frees its domain; the others keep theirs, also when it is the primary that goes.
  const staying = held.filter(({ replica }) => replica.replicaId !== leaving?.replicaId);
  const taken = new Set(staying.map(({ target }) => domainOf(target, dataset.policy.spread)));
  const heldIds = new Set(held.map(({ target }) => target.targetId));
  const judged = judgeTargets(snapshot, dataset, role, health).filter(({ target }) => !heldIds.has(target.targetId));
  const clashing = clashingRules(judged, taken, dataset);
  return `no place is left: ${clashing.length === 0 ? '' : `change ${clashing.join(' or ')} in the policy, or `}add a target`;
}

function verifiedCopies(dataset: DatasetFacts): DatasetFacts['replicas'] {
  return dataset.replicas.filter((replica) => replica.versionId === dataset.versionId && replica.state === 'verified');
}
