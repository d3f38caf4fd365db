import { randomInt, type Random } from '@data-in-motion/shared/random';
import type { Assignment } from '../assignment.ts';

/** Any small problem: rules that allow much or nothing, domains of one target or several, room that is ample, short, or too little for one dataset. */
export function smallAssignment(random: Random, most: { readonly datasets: number; readonly targets: number; readonly copies: number }): Assignment {
  const count = randomInt(random, 1, most.datasets + 1);
  const targetCount = randomInt(random, 1, most.targets + 1);
  const numbers = (length: number, fill: () => number): Float64Array => Float64Array.from({ length }, fill);
  const rules = Array.from({ length: randomInt(random, 1, 4) }, () => {
    const allowed = random.next();
    const columns = Int32Array.from([...Array(targetCount).keys()].filter(() => random.next() < 0.3 + allowed));
    const domains = randomInt(random, 1, targetCount + 1);
    return { columns, domains: Int32Array.from(columns, (column) => column % domains) };
  });
  const heldWidth = 2;
  const bytes = numbers(count, () => randomInt(random, 1, 40));
  const room = (0.3 + 2 * random.next()) * (bytes.reduce((sum, one) => sum + one, 0) / targetCount) * most.copies;
  const held = new Int16Array(count * heldWidth).fill(-1);
  for (let row = 0; row < count; row++) {
    held[row * heldWidth] = randomInt(random, -1, targetCount);
    const second = randomInt(random, -1, targetCount);
    if (second !== held[row * heldWidth]) held[row * heldWidth + 1] = second;
  }
  return {
    datasets: {
      count,
      bytes,
      readBytes: numbers(count, () => 100 * random.next()),
      requests: numbers(count, () => 10 * random.next()),
      copies: Uint8Array.from({ length: count }, () => randomInt(random, 1, most.copies + 1)),
      rule: Uint16Array.from({ length: count }, () => randomInt(random, 0, rules.length)),
      heldWidth,
      held,
      stayCredit: Float32Array.from(held, () => 20 * random.next()),
    },
    targets: {
      count: targetCount,
      capacityBytes: numbers(targetCount, () => Math.floor(room * 2 * random.next())),
      holdPerByte: numbers(targetCount, () => random.next()),
      readPerByte: numbers(targetCount, () => 0.3 * random.next()),
      perRequest: numbers(targetCount, () => random.next()),
      arrivePerByte: numbers(targetCount, () => 0.5 * random.next()),
    },
    rules,
    missingPerCopy: 200,
    missingPerByte: 20,
  };
}
