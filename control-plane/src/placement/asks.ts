import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, DeviceId, TargetId } from '@data-in-motion/shared/domain/ids';
import { currentReplicas, domainOf, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import type { TargetHealth } from '../health/target-health.ts';
import { type ExpectedUse, expectedUse } from '../heat/expected-use.ts';
import { allowedTargets } from '../policy/allowed-targets.ts';
import type { CopyRole, PolicyRule } from '../policy/violations.ts';
import { copiesOf, jobsOf } from '../reconcile/copies.ts';
import type { Need } from '../reconcile/needs.ts';
import { perMonth, replicaCost } from './cost.ts';
import { type ObjectiveContext, type ObjectiveParts, objectiveOf, objectiveParts, pays, presentObjective, roleOf, type Way, wayOnce } from './objective.ts';
import type { CostParts } from './plan.ts';
import { sourceFor, sourcesOf } from './read-source.ts';

/** One place that could answer an ask. */
export interface Option {
  readonly to: TargetFacts;
  /** The copy that is replaced, or, where none is, the one that is read. */
  readonly from: ReplicaFacts;
  /** The copy that is read. */
  readonly read: ReplicaFacts;
  /** What is billed. */
  readonly cost: CostParts;
  readonly parts: ObjectiveParts;
  /** The sum of the parts, dollars per month: what is minimised. */
  readonly objective: number;
}

/**
 * One question to the solver: where shall these `count` copies be? `add` and `leave` come from needs and are answered whenever they can be;
 * `better` is a copy that stands well and would pay for being elsewhere.
 */
export interface Ask {
  readonly dataset: DatasetFacts;
  readonly kind: 'add' | 'leave' | 'better';
  readonly need: Need['kind'] | null;
  readonly deviceId: DeviceId | null;
  readonly rules: readonly PolicyRule[];
  readonly reason: string;
  readonly count: number;
  /** The copy that would leave; null for `add`. */
  readonly replica: ReplicaFacts | null;
  readonly role: CopyRole;
  /** The parts of the objective of the copy where it is; null for `add`, and when its place is not known. */
  readonly stay: ObjectiveParts | null;
  /** Their sum, dollars per month; 0 for `add`. */
  readonly stayObjective: number;
  readonly options: readonly Option[];
  /** Spread domains with a copy that stays, whatever is answered. */
  readonly taken: ReadonlySet<string>;
}

export interface AskContext extends ObjectiveContext {
  /** Only these places are asked about, and of a need the one with the lowest bill, which the reason for a move speaks of; left out: all that policy allows. */
  readonly places?: ReadonlySet<TargetId>;
  readonly health: ReadonlyMap<TargetId, TargetHealth>;
  readonly heats: ReadonlyMap<DatasetId, Heat>;
}

/**
 * The questions about one dataset: those of its needs, and, when nothing can be done about these and it rests long enough, those that would pay.
 * Not both at once: a copy is not moved for its price while another is being made.
 */
export function asksOf(context: AskContext, dataset: DatasetFacts, needs: readonly Need[]): Ask[] {
  const open = needs.filter((need) => need.answer !== 'drop');
  const asked = needAsks(context, dataset, open);
  if (open.length < needs.length || asked.some((ask) => ask.options.length > 0) || !isAtRest(context, dataset)) return asked;
  return [...asked, ...betterAsks(context, dataset, open)];
}

/** Whether its copies may be moved for heat or cost: not soon after such a move, and not while a job does something with one. */
export function isAtRest({ snapshot, settings }: AskContext, dataset: DatasetFacts): boolean {
  if (dataset.versionId === null) return false;
  if (dataset.lastMovedAtMs !== null && snapshot.takenAtMs - dataset.lastMovedAtMs < settings.dwellMs) return false;
  return (
    jobsOf(snapshot)
      .get(dataset.datasetId)
      ?.some((job) => job.purpose !== 'verify') !== true
  );
}

/** Copies that stand well and may go elsewhere all the same, and the others that count; neither when a copy of the dataset is on its way. */
export function movableCopies(
  { snapshot, health }: AskContext,
  dataset: DatasetFacts,
  open: readonly Need[],
): { movable: readonly ReplicaFacts[]; firm: readonly ReplicaFacts[] } {
  const copies = copiesOf(snapshot, dataset, health);
  if (copies.comingTo.length > 0 || copies.inHand.size > 0) return { movable: [], firm: copies.counted };
  const stuck = new Set(open.map((need) => need.replicaId));
  const isMovable = (replica: ReplicaFacts): boolean =>
    !stuck.has(replica.replicaId) && health.get(replica.targetId)?.mayLetGo === true && !dataset.policy.pinnedTargets.includes(replica.targetId);
  return { movable: copies.counted.filter(isMovable), firm: copies.counted.filter((replica) => !isMovable(replica)) };
}

/** The questions of needs alone. @param needs none that drops a copy */
export function needAsks(context: AskContext, dataset: DatasetFacts, needs: readonly Need[]): Ask[] {
  const copies = copiesOf(context.snapshot, dataset, context.health);
  const leaving = new Set(needs.flatMap((need) => (need.answer === 'leave' ? [need.replicaId] : [])));
  const taken = takenDomains(
    context,
    dataset,
    copies.counted.filter((replica) => !leaving.has(replica.replicaId)),
    copies.comingTo,
  );
  const sources = sourcesOf(dataset, copies, context.health);
  const byId = new Map(dataset.replicas.map((replica) => [replica.replicaId, replica]));
  const base = { dataset, taken } as const;

  const leaves = needs
    .filter((need) => need.answer === 'leave')
    .map((need): Ask => {
      const replica = byId.get(need.replicaId!)!;
      const role = roleOf(dataset, replica);
      const onlyPinned = need.rules.includes('pinned-targets') && dataset.policy.pinnedTargets.length > 0;
      const allowed = placesForNeed(context, dataset, role, taken).filter((to) => !onlyPinned || dataset.policy.pinnedTargets.includes(to.targetId));
      const options = askedAbout(context, dataset, role, allowed).map((to) => moveOption(context, dataset, replica, role, to, sources));
      return {
        ...base,
        kind: 'leave',
        need: need.kind,
        deviceId: need.deviceId,
        rules: need.rules,
        reason: need.reason,
        count: 1,
        replica,
        role,
        ...staying(context, dataset, replica, role),
        options,
      };
    });
  const adds = needs.filter((need) => need.answer === 'add');
  if (adds.length === 0) return leaves;
  const allowed = placesForNeed(context, dataset, 'copy', taken);
  const options = askedAbout(context, dataset, 'copy', allowed).flatMap((to) => copyOption(context, dataset, sources, to) ?? []);
  // Copies that are missing are alike: one question with a count keeps the solver from trying them in every order.
  const add: Ask = {
    ...base,
    kind: 'add',
    need: adds[0]!.kind,
    deviceId: null,
    rules: adds[0]!.rules,
    reason: adds[0]!.reason,
    count: adds.length,
    replica: null,
    role: 'copy',
    stay: null,
    stayObjective: 0,
    options,
  };
  return [add, ...leaves];
}

/** Copies that would be cheaper, or faster for what their readers' time is worth, and pay their move back within the horizon by the policy's margin. */
function betterAsks(context: AskContext, dataset: DatasetFacts, open: readonly Need[]): Ask[] {
  const { movable, firm } = movableCopies(context, dataset, open);
  const present = presentObjective(context, dataset, useOf(context, dataset));
  const taken = takenDomains(context, dataset, firm, []);
  const asks = movable.map((replica): Ask => {
    const role = roleOf(dataset, replica);
    const stays = staying(context, dataset, replica, role);
    const margin = dataset.policy.forecastMargin * present;
    const options = newPlaces(context, dataset, role, taken)
      .map((to) => moveOption(context, dataset, replica, role, to, [...movable, ...firm], margin))
      .filter((option) => stays.stay !== null && pays(stays.stay, option.parts, margin));
    return {
      dataset,
      kind: 'better',
      need: null,
      deviceId: null,
      rules: [],
      reason: context.heats.get(dataset.datasetId)?.reason ?? '',
      count: 1,
      replica,
      role,
      ...stays,
      options,
      taken,
    };
  });
  // A copy without options is asked about too, as long as another has some: its domain is taken unless it leaves.
  return asks.some((ask) => ask.options.length > 0) ? asks : [];
}

/** Allowed targets that hold no readable copy of the dataset and lie in no domain that is taken. */
function newPlaces(context: AskContext, dataset: DatasetFacts, role: CopyRole, taken: ReadonlySet<string>): TargetFacts[] {
  const held = heldTargets(dataset);
  const { snapshot, places } = context;
  const among = places === undefined ? snapshot : { ...snapshot, targets: snapshot.targets.filter((target) => places.has(target.targetId)) };
  return allowedTargets(among, dataset, role, context.health).filter(
    (target) => !held.has(target.targetId) && !taken.has(domainOf(target, dataset.policy.spread)),
  );
}

/** All that a need can be answered at, whatever is asked about: of these the cheapest is found. */
function placesForNeed({ places: _, ...context }: AskContext, dataset: DatasetFacts, role: CopyRole, taken: ReadonlySet<string>): TargetFacts[] {
  return newPlaces(context, dataset, role, taken);
}

function askedAbout({ places, heats }: AskContext, dataset: DatasetFacts, role: CopyRole, allowed: readonly TargetFacts[]): readonly TargetFacts[] {
  if (places === undefined) return allowed;
  const use = expectedUse(heats.get(dataset.datasetId));
  let cheapest: TargetFacts | null = null;
  let least = Infinity;
  for (const target of allowed) {
    const bill = perMonth(replicaCost(target, role, dataset, use));
    if (bill < least) [cheapest, least] = [target, bill];
  }
  return allowed.filter((target) => target === cheapest || places.has(target.targetId));
}

/** Targets with a copy of the current version that can be read, or that is being written: no second one goes there. */
export function heldTargets(dataset: DatasetFacts): ReadonlySet<TargetId> {
  return new Set(
    currentReplicas(dataset)
      .filter((replica) => ['joining', 'verified', 'suspect', 'retiring'].includes(replica.state))
      .map((replica) => replica.targetId),
  );
}

export function takenDomains(context: AskContext, dataset: DatasetFacts, staying: readonly ReplicaFacts[], coming: readonly TargetId[]): ReadonlySet<string> {
  const fleet = indexOf(context.snapshot);
  const places = [...staying.map((replica) => replica.targetId), ...coming];
  return new Set(
    places.flatMap((targetId) => {
      const target = fleet.targets.get(targetId);
      return target === undefined ? [] : [domainOf(target, dataset.policy.spread)];
    }),
  );
}

/** Reads the cheapest source for that place, which need not be the copy that is replaced. */
function moveOption(
  context: AskContext,
  dataset: DatasetFacts,
  replica: ReplicaFacts,
  role: CopyRole,
  to: TargetFacts,
  sources: readonly ReplicaFacts[],
  restPerMonth = 0,
): Option {
  const read = sourceFor(context.snapshot, dataset, sources, to, replica) ?? replica;
  return option(context, dataset, role, to, { kind: 'move', from: replica, read }, restPerMonth);
}

/** Null when nothing can be read. */
function copyOption(context: AskContext, dataset: DatasetFacts, sources: readonly ReplicaFacts[], to: TargetFacts): Option | null {
  const read = sourceFor(context.snapshot, dataset, sources, to, null);
  return read === null ? null : option(context, dataset, 'copy', to, { kind: 'copy', read });
}

function option(context: AskContext, dataset: DatasetFacts, role: CopyRole, to: TargetFacts, way: Exclude<Way, { kind: 'there' }>, restPerMonth = 0): Option {
  const use = useOf(context, dataset);
  const parts = objectiveParts(context, dataset, role, to, way, use, restPerMonth);
  const { storagePerMonth, requestsPerMonth, retrievalPerMonth, egressPerMonth } = parts;
  const cost = { storagePerMonth, requestsPerMonth, retrievalPerMonth, egressPerMonth, migrationOnce: wayOnce(context.snapshot, dataset, to, way) };
  return { to, from: way.kind === 'move' ? way.from : way.read, read: way.read, cost, parts, objective: objectiveOf(parts) };
}

function staying(context: AskContext, dataset: DatasetFacts, replica: ReplicaFacts, role: CopyRole): Pick<Ask, 'stay' | 'stayObjective'> {
  const target = indexOf(context.snapshot).targets.get(replica.targetId);
  if (target === undefined) return { stay: null, stayObjective: 0 };
  const stay = objectiveParts(context, dataset, role, target, { kind: 'there' }, useOf(context, dataset));
  return { stay, stayObjective: objectiveOf(stay) };
}

function useOf(context: AskContext, dataset: DatasetFacts): ExpectedUse {
  return expectedUse(context.heats.get(dataset.datasetId));
}
