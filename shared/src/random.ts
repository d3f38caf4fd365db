/** Randomness as a port; a seed makes a run repeatable. */
export interface Random {
  /** At least 0 and below 1. */
  next(): number;
}

/** The system's own generator: names made from it (ULIDs) must not repeat after a restart. */
export const systemRandom: Random = { next: () => nextOfSystem() / 2 ** 32 };

/** Drawn many at once: asking the system for each took two microseconds, and a thousand names sixteen thousand of them. */
const drawn = new Uint32Array(256);
let used = drawn.length;

function nextOfSystem(): number {
  if (used === drawn.length) {
    crypto.getRandomValues(drawn);
    used = 0;
  }
  return drawn[used++]!;
}

/** The same seed gives the same numbers on every machine (mulberry32, public domain by Tommy Ettinger). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    },
  };
}

/** A whole number from `from` to below `to`. */
export function randomInt(random: Random, from: number, to: number): number {
  return from + Math.floor(random.next() * (to - from));
}

/** One of a list that is not empty. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[randomInt(random, 0, list.length)]!;
}
