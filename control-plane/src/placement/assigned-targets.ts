import { freeBytes } from '../fleet/lookup.ts';
import type { TargetFacts } from '../fleet/snapshot.ts';
import { lostInMonth } from '../health/evacuation-price.ts';
import type { AskContext } from './asks.ts';
import type { AssignedTargets } from './assignment.ts';
import { readBytesLimitOf, requestsLimitOf } from './serve-limits.ts';
import { type UnitCosts, unitCosts } from './unit-costs.ts';

/** Targets as the solver's numbers, dollars a month for a byte, an object, a request. All have a price. @param home of each, by number */
export function assignedTargets(context: AskContext, targets: readonly TargetFacts[], home: Int16Array): AssignedTargets {
  const numbers = (of: (target: TargetFacts) => number): Float64Array => Float64Array.from(targets, of);
  const { settings } = context;
  const units = targets.map((target) => unitCosts(context, target));
  const each = (of: keyof UnitCosts): Float64Array => Float64Array.from(units, (unit) => unit[of]);
  return {
    count: targets.length,
    home,
    roomBytes: numbers(freeBytes),
    readBytesLimit: numbers((target) => readBytesLimitOf(target, settings)),
    requestsLimit: numbers((target) => requestsLimitOf(target, settings)),
    holdPerByte: each('holdPerByte'),
    lost: numbers((target) => lostInMonth(target, context.evacuation)),
    minimumObjectBytes: each('minimumObjectBytes'),
    arrivePerByte: each('arrivePerByte'),
    arrivePerObject: each('arrivePerObject'),
    readPerByte: each('readPerByte'),
    perRequest: each('perRequest'),
  };
}
