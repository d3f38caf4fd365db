import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, DeviceId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { copyOnce, daysPerMonth, leaveOnce } from '../fleet/copy-cost.ts';
import type { PlacementSettings } from '../fleet/decision-settings.ts';
import { currentReplicas, domainOf, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import type { TargetHealth } from '../health/target-health.ts';
import { type ExpectedUse, forecastUse } from '../heat/forecast-use.ts';
import { allowedTargets } from '../policy/allowed-targets.ts';
import type { CopyRole, PolicyRule } from '../policy/violations.ts';
import { type Copies, copiesOf, jobsOf } from '../reconcile/copies.ts';
import type { Need } from '../reconcile/needs.ts';
import { datasetCost, perMonth, replicaCost, waitingPerMonth } from './cost.ts';
import type { CostParts } from './plan.ts';

/** One place that could answer an ask. */
export interface Option {
  readonly to: TargetFacts;
  /** The copy that is read. */
  readonly from: ReplicaFacts;
  readonly cost: CostParts;
  readonly waitingPerMonth: number;
  /** Dollars per month, waiting and the one-off cost spread over the horizon included: what is minimised. */
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
  /** What the copy costs where it is, with waiting; 0 for `add`. */
  readonly stayObjective: number;
  readonly options: readonly Option[];
  /** Spread domains with a copy that stays, whatever is answered. */
  readonly taken: ReadonlySet<string>;
}

export interface AskContext {
  readonly snapshot: FleetSnapshot;
  readonly health: ReadonlyMap<TargetId, TargetHealth>;
  readonly heats: ReadonlyMap<DatasetId, Heat>;
  readonly settings: PlacementSettings;
}

/**
 * The questions about one dataset: those of its needs, and, when nothing can be done about these and it rests long enough, those that would pay.
 * Not both at once: a copy is not moved for its price while another is being made.
 */
export function asksOf(context: AskContext, dataset: DatasetFacts, needs: readonly Need[]): Ask[] {
  const open = needs.filter((need) => need.answer !== 'drop');
  const asked = needAsks(context, dataset, open);
  if (open.length < needs.length || asked.some((ask) => ask.options.length > 0)) return asked;
  const atRest = dataset.lastMovedAtMs === null || context.snapshot.takenAtMs - dataset.lastMovedAtMs >= context.settings.dwellMs;
  const busy =
    jobsOf(context.snapshot)
      .get(dataset.datasetId)
      ?.some((job) => job.purpose !== 'verify') === true;
  if (!atRest || busy || dataset.versionId === null) return asked;
  const stuck = new Set(open.map((need) => need.replicaId));
  return [...asked, ...betterAsks(context, dataset, stuck)];
}

function needAsks(context: AskContext, dataset: DatasetFacts, needs: readonly Need[]): Ask[] {
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
      const options = newPlaces(context, dataset, role, taken)
        .filter((to) => !onlyPinned || dataset.policy.pinnedTargets.includes(to.targetId))
        .map((to) => moveOption(context, dataset, replica, role, to));
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
        stayObjective: stayObjective(context, dataset, replica, role),
        options,
      };
    });
  const adds = needs.filter((need) => need.answer === 'add');
  if (adds.length === 0) return leaves;
  const options = newPlaces(context, dataset, 'copy', taken).flatMap((to) => copyOption(context, dataset, sources, to) ?? []);
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
    stayObjective: 0,
    options,
  };
  return [add, ...leaves];
}

/**
 * The copies that a new one can be read from, of the best kind there is: counted ones, those on a place that is being emptied,
 * and at last what a job wants to replace: while its new copy is out of reach, the old one may be all that is left.
 */
export function sourcesOf(dataset: DatasetFacts, copies: Copies, health: ReadonlyMap<TargetId, TargetHealth>): readonly ReplicaFacts[] {
  if (copies.counted.length > 0) return copies.counted;
  if (copies.leaving.length > 0) return copies.leaving;
  return currentReplicas(dataset).filter((replica) => {
    const place = health.get(replica.targetId);
    return replica.state === 'verified' && (place?.counts === true || place?.drain === true);
  });
}

/** Copies that would be cheaper, or faster for what their readers' time is worth, and pay their move back within the horizon by the policy's margin. */
function betterAsks(context: AskContext, dataset: DatasetFacts, stuck: ReadonlySet<ReplicaId | null>): Ask[] {
  const { horizonDays } = context.settings;
  const copies = copiesOf(context.snapshot, dataset, context.health);
  if (copies.comingTo.length > 0 || copies.inHand.size > 0) return [];
  const present = presentObjective(context, dataset);
  const movable = copies.counted.filter(
    (replica) =>
      !stuck.has(replica.replicaId) && context.health.get(replica.targetId)?.mayLetGo === true && !dataset.policy.pinnedTargets.includes(replica.targetId),
  );
  const firm = takenDomains(
    context,
    dataset,
    copies.counted.filter((replica) => !movable.includes(replica)),
    [],
  );
  const asks = movable.map((replica): Ask => {
    const role = roleOf(dataset, replica);
    const stay = stayObjective(context, dataset, replica, role);
    const options = newPlaces(context, dataset, role, firm)
      .map((to) => moveOption(context, dataset, replica, role, to))
      .filter((option) => {
        const saving = stay - perMonth(option.cost) - option.waitingPerMonth;
        return saving > 0 && saving >= dataset.policy.forecastMargin * present && (option.cost.migrationOnce / saving) * daysPerMonth <= horizonDays;
      });
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
      stayObjective: stay,
      options,
      taken: firm,
    };
  });
  // A copy without options is asked about too, as long as another has some: its domain is taken unless it leaves.
  return asks.some((ask) => ask.options.length > 0) ? asks : [];
}

/** What all copies of the dataset cost with their waiting, per month: what the policy's margin is a share of. */
function presentObjective(context: AskContext, dataset: DatasetFacts): number {
  const primary = dataset.replicas.find((replica) => replica.replicaId === dataset.primaryReplicaId);
  const target = primary === undefined ? undefined : indexOf(context.snapshot).targets.get(primary.targetId);
  const waiting = target === undefined ? 0 : waitingPerMonth(target, 'primary', useOf(context, dataset), context.settings.dollarsPerReadSec);
  return perMonth(datasetCost(context.snapshot, dataset, context.heats.get(dataset.datasetId))) + waiting;
}

/** Allowed targets that hold no readable copy of the dataset and lie in no domain that is taken. */
function newPlaces(context: AskContext, dataset: DatasetFacts, role: CopyRole, taken: ReadonlySet<string>): TargetFacts[] {
  const held = new Set(
    dataset.replicas
      .filter((replica) => replica.versionId === dataset.versionId && ['joining', 'verified', 'suspect', 'retiring'].includes(replica.state))
      .map((replica) => replica.targetId),
  );
  return allowedTargets(context.snapshot, dataset, role, context.health).filter(
    (target) => !held.has(target.targetId) && !taken.has(domainOf(target, dataset.policy.spread)),
  );
}

function takenDomains(context: AskContext, dataset: DatasetFacts, staying: readonly ReplicaFacts[], coming: readonly TargetId[]): ReadonlySet<string> {
  const fleet = indexOf(context.snapshot);
  const places = [...staying.map((replica) => replica.targetId), ...coming];
  return new Set(
    places.flatMap((targetId) => {
      const target = fleet.targets.get(targetId);
      return target === undefined ? [] : [domainOf(target, dataset.policy.spread)];
    }),
  );
}

function moveOption(context: AskContext, dataset: DatasetFacts, replica: ReplicaFacts, role: CopyRole, to: TargetFacts): Option {
  const from = indexOf(context.snapshot).targets.get(replica.targetId);
  const once = from === undefined ? 0 : copyOnce(from, to, dataset) + leaveOnce(from, replica, dataset, context.snapshot.takenAtMs);
  return option(context, dataset, replica, role, to, once);
}

/** From the copy that is cheapest to read for that place; null when nothing can be read. */
function copyOption(context: AskContext, dataset: DatasetFacts, sources: readonly ReplicaFacts[], to: TargetFacts): Option | null {
  const fleet = indexOf(context.snapshot);
  const priced = sources.flatMap((source) => {
    const from = fleet.targets.get(source.targetId);
    return from === undefined ? [] : [{ source, once: copyOnce(from, to, dataset) }];
  });
  const best = priced.sort((a, b) => a.once - b.once || (a.source.replicaId < b.source.replicaId ? -1 : 1))[0];
  return best === undefined ? null : option(context, dataset, best.source, 'copy', to, best.once);
}

function option(context: AskContext, dataset: DatasetFacts, from: ReplicaFacts, role: CopyRole, to: TargetFacts, migrationOnce: number): Option {
  const use = useOf(context, dataset);
  const cost = { ...replicaCost(to, role, dataset, use), migrationOnce };
  const waiting = waitingPerMonth(to, role, use, context.settings.dollarsPerReadSec);
  return { to, from, cost, waitingPerMonth: waiting, objective: perMonth(cost) + waiting + (migrationOnce * daysPerMonth) / context.settings.horizonDays };
}

function stayObjective(context: AskContext, dataset: DatasetFacts, replica: ReplicaFacts, role: CopyRole): number {
  const target = indexOf(context.snapshot).targets.get(replica.targetId);
  if (target === undefined) return 0;
  const use = useOf(context, dataset);
  return perMonth(replicaCost(target, role, dataset, use)) + waitingPerMonth(target, role, use, context.settings.dollarsPerReadSec);
}

function useOf(context: AskContext, dataset: DatasetFacts): ExpectedUse {
  return forecastUse(context.heats.get(dataset.datasetId));
}

export function roleOf(dataset: DatasetFacts, replica: ReplicaFacts): CopyRole {
  return replica.replicaId === dataset.primaryReplicaId ? 'primary' : 'copy';
}
