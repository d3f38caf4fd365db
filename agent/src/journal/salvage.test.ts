import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { seededRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { expect, onTestFinished, test } from 'vitest';
import { noBallast } from '../../test/no-ballast.ts';
import { type Journal, openJournal } from './journal.ts';
import { openMeta } from './meta.ts';
import { type OutboxRows, openOutboxRows } from './outbox-rows.ts';
import { salvageUndelivered } from './salvage.ts';

function emptyDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'dim-salvage-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** The journal of an agent that ended with so many batches undelivered: its file, and their uids from the oldest on. */
function ended(directory: string, batches: number, records: (i: number) => unknown[]): { file: string; uids: string[] } {
  const random = seededRandom(1);
  const file = path.join(directory, 'agent.db');
  const journal = openJournal(file, noBallast);
  const rows = openOutboxRows(journal, openMeta(journal));
  for (let i = 0; i < batches; i++) rows.add(ulid(i, random), JSON.stringify(records(i)), i);
  const uids = rows.undelivered(0, 100).map(({ uid }) => uid);
  journal.close();
  return { file, uids };
}

/** The journal that takes its place. */
function begun(directory: string): { journal: Journal; rows: OutboxRows } {
  const journal = openJournal(path.join(directory, 'fresh.db'), noBallast);
  onTestFinished(() => journal.close());
  return { journal, rows: openOutboxRows(journal, openMeta(journal)) };
}

test('of a damaged journal the batches that can still be read are sent on under their own uids', () => {
  const directory = emptyDirectory();
  const { file, uids } = ended(directory, 50, (n) => [{ n, filler: 'x'.repeat(9_000) }]);

  // A stretch of overflow pages in the middle of the texts.
  const bytes = readFileSync(file);
  bytes.fill(0, Math.floor(bytes.length * 0.5), Math.floor(bytes.length * 0.6));
  writeFileSync(file, bytes);

  const { journal, rows } = begun(directory);
  const { saved, found } = salvageUndelivered(file, journal, rows);
  expect(found).toBe(50);
  expect(saved).toBeGreaterThan(20);
  expect(saved).toBeLessThan(50);
  const kept = rows.undelivered(0, 100);
  expect(kept).toHaveLength(saved);
  for (const { uid, records } of kept) expect(JSON.parse(records)[0].n).toBe(uids.indexOf(uid));
});

test('of a file that is no database nothing is saved, and nothing is thrown', () => {
  const directory = emptyDirectory();
  writeFileSync(path.join(directory, 'noise'), 'x'.repeat(100_000));
  const { journal, rows } = begun(directory);
  expect(salvageUndelivered(path.join(directory, 'noise'), journal, rows)).toEqual({ saved: 0, found: 0 });
});

test('on a disk that fills up meanwhile the oldest batches are saved, and it is said how many there were', () => {
  const directory = emptyDirectory();
  const { file, uids } = ended(directory, 20, () => []);
  const { journal, rows } = begun(directory);
  const { add } = rows;
  let room = 7;
  rows.add = (...batch) => {
    add(...batch);
    if (room-- === 0) throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  };
  expect(salvageUndelivered(file, journal, rows)).toEqual({ saved: 7, found: 20 });
  expect(rows.undelivered(0, 100).map(({ uid }) => uid)).toEqual(uids.slice(0, 7));
});
