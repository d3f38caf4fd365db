import type { Reading } from '@data-in-motion/shared/domain/device';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { readingRecord } from '@data-in-motion/shared/protocol/records';
import type { Journal } from '../journal/journal.ts';
import { lifeAtMs } from '../predict/features.ts';
import { type KeptReading, keptReading, readingsOf } from './kept-reading.ts';

const dayMs = 86_400_000;
/** Days with a reading kept of each device: the model looks back 90, and a few days may be missing. Counted, not dated: a clock that jumps by a year must not empty the history. */
export const keptDays = 100;
/** Older ones thin out to one reading a week, for two years together with the days: enough to tell since when a counter stands still. */
export const keptWeeks = 90;
/** Days without values kept beside them: enough to see that nobody answers. */
const keptSilentDays = 5;
/** Readings kept of the newest day, which is not thinned. */
const keptOfNewestDay = 200;

/**
 * The history of each device in the order in which it was read, bounded: everything of the newest day (up to a limit), the last reading with
 * values of each other day, and of each week before. In memory a reading has only what is judged, so that years of many drives stay small; the
 * journal has it whole. With a journal the days survive a restart; what came after the last write is lost, which the next reading mends.
 */
export class ReadingHistory {
  readonly #readings = new Map<DeviceId, KeptReading[]>();
  readonly #journal: Journal | null;
  /** Added since the last write. */
  #unwritten: Reading[] = [];
  /** Grows with each reading that is written down: days say nothing about the order when a clock goes back. */
  #position = 0;

  constructor(journal: Journal | null) {
    this.#journal = journal;
    if (journal === null) return;
    journal.define('readings_history', [
      'CREATE TABLE readings_history (device_id TEXT NOT NULL, day INTEGER NOT NULL, reading TEXT NOT NULL, PRIMARY KEY (device_id, day)) STRICT, WITHOUT ROWID',
      'ALTER TABLE readings_history ADD COLUMN position INTEGER NOT NULL DEFAULT 0',
    ]);
    const rows = journal.db.prepare('SELECT position, reading FROM readings_history ORDER BY position, day');
    // One at a time: the texts of them all are many times what is kept of them.
    for (const row of rows.iterate() as IterableIterator<{ position: number; reading: string }>) {
      this.#position = row.position;
      const reading = storedReading(row.reading);
      if (reading === null) continue;
      const before = this.#readings.get(reading.deviceId);
      if (before === undefined) this.#readings.set(reading.deviceId, [keptReading(reading, undefined)]);
      else before.push(keptReading(reading, before.at(-1)));
    }
  }

  /** In the order in which they were read. */
  of(deviceId: DeviceId): readonly Reading[] {
    return [...readingsOf(deviceId, this.#readings.get(deviceId) ?? [])];
  }

  add(reading: Reading): void {
    const before = this.#readings.get(reading.deviceId) ?? [];
    this.#readings.set(reading.deviceId, withReading(before, keptReading(reading, before.at(-1))));
    if (this.#journal !== null) this.#unwritten.push(reading);
  }

  /** Write down what was added, in one commit: one for each of many drives is a flush of the disk for each. @throws Failure `exhausted` as `Journal.transaction` */
  write(): void {
    const journal = this.#journal;
    const readings = this.#unwritten;
    this.#unwritten = [];
    if (journal === null || readings.length === 0) return;
    const forget = journal.db.prepare('DELETE FROM readings_history WHERE device_id = ? AND day NOT IN (SELECT value FROM json_each(?))');
    const keep = journal.db.prepare('INSERT OR REPLACE INTO readings_history (device_id, day, reading, position) VALUES (?, ?, ?, ?)');
    journal.transaction(() => {
      // A day that has values keeps them: that the drive did not answer later that day is no reason to forget them.
      for (const reading of readings) if (reading.status === 'read') keep.run(reading.deviceId, dayOf(reading), JSON.stringify(reading), ++this.#position);
      for (const deviceId of new Set(readings.map((reading) => reading.deviceId))) {
        forget.run(deviceId, JSON.stringify([...new Set(this.#readings.get(deviceId)?.map(dayOf))]));
      }
    });
  }
}

/** What tells when a reading was taken, and whether it has values. */
type Dated = Pick<Reading, 'atMs' | 'recordedDay' | 'status'>;

/**
 * A history with one reading more. When a replay begins again, what lies after it is forgotten: that life is lived anew.
 * A real drive is not younger because its host's clock went back: all that it said is kept.
 */
export function withReading<Kept extends Dated>(history: readonly Kept[], reading: Kept): Kept[] {
  const day = dayOf(reading);
  const before = reading.recordedDay === null ? history : history.filter((earlier) => lifeAtMs(earlier) <= lifeAtMs(reading));
  const lastOfDay = new Map<number, Kept>();
  for (const earlier of before) {
    if (dayOf(earlier) === day || (earlier.status !== 'read' && lastOfDay.has(dayOf(earlier)))) continue;
    // Anew at its end: the days stay in the order in which they were last seen.
    lastOfDay.delete(dayOf(earlier));
    lastOfDay.set(dayOf(earlier), earlier);
  }
  const days = [...lastOfDay.values()];
  const read = days.filter((earlier) => earlier.status === 'read');
  const kept = new Set([
    ...before.filter((earlier) => dayOf(earlier) === day).slice(1 - keptOfNewestDay),
    ...lastOfWeeks(read.slice(0, 1 - keptDays)).slice(-keptWeeks),
    ...read.slice(1 - keptDays),
    // However long a drive is silent, its last values must not be pushed out by its silence.
    ...days.filter((earlier) => earlier.status !== 'read').slice(-keptSilentDays),
  ]);
  return [...before.filter((earlier) => kept.has(earlier)), reading];
}

function lastOfWeeks<Kept extends Dated>(days: readonly Kept[]): Kept[] {
  const lastOfWeek = new Map<number, Kept>();
  for (const reading of days) {
    const week = Math.floor(dayOf(reading) / 7);
    lastOfWeek.delete(week);
    lastOfWeek.set(week, reading);
  }
  return [...lastOfWeek.values()];
}

function dayOf(reading: Dated): number {
  return Math.floor(lifeAtMs(reading) / dayMs);
}

function storedReading(text: string): Reading | null {
  try {
    const { type: _, ...reading } = readingRecord.parse({ type: 'reading', ...JSON.parse(text) });
    return reading;
  } catch {
    return null;
  }
}
