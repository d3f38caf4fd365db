import { type DriveMaker, driveMakers } from './drive-makers.ts';

/**
 * How a drive packs a count into the 48 bits (or more) of a SMART raw value.
 * `lowest-byte`: a temperature, its minimum and maximum above it.
 * `hours-below`: hours in the lower 32 bits, minutes or milliseconds above.
 * `three-words`: three counters of 16 bits, each of them part of the first; so the largest one is the count.
 * `low-word`, `low-half`: from 2^32 on the upper words belong to other counters; below, the whole value is the count.
 * `errors-above-operations`: errors in the upper 16 bits, operations in the lower 32: read as one number a healthy drive has millions.
 */
export type RawFormat = 'lowest-byte' | 'hours-below' | 'three-words' | 'low-word' | 'low-half' | 'errors-above-operations';

export interface RawFormatRow {
  readonly attributes: readonly number[];
  /** Whose drives do so; `all` where another maker's plain count is never mistaken for it. */
  readonly makers: readonly DriveMaker[] | 'all';
  readonly format: RawFormat;
  /** What tells so, and where it was seen. */
  readonly source: string;
}

/**
 * What differs between makers in the counters that decisions and screens name; what is in no row is a plain count.
 * Beside the formats they differ in what they report at all, which a reading shows by leaving it out: Seagate reports 187 and 188 and no 196;
 * HGST, Western Digital and Toshiba report 196 and neither 187 nor 188 (so in the hard drives of smartctl_exporter's test data but for
 * the helium-filled WUH721818, which also reports 188).
 */
export const rawFormats: readonly RawFormatRow[] = [
  {
    attributes: [190, 194],
    makers: 'all',
    format: 'lowest-byte',
    source: 'smartmontools drivedb, default format tempminmax',
  },
  {
    attributes: [9, 240],
    makers: 'all',
    format: 'hours-below',
    source: 'smartmontools drivedb, msec24hour32 and raw24/32: Seagate BarraCuda, Exos, IronWolf; Intel SSDs. Toshiba writes plain hours',
  },
  {
    attributes: [188],
    makers: 'all',
    format: 'three-words',
    source: 'smartmontools drivedb, "-v 188,raw16" for Seagate; the parts (all, over 5 s, over 7.5 s) in Seagate\'s SMART attribute specification',
  },
  {
    attributes: [5, 196],
    makers: 'all',
    format: 'low-word',
    source: 'smartmontools drivedb, default format raw16(raw16)',
  },
  {
    attributes: [187, 197, 198],
    makers: 'all',
    format: 'low-half',
    source: 'no drive has 2^32 sectors to count',
  },
  {
    attributes: [1, 7, 195],
    makers: ['seagate'],
    format: 'errors-above-operations',
    source:
      'Seagate\'s SMART attribute specification (raw [3-0] operations, [6-4] errors); F. Zabkar, "Seagate\'s Seek Error Rate, Raw Read Error Rate, and Hardware ECC Recovered"; real: SMART 7 of an ST3500418AS is 12,834,215,976,973, which are 2,988 errors',
  },
];

/** How a maker packs an attribute; undefined for a plain count. Asked for every value of every reading, so it is one look into an array. */
export function rawFormat(attribute: number, maker: DriveMaker): RawFormat | undefined {
  return formatsOf[maker][attribute];
}

const formatsOf = Object.fromEntries(driveMakers.map((maker) => [maker, formatsBy(maker)])) as Record<DriveMaker, (RawFormat | undefined)[]>;

function formatsBy(maker: DriveMaker): (RawFormat | undefined)[] {
  const formats = Array.from({ length: 256 }, (): RawFormat | undefined => undefined);
  for (const row of rawFormats) {
    if (row.makers !== 'all' && !row.makers.includes(maker)) continue;
    for (const attribute of row.attributes) formats[attribute] = row.format;
  }
  return formats;
}
