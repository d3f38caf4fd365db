import type { TargetId } from '@data-in-motion/shared/domain/ids';
import { bytesPerGb } from '@data-in-motion/shared/domain/price';
import { daysPerMonth } from '../fleet/copy-cost.ts';
import { domainOf, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import type { ExpectedUse } from '../heat/expected-use.ts';
import { violationsOfNewCopy } from '../policy/violations.ts';
import type { AskContext } from './asks.ts';
import type { PlaceRule } from './assignment.ts';
import type { RowInColumns, RowOfCopies, SpecialPlace } from './assignment-rows.ts';
import { expectedLatencyMs } from './cost.ts';

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
  readonly #columnOf: ReadonlyMap<TargetId, number>;
  /** Of each rule: 1 at [column] of those that it allows. */
  readonly #columnsOf: Uint8Array[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #allowed = new Map<string, { readonly copy: boolean; readonly primary: boolean }[]>();
  readonly #placesOf: ReadonlyMap<string, readonly TargetFacts[]>;

  constructor(context: AskContext, targets: readonly TargetFacts[]) {
    this.#context = context;
    this.#targets = targets;
    this.#columnOf = new Map(targets.map((target, column) => [target.targetId, column]));
    this.#placesOf = Map.groupBy(targets, placeOf);
  }

  /** The number of the rule for a dataset; made when it is the first of its kind. */
  numberOf(dataset: DatasetFacts, { taken, onlyPinned, held }: PlaceWish): number {
    const { policy } = dataset;
    const place = placeKey(policy);
    const allowed = this.#allowedBy(place, dataset);
    const extra = held.flatMap(({ targetId, serves }) => {
      const column = this.#columnOf.get(targetId)!;
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

  /**
   * What reading the cheapest source costs, spread over the horizon, and where it costs less since the bytes do not leave its site and provider: of each place
   * what `sourceFor` reads there.
   */
  waysFrom(dataset: DatasetFacts, sources: readonly ReplicaFacts[]): { arrive: number; near: SpecialPlace[] } {
    const ways = this.#ways(dataset, sources);
    const arrive = ways.length === 0 ? 0 : Math.min(...ways.map(({ away }) => away));
    const near = new Map<TargetId, number>();
    for (const { from, atHome } of ways) {
      if (atHome >= arrive) continue;
      for (const { targetId } of this.#placesOf.get(placeOf(from)) ?? []) near.set(targetId, Math.max(near.get(targetId) ?? 0, arrive - atHome));
    }
    return { arrive, near: Array.from(near, ([targetId, credit]) => ({ targetId, copyCredit: credit, primaryCredit: credit, stays: false })) };
  }

  #ways(dataset: DatasetFacts, sources: readonly ReplicaFacts[]): { from: TargetFacts; atHome: number; away: number }[] {
    const spread = daysPerMonth / this.#context.settings.horizonDays;
    const gb = dataset.sizeBytes / bytesPerGb;
    const { targets } = indexOf(this.#context.snapshot);
    return sources.flatMap((source) => {
      const from = targets.get(source.targetId);
      if (from === undefined) return [];
      const atHome = spread * (gb * (from.prices?.retrievalPerGb ?? 0) + (dataset.objects / 1000) * (from.prices?.readsPer1000 ?? 0));
      return [{ from, atHome, away: atHome + spread * gb * (from.prices?.egressPerGb ?? 0) }];
    });
  }

  /** What coming to a target costs there, as the assignment counts it. */
  arrivesAt(dataset: DatasetFacts, targetId: TargetId): number {
    const target = this.#targets[this.#columnOf.get(targetId)!]!;
    return dataset.sizeBytes * arrivePerByte(this.#context, target) + dataset.objects * arrivePerObject(this.#context, target);
  }

  /** More than any place costs for a copy of the dataset, US dollars a month, and never nothing. */
  dearest(dataset: DatasetFacts, use: ExpectedUse): number {
    const most = this.#targets.reduce((dollars, target) => {
      const prices = target.prices!;
      const billed = Math.max(dataset.sizeBytes, dataset.objects * prices.minimumObjectBytes);
      const holds = (billed / bytesPerGb) * prices.storagePerGbMonth + (use.readBytesPerMonth / bytesPerGb) * (prices.egressPerGb + prices.retrievalPerGb);
      const waits = use.readsPerMonth * (prices.readsPer1000 / 1000 + (expectedLatencyMs(target) / 1000) * this.#context.settings.dollarsPerReadSec);
      return Math.max(dollars, holds + waits + this.arrivesAt(dataset, target.targetId));
    }, 0);
    return most + 0.01;
  }

  /** Columns in place of targets; where a target is special twice, what it holds or forbids comes first, and other credits add up. */
  inColumns(row: RowOfCopies): RowInColumns {
    const specials = new Map<number, SpecialPlace>();
    const isAllowed = this.#columnsOf[row.rule]!;
    const weight = (special: SpecialPlace): number => (special.stays ? 2 : special.copyCredit === -Infinity ? 1 : 0);
    for (const special of row.specials) {
      const column = this.#columnOf.get(special.targetId);
      if (column === undefined || isAllowed[column] === 0) continue;
      const known = specials.get(column);
      if (known === undefined || weight(special) > weight(known)) specials.set(column, special);
      else if (weight(special) === 0 && weight(known) === 0) specials.set(column, added(known, special));
    }
    const inOrder = Array.from(specials, ([column, { copyCredit, primaryCredit, stays }]) => ({ column, copyCredit, primaryCredit, stays }));
    return { ...row, specials: inOrder };
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

function added(one: SpecialPlace, other: SpecialPlace): SpecialPlace {
  return { ...one, copyCredit: one.copyCredit + other.copyCredit, primaryCredit: one.primaryCredit + other.primaryCredit };
}

/** What of a policy says where a copy may be. */
function placeKey(policy: DatasetFacts['policy']): string {
  const { regions, encryptionRequired, forbiddenTargets, maxCostPerGbMonth, latencySloMs } = policy;
  const pinned = policy.pinnedTargets.length >= policy.copies ? policy.pinnedTargets : [];
  if (regions.length + forbiddenTargets.length + pinned.length === 0) return `${encryptionRequired} ${maxCostPerGbMonth} ${latencySloMs}`;
  return JSON.stringify([regions, encryptionRequired, forbiddenTargets, maxCostPerGbMonth, latencySloMs, pinned]);
}

/** Bytes between two targets with the same answer leave neither site nor provider. */
function placeOf(target: TargetFacts): string {
  return JSON.stringify([target.siteId, target.provider]);
}

/** Dollars a month for each byte that comes to a target: the life of its drive, and what the time of copying costs those who use it, at the least. */
export function arrivePerByte({ settings, evacuation }: AskContext, target: TargetFacts): number {
  const wear = target.deviceIds.length === 0 ? 0 : evacuation.dollarsPerGbWritten / bytesPerGb;
  const copySec = 1 / Math.max(1, target.writeBytesPerSec ?? evacuation.copyBytesPerSec);
  return ((wear + copySec * evacuation.dollarsPerCopySec) * daysPerMonth) / settings.horizonDays;
}

/** Dollars a month for each object that is written there. */
export function arrivePerObject({ settings }: AskContext, target: TargetFacts): number {
  return (((target.prices?.writesPer1000 ?? 0) / 1000) * daysPerMonth) / settings.horizonDays;
}
