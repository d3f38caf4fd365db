import { bytesPerGb, hoursPerMonth } from '@data-in-motion/shared/domain/price';
import type { DatasetFacts, ReplicaFacts, TargetFacts } from './snapshot.ts';

/** 730 hours: what a price "per month" is per. */
export const daysPerMonth = hoursPerMonth / 24;
const dayMs = 86_400_000;

/**
 * What it costs once to write a copy at `to` by reading it at `from`, US dollars:
 * reads of every object there, egress of every byte when it leaves the site or the provider, writes of every object here.
 */
export function copyOnce(from: TargetFacts, to: TargetFacts, dataset: Pick<DatasetFacts, 'sizeBytes' | 'objects'>): number {
  const leaves = from.siteId !== to.siteId || from.provider !== to.provider;
  const egress = leaves ? (dataset.sizeBytes / bytesPerGb) * (from.prices?.egressPerGb ?? 0) : 0;
  return egress + (dataset.objects / 1000) * ((from.prices?.readsPer1000 ?? 0) + (to.prices?.writesPer1000 ?? 0));
}

/** What is still billed when a copy leaves before its place's minimum time: the rest of the days at the storage price, US dollars. */
export function leaveOnce(target: TargetFacts, replica: ReplicaFacts, sizeBytes: number, nowMs: number): number {
  if (target.prices === null) return 0;
  const restDays = Math.max(0, target.prices.minimumDays - Math.max(0, nowMs - replica.createdAtMs) / dayMs);
  return (restDays / daysPerMonth) * (sizeBytes / bytesPerGb) * target.prices.storagePerGbMonth;
}
