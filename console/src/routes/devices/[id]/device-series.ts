import type { DeviceHistory } from '@data-in-motion/shared/api/fleet';
import type { Mark } from '../../../lib/components/HistoryChart.svelte';
import { stateWord } from '../../../lib/format/state-words.ts';

type Dated = { readonly atMs: number; readonly recordedDay: string | null };

/** Seconds since the epoch on the drive's own calendar: a replayed life keeps its recorded days. */
export function dayOf(dated: Dated): number {
  return (dated.recordedDay === null ? dated.atMs : Date.parse(`${dated.recordedDay}T12:00:00Z`)) / 1000;
}

/** One line per attribute that was ever reported; a day without a value is a gap. `at` ascends, one point per moment. */
export function seriesOf(
  readings: DeviceHistory['readings'],
  attributes: readonly string[],
): { at: number[]; lines: { attribute: string; values: (number | null)[] }[] } {
  const byMoment = new Map(readings.map((reading) => [dayOf(reading), reading]));
  const at = [...byMoment.keys()].sort((a, b) => a - b);
  const lines = attributes
    .map((attribute) => ({ attribute, values: at.map((moment) => byMoment.get(moment)?.smart[attribute] ?? null) }))
    .filter((line) => line.values.some((value) => value !== null));
  return { at, lines };
}

/** The moments at which a drive's level became worse. */
export function alarmMarks(assessments: DeviceHistory['assessments']): Mark[] {
  const severity: Record<string, number> = { healthy: 0, unknown: 0, watch: 1, 'at-risk': 2, failing: 3 };
  let before = 0;
  const marks: Mark[] = [];
  for (const one of [...assessments].sort((a, b) => dayOf(a) - dayOf(b))) {
    const level = severity[one.level] ?? 0;
    if (level > before)
      marks.push({
        at: dayOf(one),
        text: `${stateWord('risk', one.level).word}${one.recordedDay === null ? '' : ` ${one.recordedDay}`}`,
        tone: level === 3 ? 'bad' : 'warn',
      });
    before = level;
  }
  return marks;
}
