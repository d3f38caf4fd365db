import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noBallast } from '../../test/no-ballast.ts';
import { openJournal } from './journal.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'dim-journal-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));
const file = (): string => path.join(directory, 'agent.db');

test('every open runs with full flushing and a write-ahead log, the second as the first', () => {
  for (let i = 0; i < 2; i++) {
    const journal = openJournal(file(), noBallast);
    journal.define('things', ['create table things (n integer) strict']);
    journal.db.exec('insert into things values (1)');
    expect(journal.db.pragma('synchronous', { simple: true })).toBe(2);
    expect(journal.db.pragma('journal_mode', { simple: true })).toBe('wal');
    journal.close();
  }
});

test('a step of a noun runs once in the life of the file, and new steps are added', () => {
  const first = openJournal(file(), noBallast);
  first.define('things', ['create table things (n integer) strict']);
  first.define('things', ['create table things (n integer) strict']);
  first.close();
  const second = openJournal(file(), noBallast);
  second.define('things', ['create table things (n integer) strict', 'alter table things add column name text']);
  second.db.exec("insert into things (n, name) values (1, 'a')");
  expect(() => second.define('things', ['create table things (n integer) strict'])).toThrow(/newer agent/);
  second.close();
});

test('a step that fails leaves none of its noun behind', () => {
  const journal = openJournal(file(), noBallast);
  expect(() => journal.define('things', ['create table things (n integer) strict', 'create nonsense'])).toThrow();
  journal.define('things', ['create table things (n integer) strict']);
  journal.close();
});

test('a second owner is refused while the first lives, and let in after it', () => {
  const journal = openJournal(file(), noBallast);
  expect(() => openJournal(file(), noBallast)).toThrow(/another process owns/);
  const other = inChild("try { open(); console.log('opened'); } catch (e) { console.log(e.code); }");
  expect(other.stdout).toContain('journal.owned');
  journal.close();
  openJournal(file(), noBallast).close();
});

/** Do something in a process of its own, where `open()` opens this journal. */
function inChild(work: string) {
  const program = `Promise.all([import(process.env.MODULE), import(process.env.BALLAST)]).then(([{ openJournal }, { noBallast }]) => {
    const open = () => openJournal(process.env.JOURNAL, noBallast);
    ${work}
  });`;
  const MODULE = path.join(import.meta.dirname, 'journal.ts');
  const BALLAST = path.join(import.meta.dirname, '../../test/no-ballast.ts');
  return spawnSync(process.execPath, ['-e', program], { env: { ...process.env, JOURNAL: file(), MODULE, BALLAST }, encoding: 'utf8' });
}

test('a journal whose process was killed opens with its rows and says that the stop was not clean', () => {
  const child = inChild(`
    const journal = open();
    journal.define('things', ['create table things (n integer) strict']);
    journal.db.exec('insert into things values (7)');
    process.kill(process.pid, 'SIGKILL');
  `);
  expect(child.signal).toBe('SIGKILL');
  const journal = openJournal(file(), noBallast);
  expect(journal.uncleanStop).toBe(true);
  expect(journal.db.prepare('select n from things').get()).toEqual({ n: 7 });
  journal.close();
});

test('a damaged journal is kept beside a fresh one', () => {
  const journal = openJournal(file(), noBallast);
  journal.define('things', ['create table things (n integer, filler text) strict']);
  const insert = journal.db.prepare('insert into things values (?, ?)');
  journal.transaction(() => {
    for (let i = 0; i < 2_000; i++) insert.run(i, 'x'.repeat(200));
  });
  journal.close();
  const bytes = readFileSync(file());
  bytes.fill(0xff, 4_096, bytes.length);
  writeFileSync(file(), bytes);
  cpSync(file(), `${file()}-wal`); // as an unclean stop leaves one behind
  const fresh = openJournal(file(), noBallast);
  expect(fresh.movedAsideTo).not.toBeNull();
  expect(existsSync(fresh.movedAsideTo ?? '')).toBe(true);
  fresh.define('things', ['create table things (n integer) strict']);
  fresh.close();
});

test('a file that is no database at all is kept beside a fresh journal', () => {
  writeFileSync(file(), 'not a database '.repeat(1_000));
  const fresh = openJournal(file(), noBallast);
  expect(readFileSync(fresh.movedAsideTo ?? '', 'utf8')).toMatch(/^not a database/);
  fresh.close();
});

test('what a transaction throws undoes it', () => {
  const journal = openJournal(file(), noBallast);
  journal.define('things', ['create table things (n integer) strict']);
  expect(() =>
    journal.transaction(() => {
      journal.db.exec('insert into things values (1)');
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(journal.db.prepare('select count(*) as n from things').get()).toEqual({ n: 0 });
  journal.close();
});
