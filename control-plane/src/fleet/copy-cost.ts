import { bytesPerGb, hoursPerMonth } from '@data-in-motion/shared/domain/price';
import type { DatasetFacts, ReplicaFacts, TargetFacts } from './snapshot.ts';

/** 730 hours: what a price "per month" is per. */
export const daysPerMonth = hoursPerMonth / 24;
const dayMs = 86_400_000;

/** All that a price needs to know of what is stored. */
export type Stored = Pick<DatasetFacts, 'sizeBytes' | 'objects'>;

/**
 * The bytes that a place bills: every object at least as large as its class says. Only the sum of the sizes is known here, so that this is the least
 * it can be: a dataset of many tiny files and one large one is billed for more.
 */
export function billedBytes(target: TargetFacts, { sizeBytes, objects }: Stored): number {
  return Math.max(sizeBytes, objects * (target.prices?.minimumObjectBytes ?? 0));
}

/**
 * What it costs once to write a copy at `to` by reading it at `from`, US dollars: reads of every object there and retrieval of every byte,
 * egress of every byte when it leaves the site or the provider, writes of every object here. Reading it back here is not in it.
 */
export function copyOnce(from: TargetFacts, to: TargetFacts, { sizeBytes, objects }: Stored): number {
  const leaves = from.siteId !== to.siteId || from.provider !== to.provider;
  const perGb = (from.prices?.retrievalPerGb ?? 0) + (leaves ? (from.prices?.egressPerGb ?? 0) : 0);
  return (sizeBytes / bytesPerGb) * perGb + (objects / 1000) * ((from.prices?.readsPer1000 ?? 0) + (to.prices?.writesPer1000 ?? 0));
}

/** What is still billed when a copy leaves before its place's minimum time: the rest of the days at the storage price, US dollars. */
export function leaveOnce(target: TargetFacts, replica: Pick<ReplicaFacts, 'createdAtMs'>, stored: Stored, nowMs: number): number {
  if (target.prices === null) return 0;
  const restDays = Math.max(0, target.prices.minimumDays - Math.max(0, nowMs - replica.createdAtMs) / dayMs);
  return (restDays / daysPerMonth) * (billedBytes(target, stored) / bytesPerGb) * target.prices.storagePerGbMonth;
}
