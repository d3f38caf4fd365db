import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { seededRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { expect, onTestFinished, test } from 'vitest';
import { noBallast } from '../../test/no-ballast.ts';
import { openJournal } from './journal.ts';
import { openMeta } from './meta.ts';
import { openOutboxRows } from './outbox-rows.ts';
import { salvageUndelivered } from './salvage.ts';

test('of a damaged journal the batches that can still be read are sent on under their own uids', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'dim-salvage-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const random = seededRandom(1);
  const file = path.join(directory, 'agent.db');
  const journal = openJournal(file, noBallast);
  const rows = openOutboxRows(journal, openMeta(journal));
  for (let i = 0; i < 50; i++) rows.add(ulid(i, random), JSON.stringify([{ n: i, filler: 'x'.repeat(9_000) }]), i);
  const uids = rows.undelivered(0, 100).map(({ uid }) => uid);
  journal.close();

  // A stretch of overflow pages in the middle of the texts.
  const bytes = readFileSync(file);
  bytes.fill(0, Math.floor(bytes.length * 0.5), Math.floor(bytes.length * 0.6));
  writeFileSync(file, bytes);

  const fresh = openJournal(path.join(directory, 'fresh.db'), noBallast);
  onTestFinished(() => fresh.close());
  const freshRows = openOutboxRows(fresh, openMeta(fresh));
  const { saved, found } = salvageUndelivered(file, fresh, freshRows);
  expect(found).toBe(50);
  expect(saved).toBeGreaterThan(20);
  expect(saved).toBeLessThan(50);
  const kept = freshRows.undelivered(0, 100);
  expect(kept).toHaveLength(saved);
  for (const { uid, records } of kept) expect(JSON.parse(records)[0].n).toBe(uids.indexOf(uid));
});

test('of a file that is no database nothing is saved, and nothing is thrown', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'dim-salvage-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(path.join(directory, 'noise'), 'x'.repeat(100_000));
  const fresh = openJournal(path.join(directory, 'fresh.db'), noBallast);
  onTestFinished(() => fresh.close());
  const rows = openOutboxRows(fresh, openMeta(fresh));
  expect(salvageUndelivered(path.join(directory, 'noise'), fresh, rows)).toEqual({ saved: 0, found: 0 });
});

test('on a disk that fills up meanwhile the oldest batches are saved, and it is said how many there were', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'dim-salvage-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const random = seededRandom(1);
  const file = path.join(directory, 'agent.db');
  const journal = openJournal(file, noBallast);
  const rows = openOutboxRows(journal, openMeta(journal));
  for (let i = 0; i < 20; i++) rows.add(ulid(i, random), '[]', i);
  const uids = rows.undelivered(0, 100).map(({ uid }) => uid);
  journal.close();

  const fresh = openJournal(path.join(directory, 'fresh.db'), noBallast);
  onTestFinished(() => fresh.close());
  const freshRows = openOutboxRows(fresh, openMeta(fresh));
  const { add } = freshRows;
  let room = 7;
  freshRows.add = (...batch) => {
    add(...batch);
    if (room-- === 0) throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  };
  expect(salvageUndelivered(file, fresh, freshRows)).toEqual({ saved: 7, found: 20 });
  expect(freshRows.undelivered(0, 100).map(({ uid }) => uid)).toEqual(uids.slice(0, 7));
});
