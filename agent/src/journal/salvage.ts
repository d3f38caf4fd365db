import Database from 'better-sqlite3';
import type { Journal } from './journal.ts';
import type { OutboxRows } from './outbox-rows.ts';

interface SavedBatch {
  readonly uid: string;
  readonly sealed_at_ms: number;
  readonly records: string;
}

/**
 * Take over what can still be read of the undelivered batches of a damaged journal, oldest first, uids unchanged: what was stored already is then known there.
 *
 * @param damagedFile kept as it is
 * @returns how many batches were saved; 0 when nothing in the file can be read
 */
export function salvageUndelivered(damagedFile: string, journal: Journal, rows: OutboxRows): number {
  let damaged: Database.Database | undefined;
  try {
    damaged = new Database(damagedFile, { readonly: true });
    const positions = damaged.prepare("select position from outbox where state <> 'durable' order by position").pluck().all() as number[];
    const select = damaged.prepare('select uid, sealed_at_ms, records from outbox join outbox_records using (position) where position = ?');
    const saved = positions.flatMap((position) => readBatch(select, position));
    journal.transaction(() => {
      for (const batch of saved) rows.add(batch.uid, batch.records, batch.sealed_at_ms);
    });
    return saved.length;
  } catch {
    // The list itself can not be read: the file stays for whoever has better tools.
    return 0;
  } finally {
    damaged?.close();
  }
}

/** None when its pages are damaged, or what they hold is no list of records any more. */
function readBatch(select: Database.Statement, position: number): SavedBatch[] {
  try {
    const batch = select.get(position) as SavedBatch | undefined;
    return batch !== undefined && Array.isArray(JSON.parse(batch.records)) ? [batch] : [];
  } catch {
    return [];
  }
}
