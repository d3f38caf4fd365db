import type { Reading } from '@data-in-motion/shared/domain/device';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { readingRecord } from '@data-in-motion/shared/protocol/records';
import type { Journal } from '../journal/journal.ts';
import { lifeAtMs } from '../predict/features.ts';

const dayMs = 86_400_000;
/** Days with a reading kept of each device: the rule looks back 30, and twice that tells a slow rise from an old one. Counted, not dated: a clock that jumps by a year must not empty the history. */
export const keptDays = 60;
/** Days without values kept beside them: enough to see that nobody answers. */
const keptSilentDays = 5;
/** Readings kept of the newest day, which is not thinned. */
const keptOfNewestDay = 200;

/**
 * The history of each device in the order in which it was read, bounded: everything of the newest day (up to a limit), and the last reading with
 * values of each other day. With a journal the days survive a restart; what of the newest day came after the last write is lost, which the next reading mends.
 */
export class ReadingHistory {
  readonly #readings = new Map<DeviceId, Reading[]>();
  readonly #journal: Journal | null;
  /** Grows with each reading that is written down: days say nothing about the order when a clock goes back. */
  #position = 0;

  constructor(journal: Journal | null) {
    this.#journal = journal;
    if (journal === null) return;
    journal.define('readings_history', [
      'CREATE TABLE readings_history (device_id TEXT NOT NULL, day INTEGER NOT NULL, reading TEXT NOT NULL, PRIMARY KEY (device_id, day)) STRICT, WITHOUT ROWID',
      'ALTER TABLE readings_history ADD COLUMN position INTEGER NOT NULL DEFAULT 0',
    ]);
    const rows = journal.db.prepare('SELECT position, reading FROM readings_history ORDER BY position, day').all() as { position: number; reading: string }[];
    for (const row of rows) {
      this.#position = row.position;
      const reading = storedReading(row.reading);
      if (reading !== null) this.#readings.set(reading.deviceId, [...this.of(reading.deviceId), reading]);
    }
  }

  /** In the order in which they were read. */
  of(deviceId: DeviceId): readonly Reading[] {
    return this.#readings.get(deviceId) ?? [];
  }

  add(reading: Reading): void {
    const kept = withReading(this.of(reading.deviceId), reading);
    this.#readings.set(reading.deviceId, kept);
    if (this.#journal === null) return;
    const { db } = this.#journal;
    const days = JSON.stringify([...new Set(kept.map(dayOf))]);
    this.#journal.transaction(() => {
      db.prepare('DELETE FROM readings_history WHERE device_id = ? AND day NOT IN (SELECT value FROM json_each(?))').run(reading.deviceId, days);
      // A day that has values keeps them: that the drive did not answer later that day is no reason to forget them.
      if (reading.status === 'read')
        db.prepare('INSERT OR REPLACE INTO readings_history (device_id, day, reading, position) VALUES (?, ?, ?, ?)').run(
          reading.deviceId,
          dayOf(reading),
          JSON.stringify(reading),
          ++this.#position,
        );
    });
  }
}

/**
 * A history with one reading more. When a replay begins again, what lies after it is forgotten: that life is lived anew.
 * A real drive is not younger because its host's clock went back: all that it said is kept.
 */
export function withReading(history: readonly Reading[], reading: Reading): Reading[] {
  const day = dayOf(reading);
  const before = reading.recordedDay === null ? history : history.filter((earlier) => lifeAtMs(earlier) <= lifeAtMs(reading));
  const lastOfDay = new Map<number, Reading>();
  for (const earlier of before) {
    if (dayOf(earlier) === day || (earlier.status !== 'read' && lastOfDay.has(dayOf(earlier)))) continue;
    // Anew at its end: the days stay in the order in which they were last seen.
    lastOfDay.delete(dayOf(earlier));
    lastOfDay.set(dayOf(earlier), earlier);
  }
  const days = [...lastOfDay.values()];
  const kept = new Set([
    ...before.filter((earlier) => dayOf(earlier) === day).slice(1 - keptOfNewestDay),
    ...days.filter((earlier) => earlier.status === 'read').slice(1 - keptDays),
    // However long a drive is silent, its last values must not be pushed out by its silence.
    ...days.filter((earlier) => earlier.status !== 'read').slice(-keptSilentDays),
  ]);
  return [...before.filter((earlier) => kept.has(earlier)), reading];
}

function dayOf(reading: Reading): number {
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
