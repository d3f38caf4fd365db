import { expect, test } from 'vitest';
import { eachInSlices, inSlices, someoneWaits } from './in-slices.ts';
import { seededRandom } from './random.ts';

test('a long list is gone through in its order, and others have their turn in between', async () => {
  const random = seededRandom(1);
  const list = Array.from({ length: 5_000 }, () => random.next());
  let turns = 0;
  const others = setInterval(() => turns++, 0);
  const made = await inSlices(list, (item) => {
    for (const until = performance.now() + 0.01; performance.now() < until; );
    return item < 0.5 ? [item, item] : [];
  });
  clearInterval(others);
  expect(made).toEqual(list.flatMap((item) => (item < 0.5 ? [item, item] : [])));
  expect(turns).toBeGreaterThan(5);
});

/** Milliseconds of work. */
function busy(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

/** The number of a turn of the event loop, which others' slices share. */
function countTurns(): { now(): number; stop(): void } {
  let turn = 0;
  let goesOn = true;
  const next = (): void => {
    turn++;
    if (goesOn) setImmediate(next);
  };
  next();
  return {
    now: () => turn,
    stop: () => {
      goesOn = false;
    },
  };
}

test('after a slow item others have their turn at once, also where those before it were quick', async () => {
  const turns = countTurns();
  const seen: number[] = [];
  await eachInSlices(
    Array.from({ length: 200 }, (_, at) => at),
    (at) => {
      seen.push(turns.now());
      if (at >= 100) busy(5);
    },
  );
  turns.stop();
  const slow = seen.slice(132);
  expect(new Set(slow).size).toBe(slow.length);
});

test('of several who go through long lists one goes on in each turn, and all of them come to their end', async () => {
  const turns = countTurns();
  const workedMs = new Map<number, number>();
  const walk = (): Promise<void> =>
    eachInSlices(Array.from({ length: 300 }), () => {
      busy(0.2);
      workedMs.set(turns.now(), (workedMs.get(turns.now()) ?? 0) + 0.2);
    });
  await Promise.all([walk(), walk(), walk(), walk(), walk()]);
  turns.stop();
  const sum = [...workedMs.values()].reduce((total, ms) => total + ms, 0);
  expect(sum).toBeCloseTo(300);
  // Each by itself would work for its two milliseconds in every turn.
  expect(workedMs.size).toBeGreaterThan(60);
});

test('while somebody waits for an answer others have their turn more often, until nobody does', async () => {
  const turnsOf = async (): Promise<number> => {
    const turns = countTurns();
    const seen = new Set<number>();
    await eachInSlices(Array.from({ length: 400 }), () => {
      busy(0.1);
      seen.add(turns.now());
    });
    turns.stop();
    return seen.size;
  };
  const alone = await turnsOf();
  const [first, second] = [someoneWaits(), someoneWaits()];
  first();
  // Whoever has the answer is not counted out twice.
  first();
  const waitedFor = await turnsOf();
  second();
  expect(waitedFor).toBeGreaterThan(1.5 * alone);
  expect(await turnsOf()).toBeLessThan(waitedFor / 1.5);
});
