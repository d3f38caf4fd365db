import { seededRandom } from '@data-in-motion/shared/random';
import { expect, test } from 'vitest';
import { assignmentInstance, changedInstance } from '../../bench/assignment-instance.ts';
import { checkAssignment } from '../../bench/check-assignment.ts';
import type { Assignment, PricedState } from './assignment.ts';
import { improve } from './improve-places.ts';
import { insertMissing } from './insert-missing.ts';
import { type PricedWork, placePriced } from './place-priced.ts';
import { type PreparedAssignment, prepare } from './prepare-assignment.ts';
import { type Pass, PricePass } from './price-pass.ts';
import { makeFit } from './repair-places.ts';

const work = { isOver: () => false, from: null };
const place = (problem: Assignment, state: PricedState | null = null) =>
  placePriced(problem, { ...work, random: seededRandom(1), from: state === null ? null : { state, rows: null, columns: null } });

test('more datasets than the sample are placed within a hundredth of a percent of the best, with nothing broken', { timeout: 120_000 }, () => {
  const problem = assignmentInstance(20_000, 12, 3);
  const placed = place(problem);
  expect(checkAssignment(problem, placed).violations).toEqual([]);
  expect(placed.missing).toEqual([]);
  expect(placed.gap).toBeLessThan(1e-4);
  expect(placed.full.every((one) => one.dollarsPerUnit > 0)).toBe(true);

  const changed = changedInstance(problem, 0.01, 4);
  const again = place(changed, placed.state);
  expect(checkAssignment(changed, again).violations).toEqual([]);
  expect(again.gap).toBeLessThan(1e-4);
});

test('prices alone are a beginning where they are near what fits, and change nothing where they are not', { timeout: 120_000 }, () => {
  const problem = assignmentInstance(20_000, 12, 3);
  let looks = 0;
  const counted = (from: PricedWork['from']) => {
    looks = 0;
    const passOver = (prepared: PreparedAssignment): Pass => {
      const pass = new PricePass(prepared);
      const run = pass.run.bind(pass);
      pass.run = (...look) => {
        looks++;
        run(...look);
      };
      return pass;
    };
    return placePriced(problem, { ...work, from, random: seededRandom(1), passOver });
  };
  const cold = counted(null);
  const coldLooks = looks;
  const warm = counted({ prices: cold.prices });
  expect(looks).toBeLessThan(coldLooks / 4);
  expect(checkAssignment(problem, warm).violations).toEqual([]);
  expect(warm.gap).toBeLessThan(1e-4);
  for (const wrong of [cold.prices.map((price) => 3 * price), cold.prices.map(() => 0), cold.prices.map(() => Number.NaN)]) {
    const anew = counted({ prices: wrong });
    expect(looks).toBe(coldLooks + 1);
    expect(anew.places).toEqual(cold.places);
    expect(anew.lowerBound).toBe(cold.lowerBound);
  }
});

test('a full target has the price of what one more byte of it saves', () => {
  const one = (...numbers: number[]) => Float64Array.from(numbers);
  // Four datasets of 10 bytes; two fit on the cheap target, the others pay 2 dollars a byte more on the dear one.
  const problem: Assignment = {
    datasets: {
      count: 4,
      bytes: one(10, 10, 10, 10),
      objects: one(1, 1, 1, 1),
      readBytes: one(0, 0, 0, 0),
      requests: one(0, 0, 0, 0),
      atStake: one(0, 0, 0, 0),
      copies: Uint8Array.of(1, 1, 1, 1),
      hasPrimary: Uint8Array.of(0, 0, 0, 0),
      rule: Uint16Array.of(0, 0, 0, 0),
      arrive: one(0, 0, 0, 0),
      missing: one(1000, 1000, 1000, 1000),
      nearFrom: new Int32Array(5),
      nearHome: new Int16Array(0),
      nearCredit: new Float64Array(0),
      specialsFrom: new Int32Array(5),
      specialColumn: new Int16Array(0),
      copyCredit: one(),
      primaryCredit: one(),
      stays: new Uint8Array(0),
    },
    targets: {
      count: 2,
      home: Int16Array.of(0, 1),
      roomBytes: one(20, 1000),
      readBytesLimit: one(Infinity, Infinity),
      requestsLimit: one(Infinity, Infinity),
      holdPerByte: one(1, 3),
      lost: one(0, 0),
      minimumObjectBytes: one(0, 0),
      arrivePerByte: one(0, 0),
      arrivePerObject: one(0, 0),
      readPerByte: one(0, 0),
      perRequest: one(0, 0),
    },
    rules: [{ columns: Int32Array.of(0, 1), domains: Int32Array.of(0, 1), serves: Uint8Array.of(1, 1) }],
  };
  const placed = place(problem);
  expect(placed.objective).toBe(80);
  expect(placed.lowerBound).toBeLessThanOrEqual(80);
  expect(placed.gap).toBeLessThan(1e-3);
  expect(placed.full.map((full) => [full.column, full.resource])).toEqual([[0, 'bytes']]);
  expect(placed.full[0]!.dollarsPerUnit).toBeCloseTo(2, 2);
});

test('a copy that has room only where others can make way is not left out', () => {
  const one = (...numbers: number[]) => Float64Array.from(numbers);
  // Each target can serve one primary. The last dataset may be served at the first target only; who is there can go to the second, and who is there to the third.
  const problem: Assignment = {
    datasets: {
      count: 3,
      bytes: one(1, 1, 1),
      objects: one(1, 1, 1),
      readBytes: one(10, 10, 10),
      requests: one(0, 0, 0),
      atStake: one(0, 0, 0),
      copies: Uint8Array.of(1, 1, 1),
      hasPrimary: Uint8Array.of(1, 1, 1),
      rule: Uint16Array.of(0, 1, 2),
      arrive: one(0, 0, 0),
      missing: one(1000, 1000, 1000),
      nearFrom: new Int32Array(4),
      nearHome: new Int16Array(0),
      nearCredit: new Float64Array(0),
      specialsFrom: new Int32Array(4),
      specialColumn: new Int16Array(0),
      copyCredit: one(),
      primaryCredit: one(),
      stays: new Uint8Array(0),
    },
    targets: {
      count: 3,
      home: Int16Array.of(0, 1, 2),
      roomBytes: one(100, 100, 100),
      readBytesLimit: one(10, 10, 10),
      requestsLimit: one(Infinity, Infinity, Infinity),
      holdPerByte: one(1, 1, 1),
      lost: one(0, 0, 0),
      minimumObjectBytes: one(0, 0, 0),
      arrivePerByte: one(0, 0, 0),
      arrivePerObject: one(0, 0, 0),
      readPerByte: one(0, 0, 0),
      perRequest: one(0, 0, 0),
    },
    rules: [
      { columns: Int32Array.of(0, 1), domains: Int32Array.of(0, 1), serves: Uint8Array.of(1, 1) },
      { columns: Int32Array.of(1, 2), domains: Int32Array.of(1, 2), serves: Uint8Array.of(1, 1) },
      { columns: Int32Array.of(0), domains: Int32Array.of(0), serves: Uint8Array.of(1) },
    ],
  };
  const prepared = prepare(problem);
  const placing = { prepared, places: Int16Array.of(0, 1, -1), used: one(1, 1, 0, 10, 10, 0, 0, 0, 0) };
  const repair = { placing, prices: new Float64Array(9), some: Int32Array.of(0, 1, 2), isOver: () => false };
  makeFit(repair);
  improve(repair);
  expect([...placing.places]).toEqual([0, 1, -1]);
  insertMissing(repair);
  expect([...placing.places]).toEqual([1, 2, 0]);
  expect([...placing.used]).toEqual([1, 1, 1, 10, 10, 10, 0, 0, 0]);
  expect(place(problem).missing).toEqual([]);
});

test('nobody is left out where targets serve little more than a random placement asks of them', { timeout: 120_000 }, () => {
  const problem = assignmentInstance(2_000, 12, 3, 1.08);
  const placed = place(problem);
  expect(checkAssignment(problem, placed).violations).toEqual([]);
  expect(placed.missing).toEqual([]);
});

test('the checker finds what is wrong with a placement', () => {
  const problem = assignmentInstance(200, 12, 5);
  const placed = place(problem);
  const row = problem.datasets.copies.findIndex((copies) => copies > 2);
  const at = row * placed.width;
  // Of two copies that are none the primary, either may be where the other is.
  const twice = Int16Array.from(placed.places);
  twice[at + 2] = twice[at + 1]!;
  expect(checkAssignment(problem, { ...placed, places: twice }).violations.join()).toContain('two copies in domain');
  const lost = Int16Array.from(placed.places);
  lost[at] = -1;
  expect(checkAssignment(problem, { ...placed, places: lost }).violations.join()).toContain('misses 1 copies, 0 are named');
  expect(checkAssignment(problem, { ...placed, lowerBound: placed.objective * 1.01 }).violations.join()).toContain('the bound is');
  const crowded = { ...problem, targets: { ...problem.targets, roomBytes: problem.targets.roomBytes.map((bytes) => bytes / 2) } };
  expect(checkAssignment(crowded, placed).violations.join()).toContain('it has room for');
});
