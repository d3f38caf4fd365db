import type { Random } from './random.ts';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * A ULID: 10 characters of time (milliseconds), 16 of randomness, Crockford's base 32; sorts by time as text.
 * Source: github.com/ulid/spec. Used for jobs, replicas and batches, so a name that was used never comes again.
 */
export function ulid(nowMs: number, random: Random): string {
  let time = '';
  for (let rest = Math.floor(nowMs), i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = alphabet[rest % 32]! + time;
  let tail = '';
  for (let i = 0; i < 16; i++) tail += alphabet[Math.floor(random.next() * 32)]!;
  return time + tail;
}

/**
 * A ULID that sorts behind another, whatever the clock says: of two versions of the same data the later one must be the greater,
 * also when they came in one millisecond or the clock was put back between them.
 */
export function ulidAfter(previous: string | null, nowMs: number, random: Random): string {
  return ulid(previous === null ? nowMs : Math.max(nowMs, timeOfUlidMs(previous) + 1), random);
}

function timeOfUlidMs(text: string): number {
  return [...text.slice(0, 10)].reduce((sum, digit) => sum * 32 + alphabet.indexOf(digit), 0);
}
