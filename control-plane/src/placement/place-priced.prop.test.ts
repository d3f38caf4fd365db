import { seededRandom } from '@data-in-motion/shared/random';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkAssignment } from '../../bench/check-assignment.ts';
import type { Assignment, PricedPlacement } from './assignment.ts';
import { placePriced } from './place-priced.ts';
import { solveMixed } from './solve-mixed.ts';
import { bestByTrying } from './testdata/best-by-trying.ts';
import { smallAssignment } from './testdata/small-assignment.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const tiny = { datasets: 5, targets: 4, copies: 3 };

function place(problem: Assignment, from: Float64Array | null = null): PricedPlacement {
  return placePriced(problem, { random: seededRandom(1), nowMs: () => 0, untilMs: 1, from });
}

describe('a priced placement of any small problem', { timeout: 120_000 }, () => {
  test('holds, costs what it says, and its bound is never above the best by trying all', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const problem = smallAssignment(seededRandom(seed), tiny);
        const placed = place(problem);
        const best = bestByTrying(problem).objective;
        expect(checkAssignment(problem, placed).violations).toEqual([]);
        expect(placed.lowerBound).toBeLessThanOrEqual(best);
        expect(placed.objective).toBeGreaterThanOrEqual(best - 1e-9 * Math.abs(best));
        expect(placed.gap).toBeCloseTo(Math.max(0, placed.objective - placed.lowerBound) / Math.abs(placed.objective), 12);
      }),
      { numRuns: 3000 },
    );
  });

  test('names what stands in the way of each copy that is missing', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const problem = smallAssignment(seededRandom(seed), tiny);
        for (const { row, copies, because } of place(problem).missing) {
          const { columns, domains } = problem.rules[problem.datasets.rule[row]!]!;
          const large = [...columns.keys()].filter((at) => problem.targets.capacityBytes[columns[at]!]! >= problem.datasets.bytes[row]!);
          const apart = new Set(large.map((at) => domains[at]!)).size;
          const wanted = problem.datasets.copies[row]!;
          if (columns.length === 0) expect(because).toBe('no allowed target');
          else if (large.length === 0) expect(because).toBe('larger than every allowed target');
          else if (apart < wanted) expect(because).toBe('too few failure domains');
          else expect(because).toBe('capacity');
          expect(copies).toBeGreaterThanOrEqual(Math.max(1, wanted - apart));
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('is bounded by any prices: a start from wrong ones costs time, never truth', () => {
    fc.assert(
      fc.property(seeds, fc.array(fc.double({ min: -1, max: 30, noNaN: true }), { minLength: 4, maxLength: 4 }), (seed, wrong) => {
        const problem = smallAssignment(seededRandom(seed), tiny);
        const placed = place(problem, Float64Array.from(wrong.slice(0, problem.targets.count)));
        expect(checkAssignment(problem, placed).violations).toEqual([]);
        expect(placed.lowerBound).toBeLessThanOrEqual(bestByTrying(problem).objective);
      }),
      { numRuns: 500 },
    );
  });

  test('is made in time also when there is none', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const problem = smallAssignment(seededRandom(seed), tiny);
        const placed = placePriced(problem, { random: seededRandom(1), nowMs: () => 1, untilMs: 0, from: null });
        expect(placed.stopped).toBe('deadline');
        expect(checkAssignment(problem, placed).violations).toEqual([]);
        expect(placed.lowerBound).toBeLessThanOrEqual(bestByTrying(problem).objective);
      }),
      { numRuns: 500 },
    );
  });

  test('is the same for the same seed', () => {
    const problem = smallAssignment(seededRandom(3), { datasets: 300, targets: 8, copies: 3 });
    expect(place(problem)).toEqual(place(problem));
  });
});

describe('the best of any small problem', { timeout: 120_000 }, () => {
  test('uses a target no more when its price rises', () => {
    fc.assert(
      fc.property(seeds, fc.double({ min: 0.01, max: 2, noNaN: true }), (seed, more) => {
        const problem = smallAssignment(seededRandom(seed), tiny);
        const holdPerByte = Float64Array.from(problem.targets.holdPerByte);
        holdPerByte[0]! += more;
        const dearer = { ...problem, targets: { ...problem.targets, holdPerByte } };
        expect(bestByTrying(dearer).bytesIn[0]).toBeLessThanOrEqual(bestByTrying(problem).bytesIn[0]!);
      }),
      { numRuns: 1000 },
    );
  });

  test('has a bound that room only lowers, at the same prices', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 200 }), (seed, more) => {
        const problem = smallAssignment(seededRandom(seed), tiny);
        const larger = { ...problem, targets: { ...problem.targets, capacityBytes: problem.targets.capacityBytes.map((bytes) => bytes + more) } };
        const placed = place(problem);
        expect(bestByTrying(larger).objective).toBeLessThanOrEqual(bestByTrying(problem).objective);
        expect(checkAssignment(larger, placed).lowerBound).toBeLessThanOrEqual(checkAssignment(problem, placed).lowerBound + 1e-9);
        expect(place(larger).lowerBound).toBeLessThanOrEqual(bestByTrying(problem).objective);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('beside HiGHS on problems of the middle', { timeout: 120_000 }, () => {
  test('the bound is below its answer, and the answer not below its bound', async () => {
    for (let seed = 1; seed <= 36; seed++) {
      const problem = smallAssignment(seededRandom(seed), { datasets: 60, targets: 8, copies: 3 });
      const placed = place(problem);
      const exact = await byHighs(problem);
      const tolerance = 1e-6 * Math.abs(exact.objective);
      expect(checkAssignment(problem, placed).violations, `seed ${seed}`).toEqual([]);
      expect(placed.lowerBound, `seed ${seed}`).toBeLessThanOrEqual(exact.objective + tolerance);
      expect(placed.objective, `seed ${seed}`).toBeGreaterThanOrEqual(exact.objective - exact.gap - tolerance);
    }
  });
});

/** A variable for each dataset and allowed target: what it saves against leaving the copy out. */
async function byHighs({ datasets, targets, rules, missingPerCopy, missingPerByte }: Assignment): Promise<{ objective: number; gap: number }> {
  const costs: number[] = [];
  const rows: { columns: number[]; weights: number[]; atMost: number }[] = Array.from(targets.capacityBytes, (atMost) => ({
    columns: [],
    weights: [],
    atMost,
  }));
  let allLeftOut = 0;
  for (let row = 0; row < datasets.count; row++) {
    const size = datasets.bytes[row]!;
    const leftOut = missingPerCopy + size * missingPerByte;
    allLeftOut += leftOut * datasets.copies[row]!;
    const copies = { columns: [] as number[], weights: [] as number[], atMost: datasets.copies[row]! };
    const apart = new Map<number, typeof copies>();
    const { columns, domains } = rules[datasets.rule[row]!]!;
    for (const [at, column] of columns.entries()) {
      let cost = size * (targets.holdPerByte[column]! + targets.arrivePerByte[column]!);
      cost += datasets.readBytes[row]! * targets.readPerByte[column]! + datasets.requests[row]! * targets.perRequest[column]!;
      for (let one = row * datasets.heldWidth; one < (row + 1) * datasets.heldWidth; one++)
        if (datasets.held[one] === column) cost -= datasets.stayCredit[one]!;
      const domain = apart.get(domains[at]!) ?? apart.set(domains[at]!, { columns: [], weights: [], atMost: 1 }).get(domains[at]!)!;
      for (const [into, weight] of [[copies, 1] as const, [domain, 1] as const, [rows[column]!, size] as const]) {
        into.columns.push(costs.length);
        into.weights.push(weight);
      }
      costs.push(cost - leftOut);
    }
    rows.push(copies, ...apart.values());
  }
  if (costs.length === 0) return { objective: allLeftOut, gap: 0 };
  const solution = await solveMixed({ costs, rows: rows.filter((row) => row.columns.length > 0) }, { timeLimitMs: 1000, gap: 1e-6 });
  return { objective: allLeftOut + solution.values.reduce((sum, taken, at) => sum + (taken ? costs[at]! : 0), 0), gap: solution.gap };
}
