import Database from 'better-sqlite3';
import type { Journal } from '../../src/journal/journal.ts';

/** Everything in a journal, as a disk or machine snapshot would keep it. */
export type Snapshot = ReadonlyMap<string, readonly Record<string, unknown>[]>;

/** A journal without a disk: commits are as atomic as the real one's, a snapshot can be put back, and a commit can be cut short. */
export interface MemoryJournal extends Journal {
  snapshot(): Snapshot;
  restore(snapshot: Snapshot): void;
  /** The next commit is lost and throws `PowerCut`, as when the process dies in it. */
  cutNextCommit(): void;
}

export class PowerCut extends Error {}

const tables = ['agent_memory', 'outbox', 'outbox_records', 'sqlite_sequence'];

export function memoryJournal(): MemoryJournal {
  const db = new Database(':memory:');
  db.pragma('foreign_keys = ON');
  const known = new Map<string, number>();
  let cut = false;
  const transaction = <T>(work: () => T): T =>
    db
      .transaction(() => {
        const result = work();
        if (!cut) return result;
        cut = false;
        throw new PowerCut('the process died before the commit');
      })
      .immediate();
  return {
    db,
    uncleanStop: false,
    movedAsideTo: null,
    define(noun, steps) {
      for (const step of steps.slice(known.get(noun) ?? 0)) db.exec(step);
      known.set(noun, steps.length);
    },
    transaction,
    close: () => db.close(),
    snapshot: () => new Map(tables.map((table) => [table, db.prepare(`select * from ${table}`).all() as Record<string, unknown>[]])),
    restore(snapshot) {
      db.transaction(() => {
        for (const table of [...tables].reverse()) db.exec(`delete from ${table}`);
        for (const [table, rows] of snapshot) {
          for (const row of rows)
            db.prepare(
              `insert into ${table} values (${Object.keys(row)
                .map(() => '?')
                .join(', ')})`,
            ).run(...Object.values(row));
        }
      })();
    },
    cutNextCommit() {
      cut = true;
    },
  };
}
