import type { DeviceHistory } from '@data-in-motion/shared/api/fleet';
import type { RiskLevel } from '@data-in-motion/shared/domain/assessment';
import { smartName } from '@data-in-motion/shared/domain/smart-attributes';
import { count } from '../../../lib/format/number.ts';

type Reading = DeviceHistory['readings'][number];
type Assessment = DeviceHistory['assessments'][number];
type Dated = { readonly atMs: number; readonly recordedDay: string | null };

export interface Point {
  readonly atMs: number;
  /** null: it was not told, which is not zero. */
  readonly value: number | null;
}

/** What one figure of a drive did over its life. */
export interface Lane {
  readonly name: string;
  /** Behind the value: ` %`, ` °C`; nothing where the name says what is counted. */
  readonly unit: string;
  /** `powers`: the first bad sectors matter as much as the next thousand. */
  readonly scale: 'powers' | 'even';
  readonly points: readonly Point[];
  readonly last: number | null;
}

/** A moment at which the level became another one. */
export interface Change {
  readonly atMs: number;
  readonly recordedDay: string | null;
  readonly from: RiskLevel | null;
  readonly to: RiskLevel;
  readonly probability: number | null;
  readonly reasons: readonly string[];
  readonly judge: Assessment['judge'];
}

/** Counters of damage, those that go before failure first. */
const counters = ['197', '5', '187', '198', '188', '10', '189', '196', '199'] as const;
const nvmeFigures = [
  { key: 'percentageUsed', name: 'wear of the flash', unit: ' %' },
  { key: 'availableSparePercent', name: 'spare blocks left', unit: ' %' },
  { key: 'mediaErrors', name: 'media errors', unit: '' },
] as const;

const kernelFigures = [
  { key: 'ioErrors', name: 'I/O errors seen by the kernel', unit: '' },
  { key: 'timeouts', name: 'time-outs seen by the kernel', unit: '' },
  { key: 'msPerRead', name: 'mean time of a read', unit: ' ms' },
  { key: 'msPerWrite', name: 'mean time of a write', unit: ' ms' },
] as const;

/** On the drive's own calendar: a replayed life keeps its recorded days. */
export function momentOf(dated: Dated): number {
  return dated.recordedDay === null ? dated.atMs : Date.parse(`${dated.recordedDay}T12:00:00Z`);
}

/** A lane for each figure that moved; the ones that never did, with their value, in words. */
export function lanesOf(readings: readonly Reading[]): { lanes: Lane[]; still: string[] } {
  const ordered = onePerMoment(readings);
  const lane = (name: string, unit: string, scale: Lane['scale'], of: (reading: Reading) => number | null | undefined): Lane => {
    const points = ordered.map((reading) => ({ atMs: momentOf(reading), value: of(reading) ?? null }));
    return { name, unit, scale, points, last: points.findLast(({ value }) => value !== null)?.value ?? null };
  };
  const all = [
    ...counters.map((attribute) => lane(smartName(attribute), '', 'powers', ({ status, smart }) => (status === 'read' ? smart[attribute] : null))),
    ...nvmeFigures.map(({ key, name, unit }) =>
      lane(name, unit, unit === '' ? 'powers' : 'even', ({ status, nvme }) => (status === 'read' ? nvme?.[key] : null)),
    ),
    // Also of a drive that does not answer: then they say the most.
    ...kernelFigures.map(({ key, name, unit }) => lane(name, unit, 'powers', ({ kernel }) => kernel?.[key])),
  ].filter(({ last }) => last !== null);
  const temperature = lane('temperature', ' °C', 'even', ({ status, temperatureCelsius }) => (status === 'read' ? temperatureCelsius : null));
  return {
    lanes: [...all.filter(hasMoved), ...(hasMoved(temperature) ? [temperature] : [])],
    still: all.filter((one) => !hasMoved(one)).map((one) => `${one.name} ${count(one.last)}${one.unit}`),
  };
}

/** The first assessment counts as a change where it is bad news: whoever reads the list wants to know when the alarm began. */
export function changesOf(assessments: readonly Assessment[]): Change[] {
  let before: RiskLevel | null = null;
  const changes: Change[] = [];
  for (const { atMs, recordedDay, level, probability, reasons, judge } of byMoment(assessments)) {
    if (level !== before && (before !== null || level !== 'healthy')) changes.push({ atMs, recordedDay, from: before, to: level, probability, reasons, judge });
    before = level;
  }
  return changes;
}

/** The probability of failing over the life, each until the next: an agent reports what changed. A gap where it could not be judged. */
export function riskPoints(assessments: readonly Assessment[]): Point[] {
  return byMoment(assessments).map((one) => ({ atMs: momentOf(one), value: one.probability }));
}

function byMoment<Item extends Dated>(items: readonly Item[]): Item[] {
  return items.toSorted((a, b) => momentOf(a) - momentOf(b) || a.atMs - b.atMs);
}

/** Of several readings of one moment (a day that was replayed twice) the last. */
function onePerMoment(readings: readonly Reading[]): Reading[] {
  return [...new Map(readings.map((reading) => [momentOf(reading), reading])).values()].toSorted((a, b) => momentOf(a) - momentOf(b));
}

function hasMoved({ points }: Lane): boolean {
  const values = new Set(points.flatMap(({ value }) => (value === null ? [] : [value])));
  return values.size > 1;
}
