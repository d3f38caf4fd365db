import type { DatasetId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import type { Policy } from '@data-in-motion/shared/domain/policy';
import { bytesPerGb, hoursPerMonth, type PriceEntry, pricesAt } from '@data-in-motion/shared/domain/price';
import { billedBytes, copyOnce, leaveOnce } from '../fleet/copy-cost.ts';
import { domainOf } from '../fleet/lookup.ts';
import type { ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import { type CopyRole, violationsOfExistingCopy } from '../policy/violations.ts';

/** What a span of the past is judged from: plain facts of the ledger of copies, the counted reads and the price book. */
export interface PastFacts {
  readonly fromMs: number;
  readonly untilMs: number;
  /** As they are now, but for their prices, which are those of the time. */
  readonly targets: readonly TargetFacts[];
  readonly book: readonly PriceEntry[];
  readonly datasets: readonly PastDataset[];
}

export interface PastDataset {
  readonly datasetId: DatasetId;
  readonly owner: string;
  /** The policy of now: what it was then is not kept. */
  readonly policy: Policy;
  /** Oldest first; each is the present one until the next is committed. */
  readonly versions: readonly PastVersion[];
  readonly copies: readonly PastCopy[];
  readonly reads: readonly PastReads[];
}

export interface PastVersion {
  readonly versionId: VersionId;
  readonly objects: number;
  readonly sizeBytes: number;
  readonly committedAtMs: number;
}

/** A copy that was whole at some time. */
export interface PastCopy {
  readonly targetId: TargetId;
  readonly versionId: VersionId;
  readonly fromMs: number;
  /** Null: it is there still. */
  readonly untilMs: number | null;
  /** Where it was read to be made; null when it came from outside. */
  readonly copiedFrom: TargetId | null;
}

/** Reads of the primary while it was at one place, within one era of prices. */
export interface PastReads {
  readonly targetId: TargetId;
  /** Place in `priceEras`, from 0. */
  readonly era: number;
  readonly reads: number;
  readonly bytes: number;
}

/** US dollars for the whole span. */
export interface Spent {
  readonly storage: number;
  readonly requests: number;
  readonly retrieval: number;
  readonly egress: number;
  /** Making copies, and leaving places before their minimum time. */
  readonly moving: number;
}

export interface PastDatasetCost {
  readonly datasetId: DatasetId;
  readonly owner: string;
  readonly spent: Spent;
  /** At the cheapest places that its policy allows, all the time; null when there are too few. */
  readonly best: Spent | null;
  /** The primary's place first; empty when there are too few. */
  readonly bestTargets: readonly TargetId[];
}

/** A span in which no price changes. */
export interface Era {
  readonly fromMs: number;
  readonly untilMs: number;
}

const monthMs = hoursPerMonth * 3_600_000;
export const nothingSpent: Spent = { storage: 0, requests: 0, retrieval: 0, egress: 0, moving: 0 };

/** The span, cut wherever a line of the price book begins. */
export function priceEras(book: readonly PriceEntry[], fromMs: number, untilMs: number): Era[] {
  const cuts = [...new Set(book.map((entry) => entry.validFromMs).filter((atMs) => atMs > fromMs && atMs < untilMs))].sort((a, b) => a - b);
  return [fromMs, ...cuts].map((beginMs, at) => ({ fromMs: beginMs, untilMs: cuts[at] ?? untilMs }));
}

/**
 * What each dataset has cost in a span of the past, and what it would have cost at the best places.
 *
 *     spent = storage of every copy while it was there + requests, retrieval and egress of what was read, where the primary was then
 *             + making the copies that were made, and the rest of the minimum days of those that left
 *     best  = the same bytes and the same reads with the wanted copies standing still at the cheapest places that policy allows
 *
 * `best` is a bound for plans that move nothing: room, health and what moving there would cost are not in it, and it has all the copies that policy
 * wants, also where there were fewer. It may be dearer than what was spent when these were missing.
 */
export function pastCosts(facts: PastFacts): PastDatasetCost[] {
  const eras = priceEras(facts.book, facts.fromMs, facts.untilMs);
  const priced = eras.map((era) => new Map(facts.targets.map((target) => [target.targetId, pricedAt(target, facts.book, era.fromMs)])));
  const at = (targetId: TargetId, era: number): TargetFacts | undefined => priced[era]?.get(targetId);
  return facts.datasets.map((dataset) => {
    const best = bestPlaces(facts, eras, priced, dataset);
    return {
      datasetId: dataset.datasetId,
      owner: dataset.owner,
      spent: addSpent([
        ...dataset.copies.map((copy) => spentOnCopy(facts, eras, at, dataset, copy)),
        ...dataset.reads.map((reads) => spentOnReads(at(reads.targetId, reads.era), reads)),
      ]),
      best: best === null ? null : best.spent,
      bestTargets: best === null ? [] : best.targetIds,
    };
  });
}

export function addSpent(parts: readonly Spent[]): Spent {
  const sum = { ...nothingSpent };
  for (const part of parts) for (const name of Object.keys(sum) as (keyof Spent)[]) (sum as Record<keyof Spent, number>)[name] += part[name];
  return sum;
}

export function totalOf(spent: Spent): number {
  return spent.storage + spent.requests + spent.retrieval + spent.egress + spent.moving;
}

function pricedAt(target: TargetFacts, book: readonly PriceEntry[], atMs: number): TargetFacts {
  return { ...target, prices: pricesAt(book, target.priceClass, atMs) ?? null };
}

type At = (targetId: TargetId, era: number) => TargetFacts | undefined;

function spentOnCopy(facts: PastFacts, eras: readonly Era[], at: At, dataset: PastDataset, copy: PastCopy): Spent {
  const version = dataset.versions.find((one) => one.versionId === copy.versionId);
  if (version === undefined) return nothingSpent;
  const leftMs = copy.untilMs ?? Number.POSITIVE_INFINITY;
  const storage = eras.reduce((sum, era, place) => sum + storedFor(at(copy.targetId, place), version, overlapMs(era, copy.fromMs, leftMs)), 0);
  const isIn = (ms: number): boolean => ms >= facts.fromMs && ms < facts.untilMs;
  const made = isIn(copy.fromMs) ? madeFor(eras, at, copy, version) : 0;
  const there = at(copy.targetId, eraOf(eras, leftMs));
  const left = isIn(leftMs) && there !== undefined ? leaveOnce(there, { createdAtMs: copy.fromMs } as ReplicaFacts, version, leftMs) : 0;
  return { ...nothingSpent, storage, moving: made + left };
}

function madeFor(eras: readonly Era[], at: At, copy: PastCopy, version: PastVersion): number {
  const era = eraOf(eras, copy.fromMs);
  const to = at(copy.targetId, era);
  if (to === undefined) return 0;
  const from = copy.copiedFrom === null ? undefined : at(copy.copiedFrom, era);
  // What came from outside was read where it costs nothing of ours.
  return copyOnce(from ?? { ...to, prices: null }, to, version);
}

function spentOnReads(target: TargetFacts | undefined, { reads, bytes }: Pick<PastReads, 'reads' | 'bytes'>): Spent {
  const prices = target?.prices ?? null;
  if (prices === null) return nothingSpent;
  const gb = bytes / bytesPerGb;
  return { ...nothingSpent, requests: (reads / 1000) * prices.readsPer1000, retrieval: gb * prices.retrievalPerGb, egress: gb * prices.egressPerGb };
}

function storedFor(target: TargetFacts | undefined, version: PastVersion, ms: number): number {
  return target === undefined || ms <= 0 ? 0 : (billedBytes(target, version) / bytesPerGb) * (target.prices?.storagePerGbMonth ?? 0) * (ms / monthMs);
}

function overlapMs(era: Era, fromMs: number, untilMs: number): number {
  return Math.max(0, Math.min(era.untilMs, untilMs) - Math.max(era.fromMs, fromMs));
}

function eraOf(eras: readonly Era[], atMs: number): number {
  return Math.max(
    0,
    eras.findLastIndex((era) => era.fromMs <= atMs),
  );
}

/** The primary at each allowed place in turn, the other copies at the cheapest places of other spread domains: exact, since only the primary is read. */
function bestPlaces(
  facts: PastFacts,
  eras: readonly Era[],
  priced: readonly ReadonlyMap<TargetId, TargetFacts>[],
  dataset: PastDataset,
): { spent: Spent; targetIds: TargetId[] } | null {
  const { policy } = dataset;
  const costAt = (target: TargetFacts, role: CopyRole): Spent =>
    addSpent(eras.map((_, era) => heldFor(facts, eras, priced, dataset, target.targetId, era, role)));
  const allowed = (role: CopyRole): TargetFacts[] =>
    facts.targets.filter(
      (target) => priced.every((era) => era.get(target.targetId)?.prices != null) && violationsOfExistingCopy(policy, target, role).length === 0,
    );
  const copies = allowed('copy')
    .map((target) => ({ target, domain: domainOf(target, policy.spread), spent: costAt(target, 'copy') }))
    .sort((a, b) => totalOf(a.spent) - totalOf(b.spent) || (a.target.targetId < b.target.targetId ? -1 : 1));
  let best: { spent: Spent; targetIds: TargetId[] } | null = null;
  for (const primary of allowed('primary')) {
    const taken = new Set([domainOf(primary, policy.spread)]);
    const others: typeof copies = [];
    for (const copy of copies) {
      if (others.length === policy.copies - 1) break;
      if (taken.has(copy.domain)) continue;
      taken.add(copy.domain);
      others.push(copy);
    }
    if (others.length < policy.copies - 1) continue;
    const spent = addSpent([costAt(primary, 'primary'), ...others.map((copy) => copy.spent)]);
    if (best === null || totalOf(spent) < totalOf(best.spent)) best = { spent, targetIds: [primary.targetId, ...others.map((copy) => copy.target.targetId)] };
  }
  return best;
}

/** One copy at one place through one era, with the dataset's versions one after the other. */
function heldFor(
  facts: PastFacts,
  eras: readonly Era[],
  priced: readonly ReadonlyMap<TargetId, TargetFacts>[],
  { versions, reads }: PastDataset,
  targetId: TargetId,
  era: number,
  role: CopyRole,
): Spent {
  const target = priced[era]?.get(targetId);
  const storage = versions.reduce(
    (sum, version, place) =>
      sum + storedFor(target, version, overlapMs(eras[era]!, version.committedAtMs, versions[place + 1]?.committedAtMs ?? facts.untilMs)),
    0,
  );
  if (role === 'copy') return { ...nothingSpent, storage };
  const read = reads.filter((one) => one.era === era);
  const sum = (of: (one: PastReads) => number): number => read.reduce((total, one) => total + of(one), 0);
  return { ...spentOnReads(target, { reads: sum((one) => one.reads), bytes: sum((one) => one.bytes) }), storage };
}
