/** Timers of Seagate drives fill the upper bytes with milliseconds; the hours stand in the lower 32 bits. */
const hoursInLowerHalf = new Set([9, 240]);
const temperatures = new Set([190, 194]);
const wordCounters = new Set([5, 196]);

/**
 * The count inside a 48-bit (or wider) SMART raw value.
 *
 * SMART 188 of Seagate drives holds three 16-bit counters (all time-outs, those over 5 s, those over 7.5 s): read as one number a single
 * time-out is 4,295,032,833. Temperatures carry their minimum and maximum above the lowest byte, timers carry milliseconds above the hours.
 * Unpacking twice changes nothing. Source: the raw formats (`raw16`, `tempminmax`, `raw24/32`) of the smartmontools drive database.
 *
 * @returns a number of at least 0 (temperatures may be below), or undefined when the raw value is no number
 */
export function unpackRaw(attribute: number, raw: number): number | undefined {
  if (!Number.isFinite(raw)) return undefined;
  if (temperatures.has(attribute)) {
    const lowest = ((raw % 256) + 256) % 256;
    return lowest > 127 ? lowest - 256 : lowest;
  }
  if (raw < 0) return undefined;
  if (attribute === 188 && raw > 0xffff) return Math.max(word(raw, 0), word(raw, 1), word(raw, 2));
  if (hoursInLowerHalf.has(attribute)) return raw % 2 ** 32;
  // Beyond 32 bits no drive has that many sectors to count: the upper words belong to other counters.
  if (wordCounters.has(attribute) && raw >= 2 ** 32) return word(raw, 0);
  if ((attribute === 187 || attribute === 197 || attribute === 198) && raw >= 2 ** 32) return raw % 2 ** 32;
  return raw;
}

/** The 16 bits at place `place`, counted from the lowest; exact up to 2^53. */
function word(raw: number, place: number): number {
  return Math.floor(raw / 2 ** (16 * place)) % 2 ** 16;
}
