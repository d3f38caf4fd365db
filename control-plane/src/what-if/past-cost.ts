import type { DatasetId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import type { Policy } from '@data-in-motion/shared/domain/policy';
import { bytesPerGb, hoursPerMonth, type PriceEntry, pricesAt } from '@data-in-motion/shared/domain/price';
import { billedBytes, copyOnce, leaveOnce } from '../fleet/copy-cost.ts';
import { domainOf } from '../fleet/lookup.ts';
import type { TargetFacts } from '../fleet/snapshot.ts';
import { violationsOfExistingCopy } from '../policy/violations.ts';

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
const spentNames = Object.keys(nothingSpent) as readonly (keyof Spent)[];

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
  const span = spanOf(facts);
  return facts.datasets.map((dataset) => {
    const best = bestPlaces(span, dataset);
    const onCopies = dataset.copies.map((copy) => spentOnCopy(span, dataset, copy));
    const onReads = dataset.reads.map((reads) => spentOnReads(span.at(reads.targetId, reads.era), reads));
    return {
      datasetId: dataset.datasetId,
      owner: dataset.owner,
      spent: addSpent([...onCopies, ...onReads]),
      best: best === null ? null : best.spent,
      bestTargets: best === null ? [] : best.targetIds,
    };
  });
}

/** The span in eras, and each target with its prices in each of them. */
interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly eras: readonly Era[];
  readonly at: (targetId: TargetId, era: number) => TargetFacts | undefined;
  /** The targets that have a price all the time. */
  readonly places: readonly Place[];
}

interface Place {
  readonly target: TargetFacts;
  /** By era. */
  readonly priced: readonly TargetFacts[];
}

function spanOf({ fromMs, untilMs, book, targets }: PastFacts): Span {
  const eras = priceEras(book, fromMs, untilMs);
  const all = new Map(targets.map((target) => [target.targetId, eras.map((era) => pricedAt(target, book, era.fromMs))]));
  const places = targets.map((target) => ({ target, priced: all.get(target.targetId)! })).filter(({ priced }) => priced.every(({ prices }) => prices !== null));
  return { fromMs, untilMs, eras, places, at: (targetId, era) => all.get(targetId)?.[era] };
}

export function addSpent(parts: readonly Spent[]): Spent {
  const sum: Record<keyof Spent, number> = { ...nothingSpent };
  for (const part of parts) for (const name of spentNames) sum[name] += part[name];
  return sum;
}

export function totalOf(spent: Spent): number {
  return spent.storage + spent.requests + spent.retrieval + spent.egress + spent.moving;
}

function pricedAt(target: TargetFacts, book: readonly PriceEntry[], atMs: number): TargetFacts {
  return { ...target, prices: pricesAt(book, target.priceClass, atMs) ?? null };
}

function spentOnCopy(span: Span, dataset: PastDataset, copy: PastCopy): Spent {
  const version = dataset.versions.find((one) => one.versionId === copy.versionId);
  if (version === undefined) return nothingSpent;
  const leftMs = copy.untilMs ?? Number.POSITIVE_INFINITY;
  const storage = span.eras.reduce((sum, era, place) => sum + storedFor(span.at(copy.targetId, place), version, overlapMs(era, copy.fromMs, leftMs)), 0);
  const isIn = (ms: number): boolean => ms >= span.fromMs && ms < span.untilMs;
  const made = isIn(copy.fromMs) ? madeFor(span, copy, version) : 0;
  const there = isIn(leftMs) ? span.at(copy.targetId, eraOf(span.eras, leftMs)) : undefined;
  const left = there === undefined ? 0 : leaveOnce(there, { createdAtMs: copy.fromMs }, version, leftMs);
  return { ...nothingSpent, storage, moving: made + left };
}

function madeFor(span: Span, copy: PastCopy, version: PastVersion): number {
  const era = eraOf(span.eras, copy.fromMs);
  const to = span.at(copy.targetId, era);
  if (to === undefined) return 0;
  const from = copy.copiedFrom === null ? undefined : span.at(copy.copiedFrom, era);
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
function bestPlaces(span: Span, dataset: PastDataset): { spent: Spent; targetIds: TargetId[] } | null {
  const { policy } = dataset;
  const read = span.eras.map((_, era) => readIn(dataset, era));
  const copies = span.places
    .filter(({ target }) => violationsOfExistingCopy(policy, target, 'copy').length === 0)
    .map((place) => ({ ...place, domain: domainOf(place.target, policy.spread), storage: storageAt(span, place, dataset) }))
    .sort((a, b) => a.storage - b.storage || (a.target.targetId < b.target.targetId ? -1 : 1));
  let best: { total: number; storage: number; chosen: typeof copies } | null = null;
  for (const primary of copies) {
    if (violationsOfExistingCopy(policy, primary.target, 'primary').length > 0) continue;
    const chosen = [primary, ...cheapestApart(copies, primary, policy.copies - 1)];
    if (chosen.length < policy.copies) continue;
    const storage = chosen.reduce((sum, copy) => sum + copy.storage, 0);
    const total = storage + primary.priced.reduce((sum, target, era) => sum + totalOf(spentOnReads(target, read[era]!)), 0);
    if (best === null || total < best.total) best = { total, storage, chosen };
  }
  if (best === null) return null;
  const reads = best.chosen[0]!.priced.map((target, era) => spentOnReads(target, read[era]!));
  return { spent: addSpent([{ ...nothingSpent, storage: best.storage }, ...reads]), targetIds: best.chosen.map((copy) => copy.target.targetId) };
}

/** So many of the cheapest copies, none in a domain with another or with the primary. */
function cheapestApart<Copy extends { readonly domain: string }>(copies: readonly Copy[], primary: Copy, many: number): Copy[] {
  const taken = new Set([primary.domain]);
  const apart: Copy[] = [];
  for (const copy of copies) {
    if (apart.length === many) break;
    if (taken.has(copy.domain)) continue;
    taken.add(copy.domain);
    apart.push(copy);
  }
  return apart;
}

/** A copy that stood there all the time, with the dataset's versions one after the other. */
function storageAt(span: Span, place: Place, { versions }: PastDataset): number {
  return span.eras.reduce(
    (sum, era, at) =>
      sum +
      versions.reduce(
        (held, version, n) => held + storedFor(place.priced[at], version, overlapMs(era, version.committedAtMs, versions[n + 1]?.committedAtMs ?? era.untilMs)),
        0,
      ),
    0,
  );
}

function readIn({ reads }: PastDataset, era: number): { reads: number; bytes: number } {
  return reads.reduce((sum, one) => (one.era === era ? { reads: sum.reads + one.reads, bytes: sum.bytes + one.bytes } : sum), { reads: 0, bytes: 0 });
}
