import { unpackRaw } from './unpack-raw.ts';

/** The SMART counters that a failure model looks at. */
export const countedAttributes = [5, 10, 12, 187, 188, 189, 196, 197, 198] as const;
export type CountedAttribute = (typeof countedAttributes)[number];

/** What a drive reported at one moment of its life. */
export interface DrivePoint {
  /** Days since any fixed moment, fractions allowed. */
  readonly day: number;
  readonly powerOnHours: number | null;
  /** SMART attribute number to raw value; only what was reported. */
  readonly smart: Readonly<Record<string, number>>;
}

/**
 * The counters of one drive as they changed: columns of equal length, the moments rising.
 * A value holds until the next moment; what was not reported is NaN.
 */
export interface DriveHistory {
  readonly days: readonly number[];
  readonly powerOnHours: readonly number[];
  /** One column for each of `countedAttributes`, in their order. */
  readonly counts: readonly (readonly number[])[];
}

/** Hours that a drive may report too late after a power cut, before a lower count means another drive or a firmware that forgot. */
const hoursOfSlack = 48;

/**
 * Reduce what one drive reported until now, in the order in which it did, to its changes. Of one day the last report counts, so that a drive
 * that is read every ten minutes looks like one that is read once a day.
 */
export function historyOf(points: readonly DrivePoint[]): DriveHistory {
  const builder = new HistoryBuilder();
  for (const [i, point] of points.entries()) if (i === points.length - 1 || Math.floor(points[i + 1]!.day) !== Math.floor(point.day)) builder.add(point);
  return builder.history;
}

/**
 * A history that grows report by report. Where hours of operation, or counters that only grow, go back,
 * another life began under the same name: what was before is left out.
 */
export class HistoryBuilder {
  #days: number[] = [];
  #powerOnHours: number[] = [];
  #counts: number[][] = countedAttributes.map(() => []);
  #before: { readonly powerOnHours: number | null; readonly row: readonly number[] } | null = null;

  get history(): DriveHistory {
    return { days: this.#days, powerOnHours: this.#powerOnHours, counts: this.#counts };
  }

  add(point: DrivePoint): void {
    const row = countedAttributes.map((attribute) => countIn(point, attribute));
    if (this.#before !== null && beganAgain(this.#before, { powerOnHours: point.powerOnHours, row })) this.#forget();
    this.#before = { powerOnHours: point.powerOnHours, row };
    const last = this.#days.length - 1;
    const isChange = last < 0 || row.some((count, column) => !Object.is(count, this.#counts[column]![last]));
    if (!isChange) return;
    this.#days.push(point.day);
    this.#powerOnHours.push(point.powerOnHours ?? Number.NaN);
    for (const [column, count] of row.entries()) this.#counts[column]!.push(count);
  }

  #forget(): void {
    this.#days = [];
    this.#powerOnHours = [];
    this.#counts = countedAttributes.map(() => []);
  }
}

function countIn(point: DrivePoint, attribute: CountedAttribute): number {
  const raw = point.smart[String(attribute)];
  return raw === undefined ? Number.NaN : (unpackRaw(attribute, raw) ?? Number.NaN);
}

interface Counted {
  readonly powerOnHours: number | null;
  readonly row: readonly number[];
}

const onlyGrow = [countedAttributes.indexOf(5), countedAttributes.indexOf(187)];

function beganAgain(before: Counted, after: Counted): boolean {
  if (before.powerOnHours !== null && after.powerOnHours !== null && after.powerOnHours < before.powerOnHours - hoursOfSlack) return true;
  return onlyGrow.some((column) => after.row[column]! < before.row[column]!);
}
