import { bytesPerGb } from '@data-in-motion/shared/domain/price';
import { freeBytes } from '../fleet/lookup.ts';
import type { TargetFacts } from '../fleet/snapshot.ts';
import { lostInMonth } from '../health/evacuation-price.ts';
import type { AskContext } from './asks.ts';
import type { AssignedTargets } from './assignment.ts';
import { expectedLatencyMs } from './cost.ts';
import { arrivePerByte, arrivePerObject } from './place-rules.ts';
import { readBytesLimitOf, requestsLimitOf } from './serve-limits.ts';

/** Targets as the solver's numbers, dollars a month for a byte, an object, a request. All have a price. */
export function assignedTargets(context: AskContext, targets: readonly TargetFacts[]): AssignedTargets {
  const numbers = (of: (target: TargetFacts) => number): Float64Array => Float64Array.from(targets, of);
  const { settings } = context;
  return {
    count: targets.length,
    roomBytes: numbers(freeBytes),
    readBytesLimit: numbers((target) => readBytesLimitOf(target, settings)),
    requestsLimit: numbers((target) => requestsLimitOf(target, settings)),
    holdPerByte: numbers(({ prices }) => prices!.storagePerGbMonth / bytesPerGb),
    lost: numbers((target) => lostInMonth(target, context.evacuation)),
    minimumObjectBytes: numbers(({ prices }) => prices!.minimumObjectBytes),
    arrivePerByte: numbers((target) => arrivePerByte(context, target)),
    arrivePerObject: numbers((target) => arrivePerObject(context, target)),
    readPerByte: numbers(({ prices }) => (prices!.egressPerGb + prices!.retrievalPerGb) / bytesPerGb),
    perRequest: numbers((target) => target.prices!.readsPer1000 / 1000 + (expectedLatencyMs(target) / 1000) * settings.dollarsPerReadSec),
  };
}
