import { ulidPattern } from '@data-in-motion/shared/domain/ids';
import { asFailure } from '@data-in-motion/shared/failure';
import Database from 'better-sqlite3';
import type { Journal } from './journal.ts';
import type { OutboxRows } from './outbox-rows.ts';

interface SavedBatch {
  readonly uid: string;
  readonly sealed_at_ms: number;
  readonly records: string;
}

/** Batches of a damaged journal that were not delivered, as far as its list of them can be read. */
export interface Salvaged {
  readonly saved: number;
  readonly found: number;
}

/**
 * Take over what can still be read of the undelivered batches of a damaged journal, oldest first, uids unchanged: what was stored already is then known there.
 * On a disk that is full those stay behind that do not fit.
 *
 * @param damagedFile kept as it is
 */
export function salvageUndelivered(damagedFile: string, journal: Journal, rows: OutboxRows): Salvaged {
  const damaged = openToRead(damagedFile);
  if (damaged === null) return { saved: 0, found: 0 };
  try {
    const positions = listUndelivered(damaged);
    let saved = 0;
    for (const position of positions) {
      const batch = readBatch(damaged, position);
      if (batch === null) continue;
      if (!fits(() => journal.transaction(() => rows.add(batch.uid, batch.records, batch.sealed_at_ms)))) break;
      saved++;
    }
    return { saved, found: positions.length };
  } finally {
    damaged.close();
  }
}

function openToRead(file: string): Database.Database | null {
  try {
    return new Database(file, { readonly: true });
  } catch {
    return null;
  }
}

/** None when the list itself can not be read: the file stays for whoever has better tools. */
function listUndelivered(damaged: Database.Database): number[] {
  try {
    return damaged.prepare("select position from outbox where state <> 'durable' order by position").pluck().all() as number[];
  } catch {
    return [];
  }
}

/** False when there is no room for it. */
function fits(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (thrown) {
    if (asFailure(thrown).kind !== 'exhausted') throw thrown;
    return false;
  }
}

/** Null when its pages are damaged, or what they hold is no batch any more. */
function readBatch(damaged: Database.Database, position: number): SavedBatch | null {
  try {
    const select = damaged.prepare('select uid, sealed_at_ms, records from outbox join outbox_records using (position) where position = ?');
    const batch = select.get(position) as SavedBatch | undefined;
    const isWhole = batch !== undefined && ulidPattern.test(batch.uid) && Number.isSafeInteger(batch.sealed_at_ms) && Array.isArray(JSON.parse(batch.records));
    return isWhole ? batch : null;
  } catch {
    return null;
  }
}
