import type { TargetId } from '@data-in-motion/shared/domain/ids';
import { bytesPerGb } from '@data-in-motion/shared/domain/price';
import { daysPerMonth } from '../fleet/copy-cost.ts';
import { domainOf, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import type { ExpectedUse } from '../heat/expected-use.ts';
import { violationsOfNewCopy } from '../policy/violations.ts';
import type { AskContext } from './asks.ts';
import type { PlaceRule } from './assignment.ts';
import type { RowSpecials } from './row-specials.ts';
import { dearestOf, type UnitCosts, unitCosts } from './unit-costs.ts';

/** What a dataset's copies may do besides what its policy says. */
export interface PlaceWish {
  /** Domains with a copy that stays. */
  readonly taken: ReadonlySet<string>;
  /** Only pinned targets answer. */
  readonly onlyPinned: boolean;
  /** Where copies of it stand that may stay, though the place may take no new ones; and whether the primary is among them. */
  readonly held: readonly { readonly targetId: TargetId; readonly serves: boolean }[];
}

/** The rules that datasets share: in a large fleet most have one of a few policies, and what a policy allows is judged once. */
export class PlaceRules {
  readonly all: PlaceRule[] = [];
  readonly #context: AskContext;
  readonly #targets: readonly TargetFacts[];
  /** Column of each target with a price. */
  readonly columnOf: ReadonlyMap<TargetId, number>;
  /** Of each rule: 1 at [column] of those that it allows. */
  readonly #columnsOf: Uint8Array[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #allowed = new Map<string, { readonly copy: boolean; readonly primary: boolean }[]>();
  /** By column, see `AssignedTargets`. */
  readonly home: Int16Array;
  /** Of each target of the fleet, also of those that are no column. */
  readonly #homeOf: ReadonlyMap<TargetId, number>;
  readonly #units: readonly UnitCosts[];
  /** Those of which one costs most, whatever a copy has. */
  readonly #dear: readonly UnitCosts[];

  constructor(context: AskContext, targets: readonly TargetFacts[]) {
    this.#context = context;
    this.#targets = targets;
    this.columnOf = new Map(targets.map((target, column) => [target.targetId, column]));
    this.#homeOf = homesOf(context.snapshot.targets);
    this.home = Int16Array.from(targets, ({ targetId }) => this.#homeOf.get(targetId)!);
    this.#units = targets.map((target) => unitCosts(context, target));
    this.#dear = dearestOf(this.#units);
  }

  /** The number of the rule for a dataset; made when it is the first of its kind. */
  numberOf(dataset: DatasetFacts, { taken, onlyPinned, held }: PlaceWish): number {
    const { policy } = dataset;
    const place = placeKey(policy);
    const allowed = this.#allowedBy(place, dataset);
    const extra = held.flatMap(({ targetId, serves }) => {
      const column = this.columnOf.get(targetId)!;
      // Beside a copy that stays it may stay too; no other comes there.
      const isBeside = taken.has(domainOf(this.#targets[column]!, policy.spread));
      return allowed[column]!.copy && (!serves || allowed[column]!.primary) && !isBeside ? [] : [{ column, serves, isBeside }];
    });
    const key = JSON.stringify([place, policy.spread, [...taken].sort(), onlyPinned ? policy.pinnedTargets : null, extra]);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const columns = this.#targets.flatMap((target, column) => {
      const isHeld = extra.some((one) => one.column === column);
      if (isHeld) return [column];
      if (!allowed[column]!.copy || taken.has(domainOf(target, policy.spread))) return [];
      return onlyPinned && !policy.pinnedTargets.includes(target.targetId) ? [] : [column];
    });
    const domains = new Map<string, number>();
    this.all.push({
      columns: Int32Array.from(columns),
      domains: Int32Array.from(columns, (column) => {
        const isBeside = extra.some((one) => one.column === column && one.isBeside);
        const domain = isBeside ? `beside ${column}` : domainOf(this.#targets[column]!, policy.spread);
        return domains.get(domain) ?? domains.set(domain, domains.size).get(domain)!;
      }),
      serves: Uint8Array.from(columns, (column) => Number(allowed[column]!.primary || extra.some((one) => one.column === column && one.serves))),
    });
    const isAllowed = new Uint8Array(this.#targets.length);
    for (const column of columns) isAllowed[column] = 1;
    this.#columnsOf.push(isAllowed);
    this.#numbers.set(key, this.all.length - 1);
    return this.all.length - 1;
  }

  isEmpty(rule: number): boolean {
    return this.all[rule]!.columns.length === 0;
  }

  /** 1 at [column] of those that a rule allows. */
  allowedBy(rule: number): Uint8Array {
    return this.#columnsOf[rule]!;
  }

  /**
   * What reading the cheapest source costs, spread over the horizon, US dollars a month; where it costs less since the bytes do not leave its site and provider
   * is noted as near: of each place what `sourceFor` reads there.
   */
  arriveFrom(dataset: DatasetFacts, sources: readonly ReplicaFacts[], specials: RowSpecials): number {
    const ways = this.#ways(dataset, sources);
    if (ways.length === 0) return 0;
    const arrive = ways.reduce((least, { away }) => Math.min(least, away), Infinity);
    for (const { home, atHome } of ways) if (atHome < arrive) specials.near(home, arrive - atHome);
    return arrive;
  }

  #ways(dataset: DatasetFacts, sources: readonly ReplicaFacts[]): { home: number; atHome: number; away: number }[] {
    const spread = daysPerMonth / this.#context.settings.horizonDays;
    const gb = dataset.sizeBytes / bytesPerGb;
    const { targets } = indexOf(this.#context.snapshot);
    return sources.flatMap((source) => {
      const from = targets.get(source.targetId);
      if (from === undefined) return [];
      const atHome = spread * (gb * (from.prices?.retrievalPerGb ?? 0) + (dataset.objects / 1000) * (from.prices?.readsPer1000 ?? 0));
      return [{ home: this.#homeOf.get(from.targetId)!, atHome, away: atHome + spread * gb * (from.prices?.egressPerGb ?? 0) }];
    });
  }

  /** What coming to a column costs there, US dollars a month. */
  arrivesAt({ sizeBytes, objects }: DatasetFacts, column: number): number {
    const { arrivePerByte, arrivePerObject } = this.#units[column]!;
    return sizeBytes * arrivePerByte + objects * arrivePerObject;
  }

  /** More than any place costs for a copy of the dataset, US dollars a month, and never nothing. */
  dearest(dataset: DatasetFacts, use: ExpectedUse): number {
    let most = 0;
    for (const unit of this.#dear) {
      const holds = Math.max(dataset.sizeBytes, dataset.objects * unit.minimumObjectBytes) * unit.holdPerByte + use.readBytesPerMonth * unit.readPerByte;
      const arrives = dataset.sizeBytes * unit.arrivePerByte + dataset.objects * unit.arrivePerObject;
      most = Math.max(most, holds + use.readsPerMonth * unit.perRequest + arrives);
    }
    return most + 0.01;
  }

  #allowedBy(key: string, dataset: DatasetFacts): { readonly copy: boolean; readonly primary: boolean }[] {
    const known = this.#allowed.get(key);
    if (known !== undefined) return known;
    const { health } = this.#context;
    const may = (target: TargetFacts, role: 'copy' | 'primary'): boolean =>
      violationsOfNewCopy(dataset.policy, target, role, health.get(target.targetId), 0).length === 0;
    const allowed = this.#targets.map((target) => ({ copy: may(target, 'copy'), primary: may(target, 'primary') }));
    this.#allowed.set(key, allowed);
    return allowed;
  }
}

/** What of a policy says where a copy may be. */
function placeKey(policy: DatasetFacts['policy']): string {
  const { regions, encryptionRequired, forbiddenTargets, maxCostPerGbMonth, latencySloMs } = policy;
  const pinned = policy.pinnedTargets.length >= policy.copies ? policy.pinnedTargets : [];
  if (regions.length + forbiddenTargets.length + pinned.length === 0) return `${encryptionRequired} ${maxCostPerGbMonth} ${latencySloMs}`;
  return JSON.stringify([regions, encryptionRequired, forbiddenTargets, maxCostPerGbMonth, latencySloMs, pinned]);
}

/** A number for each site and provider, which bytes between two targets with the same number do not leave. */
function homesOf(targets: readonly TargetFacts[]): ReadonlyMap<TargetId, number> {
  const numbers = new Map<string, number>();
  const numberOf = ({ siteId, provider }: TargetFacts): number => {
    const key = JSON.stringify([siteId, provider]);
    return numbers.get(key) ?? numbers.set(key, numbers.size).get(key)!;
  };
  return new Map(targets.map((target) => [target.targetId, numberOf(target)]));
}
