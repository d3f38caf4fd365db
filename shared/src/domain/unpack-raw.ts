import type { DriveMaker } from './drive-makers.ts';
import { rawFormat } from './raw-formats.ts';

/**
 * The count inside a 48-bit (or wider) SMART raw value, by the table of raw formats.
 *
 * SMART 188 of Seagate drives holds three 16-bit counters (all time-outs, those over 5 s, those over 7.5 s): read as one number a single
 * time-out is 4,295,032,833. Temperatures carry their minimum and maximum above the lowest byte, timers carry milliseconds above the hours.
 * Unpacking again what was unpacked, without a maker, changes nothing.
 *
 * @param maker whose drive reported it, for a value as the drive gave it; `other`: only what all makers share is unpacked
 * @returns a number of at least 0 (temperatures may be below), or undefined when the raw value is no number
 */
export function unpackRaw(attribute: number, raw: number, maker: DriveMaker = 'other'): number | undefined {
  if (!Number.isFinite(raw)) return undefined;
  const format = rawFormat(attribute, maker);
  if (format === 'lowest-byte') {
    const lowest = ((raw % 256) + 256) % 256;
    return lowest > 127 ? lowest - 256 : lowest;
  }
  if (raw < 0) return undefined;
  if (format === 'hours-below') return raw % 2 ** 32;
  if (format === 'three-words') return raw > 0xffff ? Math.max(word(raw, 0), word(raw, 1), word(raw, 2)) : raw;
  if (format === 'low-word') return raw >= 2 ** 32 ? word(raw, 0) : raw;
  if (format === 'low-half') return raw % 2 ** 32;
  return format === 'errors-above-operations' ? word(raw, 2) : raw;
}

/** The 16 bits at place `place`, counted from the lowest; exact up to 2^53. */
function word(raw: number, place: number): number {
  return Math.floor(raw / 2 ** (16 * place)) % 2 ** 16;
}
