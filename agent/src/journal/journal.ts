import { existsSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { Failure } from '@data-in-motion/shared/failure';
import Database from 'better-sqlite3';
import type { Ballast } from './ballast.ts';

/**
 * The SQLite file in which an agent keeps all that must survive a crash. One process owns it; other nouns add their tables by `define`.
 * Whatever is written goes through `define` or `transaction`: these know what to do when the disk is full.
 */
export interface Journal {
  readonly db: Database.Database;
  /** The last process ended without closing the journal: killed, or the power went. */
  readonly uncleanStop: boolean;
  /** Where a damaged journal was kept when this one had to be made anew; null otherwise. */
  readonly movedAsideTo: string | null;
  /**
   * Forward-only tables of one noun: each step runs once in the life of the file, in order, and is never edited afterwards.
   * @throws Failure `refused` when the file was written by a newer program that knows more steps, `exhausted` as `transaction`
   */
  define(noun: string, steps: readonly string[]): void;
  /**
   * One commit that is on the disk when this returns; what `work` throws undoes it. May be nested: the outermost commits.
   * On a full disk the ballast is given back and `work` done once more from its beginning.
   * @throws Failure `exhausted` (`journal.disk-full`) when that was not enough
   */
  transaction<T>(work: () => T): T;
  close(): void;
}

/**
 * Open (or make) the journal at `file` and own it until `close` or the end of the process.
 *
 * Every commit is flushed: WAL with `synchronous=FULL`, set on every open and read back after the first write, because
 * better-sqlite3 is compiled to fall back to NORMAL by itself. Ownership is SQLite's own exclusive lock: the kernel drops it with the process.
 * A file that is damaged is moved aside, never deleted.
 *
 * @param ballast what is given back when the disk under it is full, now or later
 * @throws Failure `refused` (`journal.owned`) when another process, or this one, has it open; `exhausted` (`journal.disk-full`)
 */
export function openJournal(file: string, ballast: Ballast): Journal {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const uncleanStop = isLeftOpen(file);
  const opened = withRoom(ballast, () => openChecked(file, uncleanStop));
  if (opened !== 'damaged') return journalOver(opened, ballast, uncleanStop, null);

  const movedAsideTo = moveAside(file);
  const fresh = withRoom(ballast, () => openChecked(file, false));
  if (fresh === 'damaged') throw new Failure('defect', { code: 'journal.unusable', message: `a fresh journal at ${file} can not be used` });
  return journalOver(fresh, ballast, uncleanStop, movedAsideTo);
}

function journalOver(db: Database.Database, ballast: Ballast, uncleanStop: boolean, movedAsideTo: string | null): Journal {
  const commit = <T>(work: () => T): T => db.transaction(work).immediate();
  // A full disk undoes all that is open, so only the outermost can be done again.
  const transaction = <T>(work: () => T): T => (db.inTransaction ? commit(work) : withRoom(ballast, () => commit(work)));
  return {
    db,
    uncleanStop,
    movedAsideTo,
    define: (noun, steps) => transaction(() => runNewSteps(db, noun, steps)),
    transaction,
    close: () => db.close(),
  };
}

function withRoom<T>(ballast: Ballast, commit: () => T): T {
  try {
    return commit();
  } catch (thrown) {
    if (sqliteCode(thrown) !== 'SQLITE_FULL') throw thrown;
    if (ballast.release()) return withRoom(ballast, commit);
    throw new Failure('exhausted', {
      code: 'journal.disk-full',
      message: 'the disk that holds the state directory is full: nothing can be written down',
      hint: 'free some space there; nothing that was accepted is lost',
      cause: thrown,
    });
  }
}

function runNewSteps(db: Database.Database, noun: string, steps: readonly string[]): void {
  const row = db.prepare('select done from journal_nouns where noun = ?').get(noun) as { done: number } | undefined;
  const done = row?.done ?? 0;
  if (done > steps.length) {
    throw new Failure('refused', {
      code: 'journal.newer',
      message: `the journal's "${noun}" tables were written by a newer agent (${done} steps, this one knows ${steps.length})`,
      hint: 'start the newer agent again, or enrol this node with an empty state directory',
    });
  }
  for (const statement of steps.slice(done)) db.exec(statement);
  db.prepare('insert into journal_nouns (noun, done) values (?, ?) on conflict (noun) do update set done = excluded.done').run(noun, steps.length);
}

/** A journal that was closed properly has no write-ahead log beside it. */
function isLeftOpen(file: string): boolean {
  return existsSync(file) && existsSync(`${file}-wal`);
}

function openChecked(file: string, deepCheck: boolean): Database.Database | 'damaged' {
  const db = new Database(file, { timeout: 200 });
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    // A small page cache: an agent at rest should weigh little.
    db.pragma('cache_size = -500');
    if (deepCheck && db.pragma('quick_check(1)', { simple: true }) !== 'ok') {
      db.close();
      return 'damaged';
    }
    db.exec('create table if not exists journal_nouns (noun text primary key, done integer not null) strict');
    db.exec('create table if not exists journal_opens (id integer primary key check (id = 1), opens integer not null) strict');
    db.exec('insert into journal_opens values (1, 1) on conflict (id) do update set opens = opens + 1');
    assertDurable(db);
    return db;
  } catch (thrown) {
    db.close();
    if (isDamage(thrown)) return 'damaged';
    if (sqliteCode(thrown).startsWith('SQLITE_BUSY')) {
      throw new Failure('refused', {
        code: 'journal.owned',
        message: `another process owns the state directory ${path.dirname(file)}`,
        hint: 'one agent per state directory: stop the other one, or give this one its own',
        cause: thrown,
      });
    }
    throw thrown;
  }
}

function assertDurable(db: Database.Database): void {
  const synchronous = db.pragma('synchronous', { simple: true });
  const mode = db.pragma('journal_mode', { simple: true });
  if (synchronous !== 2 || mode !== 'wal') {
    throw new Failure('defect', {
      code: 'journal.not-durable',
      message: `SQLite runs with synchronous=${synchronous}, journal_mode=${mode}; commits would not survive a power cut`,
    });
  }
  const version = db.prepare('select sqlite_version() as version').get() as { version: string };
  if (!isAtLeast(version.version, [3, 51, 3])) {
    // 3.7.0 to 3.51.2 can corrupt a database when its write-ahead log is reset (sqlite.org, release notes of 3.51.3).
    throw new Failure('defect', { code: 'journal.sqlite-too-old', message: `SQLite ${version.version} has the WAL-reset bug; 3.51.3 or newer is needed` });
  }
}

function isAtLeast(version: string, wanted: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  for (const [i, want] of wanted.entries()) {
    const have = parts[i] ?? 0;
    if (have !== want) return have > want;
  }
  return true;
}

function moveAside(file: string): string {
  let n = 1;
  while (existsSync(`${file}.damaged-${n}`)) n++;
  const kept = `${file}.damaged-${n}`;
  for (const tail of ['', '-wal', '-shm']) if (existsSync(file + tail)) renameSync(file + tail, kept + tail);
  return kept;
}

function isDamage(thrown: unknown): boolean {
  const code = sqliteCode(thrown);
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
}

/** `SQLITE_FULL`, `SQLITE_BUSY` …; empty for what SQLite did not throw. */
function sqliteCode(thrown: unknown): string {
  const code = thrown instanceof Error ? (thrown as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}
