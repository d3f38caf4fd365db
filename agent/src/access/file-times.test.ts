import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ManualClock } from '@data-in-motion/shared/clock';
import type { DatasetId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { type AgentRecord, agentRecord, type RecordOf } from '@data-in-motion/shared/protocol/records';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { noBallast } from '../../test/no-ballast.ts';
import { openJournal } from '../journal/journal.ts';
import { atimeOption } from './atime-option.ts';
import { EwmaCounter } from './ewma.ts';
import { type FileTimesWatcher, startFileTimesWatcher } from './file-times.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'file-times-'));
let running: FileTimesWatcher | null = null;
afterEach(async () => running?.stop());
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const startMs = Date.UTC(2026, 0, 1);
const replicaId = '01J000000000000000000000R1' as ReplicaId;
const photos = { datasetId: 'photos' as DatasetId, targetId: 'warm' as TargetId, replicaId };
let made = 0;

/** A replica of three files, all read and written long ago, and a watcher on clocks that the test moves. */
async function watching(
  lastOwnReadAtMs: () => number | null = () => null,
  kernelNowMs?: () => number,
): Promise<{ watcher: FileTimesWatcher; clock: ManualClock; file: (name: string) => string; accesses: () => RecordOf<'access'>[]; told: AgentRecord[] }> {
  const root = path.join(scratch, `target-${made++}`);
  const place = path.join(root, 'photos', replicaId);
  mkdirSync(path.join(place, 'deep'), { recursive: true });
  const file = (name: string): string => path.join(place, name);
  for (const name of ['a', 'b', 'deep/c']) {
    writeFileSync(file(name), 'x'.repeat(100));
    utimesSync(file(name), startMs / 1_000 - 5_000, startMs / 1_000 - 5_000);
  }
  symlinkSync('/etc/hostname', file('link'));
  const clock = new ManualClock(startMs);
  const told: AgentRecord[] = [];
  const tell = (records: readonly AgentRecord[]): void => {
    for (const record of records) agentRecord.parse(record);
    told.push(...records);
  };
  const watcher = startFileTimesWatcher({
    targets: [{ targetId: 'warm', root } as TargetDescription],
    tell,
    ewma: new EwmaCounter(null),
    clock,
    lastOwnReadAtMs,
    kernelNowMs: kernelNowMs ?? (() => clock.nowMs()),
    settings: { mountsFile: '/dev/null' },
  });
  running = watcher;
  watcher.watch([photos]);
  await watcher.lookNow();
  return { watcher, clock, file, accesses: () => told.filter((record): record is RecordOf<'access'> => record.type === 'access'), told };
}

/** As if somebody had read (or written) the file then. */
const touched = (file: string, readMs: number, writtenMs = startMs - 5_000_000): void => utimesSync(file, readMs / 1_000, writtenMs / 1_000);

describe('the file times of a replica', () => {
  test('tell which files were read since the last look, each interval once', async () => {
    const { watcher, clock, file, accesses, told } = await watching();
    expect(accesses()).toEqual([]);
    touched(file('a'), startMs + 10_000);
    touched(file('deep/c'), startMs + 20_000);
    await clock.advance(60_000);
    await watcher.lookNow();
    await watcher.lookNow();
    expect(accesses()).toEqual([
      {
        type: 'access',
        accessId: expect.stringContaining(`${replicaId}-read-`),
        datasetId: 'photos',
        kind: 'read',
        count: 2,
        bytes: 200,
        atMs: startMs + 20_000,
        latencyMs: null,
        source: 'file-times',
      },
    ]);
    const ewma = told.findLast((record) => record.type === 'ewma');
    expect(ewma).toMatchObject({ datasetId: 'photos' });
    expect((ewma as RecordOf<'ewma'>).accessesPerHour).toBeGreaterThan(0.2);
  });

  test('of what was there before the watch are no use of it', async () => {
    const { watcher, clock, file, accesses } = await watching();
    touched(file('a'), startMs - 1_000);
    await clock.advance(60_000);
    await watcher.lookNow();
    expect(accesses()).toEqual([]);
  });

  test('that we made ourselves by verifying are not counted, later ones of others are', async () => {
    const { watcher, clock, file, accesses } = await watching(() => startMs + 30_000);
    touched(file('a'), startMs + 29_000);
    touched(file('b'), startMs + 45_000);
    await clock.advance(60_000);
    await watcher.lookNow();
    expect(accesses()).toMatchObject([{ kind: 'read', count: 1, atMs: startMs + 45_000 }]);
  });

  test('tell of writing too', async () => {
    const { watcher, clock, file, accesses } = await watching();
    touched(file('b'), startMs - 5_000_000, startMs + 5_000);
    await clock.advance(60_000);
    await watcher.lookNow();
    expect(accesses()).toMatchObject([{ kind: 'write', count: 1, bytes: 100, atMs: startMs + 5_000 }]);
  });

  const option = atimeOption(readFileSync('/proc/self/mounts', 'utf8'), scratch);
  if (option === 'never') console.log(`skipped: ${scratch} is mounted with noatime`);
  test.skipIf(option === 'never')('show a real read of a file on this file system', async () => {
    const { watcher, file, accesses } = await watching(() => null, Date.now);
    utimesSync(file('a'), Date.now() / 1_000 - 7_200, Date.now() / 1_000 - 3_600);
    await watcher.lookNow();
    readFileSync(file('a'));
    while (accesses().length === 0) await watcher.lookNow();
    expect(accesses()).toMatchObject([{ kind: 'read', count: 1, bytes: 100 }]);
  });

  test('are left alone when the replica is not watched any more, or is gone', async () => {
    const { watcher, clock, file, accesses } = await watching();
    rmSync(path.dirname(file('a')), { recursive: true });
    await clock.advance(60_000);
    await watcher.lookNow();
    watcher.watch([]);
    await watcher.lookNow();
    expect(accesses()).toEqual([]);
  });

  test('of a run before still count after a restart, although what is to be watched is not known at once', async () => {
    const journal = openJournal(path.join(scratch, 'journal.db'), noBallast);
    const before = new EwmaCounter(journal);
    before.count(photos.datasetId, 50, startMs);
    before.keep([photos.datasetId]);

    const after = new EwmaCounter(journal);
    const told: AgentRecord[] = [];
    const watcher = startFileTimesWatcher({
      targets: [],
      tell: (records) => void told.push(...records),
      ewma: after,
      clock: new ManualClock(startMs),
      lastOwnReadAtMs: () => null,
      kernelNowMs: () => startMs,
      settings: { mountsFile: '/dev/null' },
    });
    running = watcher;
    await watcher.lookNow();
    expect(told).toEqual([]);
    expect(new EwmaCounter(journal).perHour(photos.datasetId, startMs)).toBeCloseTo(before.perHour(photos.datasetId, startMs));
    watcher.watch([photos]);
    await watcher.lookNow();
    expect(told).toContainEqual(expect.objectContaining({ type: 'ewma', accessesPerHour: expect.closeTo(before.perHour(photos.datasetId, startMs), 5) }));
    await watcher.stop();
    journal.close();
  });
});
