import { randomInt, type Random } from '@data-in-motion/shared/random';
import type { Assignment } from '../assignment.ts';

interface Size {
  readonly datasets: number;
  readonly targets: number;
}

/**
 * Any small problem: rules that allow much or nothing, few places for primaries, domains of one target or several, copies that are there already and may stay,
 * homes that are near, room and throughput that are ample, short, or too little for one dataset.
 */
export function smallAssignment(random: Random, most: Size & { readonly copies: number }, least: Size = { datasets: 1, targets: 1 }): Assignment {
  const count = randomInt(random, least.datasets, most.datasets + 1);
  const targetCount = randomInt(random, least.targets, most.targets + 1);
  const numbers = (length: number, fill: () => number): Float64Array => Float64Array.from({ length }, fill);
  const rules = Array.from({ length: randomInt(random, 1, 4) }, () => {
    const allowed = random.next();
    const columns = Int32Array.from([...Array(targetCount).keys()].filter(() => random.next() < 0.3 + allowed));
    const domains = randomInt(random, 1, targetCount + 1);
    return { columns, domains: Int32Array.from(columns, (column) => column % domains), serves: Uint8Array.from(columns, () => Number(random.next() < 0.7)) };
  });
  const bytes = numbers(count, () => randomInt(random, 1, 40));
  const readBytes = numbers(count, () => 100 * random.next());
  const requests = numbers(count, () => 10 * random.next());
  const specials = Array.from({ length: count }, () =>
    [...Array(targetCount).keys()]
      .filter(() => random.next() < 0.3)
      .map((column) => {
        const credit = (): number => (random.next() < 0.2 ? -Infinity : 20 * random.next());
        return { column, copy: credit(), primary: credit(), stays: Number(random.next() < 0.6) };
      }),
  );
  const homes = randomInt(random, 1, targetCount + 1);
  const nears = Array.from({ length: count }, () =>
    [...Array(homes).keys()].filter(() => random.next() < 0.3).map((home) => ({ home, credit: 5 * random.next() })),
  );
  const starts = (lists: readonly (readonly unknown[])[]): Int32Array => Int32Array.from([0, ...lists].map((_, row) => lists.slice(0, row).flat().length));
  const short = (total: number): number => (random.next() < 0.5 ? Infinity : (0.3 + 2 * random.next()) * (total / targetCount) * 2 * random.next());
  const sum = (list: Float64Array): number => list.reduce((total, one) => total + one, 0);
  return {
    datasets: {
      count,
      bytes,
      objects: numbers(count, () => randomInt(random, 1, 5)),
      readBytes,
      requests,
      atStake: numbers(count, () => 100 * random.next()),
      copies: Uint8Array.from({ length: count }, () => randomInt(random, 1, most.copies + 1)),
      hasPrimary: Uint8Array.from({ length: count }, () => Number(random.next() < 0.6)),
      rule: Uint16Array.from({ length: count }, () => randomInt(random, 0, rules.length)),
      arrive: numbers(count, () => 5 * random.next()),
      missing: Float64Array.from(bytes, (size) => 200 + 20 * size),
      nearFrom: starts(nears),
      nearHome: Int16Array.from(nears.flat(), ({ home }) => home),
      nearCredit: Float64Array.from(nears.flat(), ({ credit }) => credit),
      specialsFrom: starts(specials),
      specialColumn: Int16Array.from(specials.flat(), ({ column }) => column),
      copyCredit: Float64Array.from(specials.flat(), ({ copy }) => copy),
      primaryCredit: Float64Array.from(specials.flat(), ({ primary }) => primary),
      stays: Uint8Array.from(specials.flat(), ({ stays }) => stays),
    },
    targets: {
      count: targetCount,
      home: Int16Array.from({ length: targetCount }, (_, column) => column % homes),
      roomBytes: numbers(targetCount, () => Math.floor((0.3 + 2 * random.next()) * (sum(bytes) / targetCount) * most.copies * 2 * random.next())),
      readBytesLimit: numbers(targetCount, () => short(sum(readBytes))),
      requestsLimit: numbers(targetCount, () => short(sum(requests))),
      holdPerByte: numbers(targetCount, () => random.next()),
      lost: numbers(targetCount, () => 0.1 * random.next() ** 2),
      minimumObjectBytes: numbers(targetCount, () => (random.next() < 0.6 ? 0 : 20 * random.next())),
      arrivePerByte: numbers(targetCount, () => 0.5 * random.next()),
      arrivePerObject: numbers(targetCount, () => random.next()),
      readPerByte: numbers(targetCount, () => 0.3 * random.next()),
      perRequest: numbers(targetCount, () => random.next()),
    },
    rules,
  };
}
