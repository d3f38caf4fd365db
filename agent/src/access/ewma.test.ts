import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { noBallast } from '../../test/no-ballast.ts';
import { openJournal } from '../journal/journal.ts';
import { EwmaCounter, halfLifeMs } from './ewma.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'ewma-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const photos = 'photos' as DatasetId;
const logs = 'logs' as DatasetId;
const hourMs = 3_600_000;

describe('accesses per hour, exponentially weighted', () => {
  test('of a steady use settle at that use', () => {
    const ewma = new EwmaCounter(null);
    for (let minute = 0; minute < 60 * 96; minute++) ewma.count(photos, 2, minute * 60_000);
    expect(ewma.perHour(photos, 96 * hourMs)).toBeCloseTo(120, 0);
  });

  test('halve every half-life after use has stopped', () => {
    const ewma = new EwmaCounter(null);
    ewma.count(photos, 100, 0);
    const before = ewma.perHour(photos, 0);
    expect(ewma.perHour(photos, halfLifeMs)).toBeCloseTo(before / 2, 9);
    expect(ewma.perHour(logs, 0)).toBe(0);
  });

  test('do not depend on how often one looks, and are never below zero', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1_000), fc.nat(100_000_000)), { minLength: 1, maxLength: 30 }), (events) => {
        const [watched, left] = [new EwmaCounter(null), new EwmaCounter(null)];
        for (const [accesses, atMs] of events) {
          for (const ewma of [watched, left]) ewma.count(photos, accesses, atMs);
          expect(watched.perHour(photos, atMs)).toBeGreaterThanOrEqual(0);
        }
        expect(watched.perHour(photos, 2e8)).toBe(left.perHour(photos, 2e8));
      }),
    );
  });

  test('survive a restart, and of datasets that left are forgotten', () => {
    const file = path.join(scratch, 'journal.db');
    const first = openJournal(file, noBallast);
    const before = new EwmaCounter(first);
    before.count(photos, 50, hourMs);
    before.count(logs, 50, hourMs);
    before.keep([photos]);
    first.close();
    const second = openJournal(file, noBallast);
    const after = new EwmaCounter(second);
    expect(after.perHour(photos, 2 * hourMs)).toBeCloseTo(before.perHour(photos, 2 * hourMs), 9);
    expect(after.perHour(logs, 2 * hourMs)).toBe(0);
    second.close();
  });
});
