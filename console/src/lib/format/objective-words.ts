import type { Flip, ObjectiveParts } from '@data-in-motion/shared/api/explanation';
import { partWords } from '@data-in-motion/shared/domain/objective-words';
import { unitPrice } from './money.ts';
import { count } from './number.ts';
import { latency } from './time.ts';

/** Each part with its name and its dollars per month. */
export function partsOf(parts: ObjectiveParts): { name: string; value: number }[] {
  return (Object.keys(partWords) as (keyof ObjectiveParts)[]).map((part) => ({ name: partWords[part], value: parts[part] }));
}

/** What a flip is about: whose price, the promised latency, or how much it is read. */
export function flipName(flip: Flip): string {
  if (flip.of === 'storage-price') return `price on ${flip.targetId ?? ''}`;
  return flip.of === 'latency-slo' ? 'latency that is promised' : 'number of reads a month';
}

/** A value of a flip in its unit; a latency that is not promised is `any`. */
export function flipValue(flip: Flip, value: number | null): string {
  if (flip.of === 'storage-price') return `${unitPrice(value)} / GB-month`;
  if (flip.of === 'reads') return count(value);
  return value === null ? 'any' : latency(value);
}

/** A difference of two latencies with its sign. */
export function latencyChange(ms: number | null): string {
  if (ms === null || ms === 0) return latency(ms);
  return `${ms > 0 ? '+' : '−'}${latency(Math.abs(ms))}`;
}
