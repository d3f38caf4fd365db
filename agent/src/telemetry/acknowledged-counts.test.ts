import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { afterAll, describe, expect, test } from 'vitest';
import { noBallast } from '../../test/no-ballast.ts';
import { openJournal } from '../journal/journal.ts';
import { AcknowledgedCounts } from './acknowledged-counts.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'acknowledged-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const disk = 'disk' as DeviceId;
const list = [{ deviceId: disk, counts: { 'smart.197': 12 }, atMs: 1_000 }];

describe('what a person acknowledged of the drives of a host', () => {
  test('is known at the next start, before the bus is there', () => {
    const file = path.join(scratch, 'journal.db');
    const first = openJournal(file, noBallast);
    const before = new AcknowledgedCounts(first);
    expect(before.of(disk)).toBeNull();
    before.take(list);
    first.close();

    const second = openJournal(file, noBallast);
    expect(new AcknowledgedCounts(second).of(disk)).toEqual({ counts: { 'smart.197': 12 }, atMs: 1_000 });
    second.db.prepare("UPDATE acknowledged_counts SET list = 'torn'").run();
    const damaged = new AcknowledgedCounts(second);
    expect(damaged.of(disk)).toBeNull();
    damaged.take(list);
    expect(new AcknowledgedCounts(second).of(disk)).not.toBeNull();
    second.close();
  });

  test('is the whole list: what is not in it any more is taken back', () => {
    const counts = new AcknowledgedCounts(null);
    counts.take(list);
    expect(counts.of(disk)).not.toBeNull();
    counts.take([]);
    expect(counts.of(disk)).toBeNull();
  });
});
