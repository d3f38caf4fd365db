import { bytesPerGb } from '@data-in-motion/shared/domain/price';
import { daysPerMonth } from '../fleet/copy-cost.ts';
import type { TargetFacts } from '../fleet/snapshot.ts';
import type { AskContext } from './asks.ts';
import { expectedLatencyMs } from './cost.ts';

/** What a target costs for each unit of what a copy has, US dollars a month; what is paid once is spread over the horizon. */
export interface UnitCosts {
  readonly holdPerByte: number;
  /** Bytes; every object is billed at least as large. */
  readonly minimumObjectBytes: number;
  readonly readPerByte: number;
  /** With what the time of waiting is worth. */
  readonly perRequest: number;
  readonly arrivePerByte: number;
  readonly arrivePerObject: number;
}

export function unitCosts(context: AskContext, target: TargetFacts): UnitCosts {
  const prices = target.prices!;
  return {
    holdPerByte: prices.storagePerGbMonth / bytesPerGb,
    minimumObjectBytes: prices.minimumObjectBytes,
    readPerByte: (prices.egressPerGb + prices.retrievalPerGb) / bytesPerGb,
    perRequest: prices.readsPer1000 / 1000 + (expectedLatencyMs(target) / 1000) * context.settings.dollarsPerReadSec,
    arrivePerByte: arrivePerByte(context, target),
    arrivePerObject: arrivePerObject(context, target),
  };
}

/** Those of which none is as dear in every unit as another: whatever a copy has, one of them costs most. */
export function dearestOf(all: readonly UnitCosts[]): readonly UnitCosts[] {
  const isBelow = (one: UnitCosts, other: UnitCosts): boolean => Object.entries(one).every(([part, cost]) => cost <= other[part as keyof UnitCosts]);
  const dear: UnitCosts[] = [];
  for (const one of all) {
    if (dear.some((other) => isBelow(one, other))) continue;
    for (let at = dear.length - 1; at >= 0; at--) if (isBelow(dear[at]!, one)) dear.splice(at, 1);
    dear.push(one);
  }
  return dear;
}

/** Dollars a month for each byte that comes to a target: the life of its drive, and what the time of copying costs those who use it, at the least. */
function arrivePerByte({ settings, evacuation }: AskContext, target: TargetFacts): number {
  const wear = target.deviceIds.length === 0 ? 0 : evacuation.dollarsPerGbWritten / bytesPerGb;
  const copySec = 1 / Math.max(1, target.writeBytesPerSec ?? evacuation.copyBytesPerSec);
  return ((wear + copySec * evacuation.dollarsPerCopySec) * daysPerMonth) / settings.horizonDays;
}

/** Dollars a month for each object that is written there. */
function arrivePerObject({ settings }: AskContext, target: TargetFacts): number {
  return (((target.prices?.writesPer1000 ?? 0) / 1000) * daysPerMonth) / settings.horizonDays;
}
