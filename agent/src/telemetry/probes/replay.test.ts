import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ManualClock } from '@data-in-motion/shared/clock';
import { isRisky } from '@data-in-motion/shared/domain/assessment';
import type { Reading } from '@data-in-motion/shared/domain/device';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { readingRecord } from '@data-in-motion/shared/protocol/records';
import { afterAll, describe, expect, test } from 'vitest';
import { assessDevice } from '../../predict/assess-device.ts';
import { ReplayProbe, type ReplaySettings } from './replay.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'replay-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const settings: ReplaySettings = {
  source: { kind: 'daily', file: path.resolve(import.meta.dirname, '../../../sample-drives/six-drives.csv') },
  drives: null,
  secondsPerDay: 10,
  startDay: null,
  stateFile: null,
};
const dying = 'st4000dm000-w300dy1n' as DeviceId;
const oldDamage = 'st4000dm000-w300ex5t' as DeviceId;

describe('the sample history', () => {
  test('shows its dying drive at risk days before its last day, and none of the others ever', async () => {
    const clock = new ManualClock();
    const probe = await ReplayProbe.open(settings, clock);
    const devices = await probe.discover();
    expect(devices).toHaveLength(6);
    const histories = new Map<DeviceId, Reading[]>(devices.map((device) => [device.deviceId, []]));
    const firstRisky = new Map<DeviceId, string>();
    const levels = new Map<DeviceId, Set<string>>(devices.map((device) => [device.deviceId, new Set()]));

    for (let day = 0; day < 45; day++) {
      for (const device of devices) {
        const reading = await probe.read(device);
        readingRecord.parse({ type: 'reading', ...reading });
        histories.get(device.deviceId)!.push(reading);
        const { level } = assessDevice(histories.get(device.deviceId)!, clock.nowMs());
        levels.get(device.deviceId)!.add(level);
        if (isRisky(level) && !firstRisky.has(device.deviceId)) firstRisky.set(device.deviceId, reading.recordedDay!);
      }
      await clock.advance(10_000);
    }
    expect([...firstRisky]).toEqual([[dying, '2026-02-04']]);
    const last = histories.get(dying)!.findLast((reading) => reading.status === 'read')!;
    expect(last.recordedDay).toBe('2026-02-15');
    expect(assessDevice(histories.get(dying)!, clock.nowMs()).level).toBe('failing');
    expect(histories.get(dying)!.at(-1)).toMatchObject({ status: 'unreadable', unreadableBecause: 'it stopped answering after 2026-02-15' });
    expect([...levels.get(oldDamage)!]).toEqual(['watch']);
  });
});

describe('a replay', () => {
  test('plays a recorded day in the time it was told, and stands still at the end of a recording without failure', async () => {
    const clock = new ManualClock();
    const probe = await ReplayProbe.open({ ...settings, drives: ['ZX0A4K71'] }, clock);
    const [device] = await probe.discover();
    expect((await probe.read(device!)).recordedDay).toBe('2026-01-05');
    await clock.advance(125_000);
    expect(await probe.read(device!)).toMatchObject({ recordedDay: '2026-01-17', source: 'replay', atMs: clock.nowMs(), smart: { 188: 1 } });
    await clock.advance(10_000_000);
    expect(await probe.read(device!)).toMatchObject({ status: 'read', recordedDay: '2026-02-18' });
  });

  test('goes on where it was after a restart, and begins where it is told without a state', async () => {
    const stateFile = path.join(scratch, 'state/replay.json');
    const clock = new ManualClock();
    const first = await ReplayProbe.open({ ...settings, stateFile, startDay: '2026-01-10' }, clock);
    const [device] = await first.discover();
    expect((await first.read(device!)).recordedDay).toBe('2026-01-10');
    await clock.advance(74_000);
    await first.read(device!);
    await clock.advance(3_600_000);

    const second = await ReplayProbe.open({ ...settings, stateFile, startDay: '2026-01-10' }, clock);
    expect((await second.read(device!)).recordedDay).toBe('2026-01-17');
    await clock.advance(6_100);
    expect((await second.read(device!)).recordedDay).toBe('2026-01-18');
    second.close();
    writeFileSync(stateFile, 'torn');
    const third = await ReplayProbe.open({ ...settings, stateFile, startDay: '2026-01-10' }, clock);
    expect((await third.read(device!)).recordedDay).toBe('2026-01-10');
  });

  test('reads all the same where its place can not be kept', async () => {
    const clock = new ManualClock();
    writeFileSync(path.join(scratch, 'a-file'), '');
    const probe = await ReplayProbe.open({ ...settings, stateFile: path.join(scratch, 'a-file/replay.json'), startDay: '2026-01-10' }, clock);
    const [device] = await probe.discover();
    await clock.advance(20_000);
    expect(await probe.read(device!)).toMatchObject({ status: 'read', recordedDay: '2026-01-12' });
    probe.close();
  });

  test('lets a drive degrade on demand until it is at risk, and recover', async () => {
    const clock = new ManualClock();
    const probe = await ReplayProbe.open(settings, clock);
    const device = (await probe.discover()).find((candidate) => candidate.serial === 'R6H1Q2ZY')!;
    const readings: Reading[] = [];
    const levelAfterADay = async (): Promise<string> => {
      await clock.advance(10_000);
      readings.push(await probe.read(device));
      return assessDevice(readings, clock.nowMs()).level;
    };
    for (let day = 0; day < 3; day++) expect(await levelAfterADay()).toBe('healthy');

    expect(probe.degrade('nobody' as DeviceId, 1)).toBe(false);
    expect(probe.degrade(device.deviceId, 1)).toBe(true);
    expect(await levelAfterADay()).toBe('at-risk');
    for (let day = 0; day < 3; day++) await levelAfterADay();
    expect(assessDevice(readings, clock.nowMs()).level).toBe('failing');
    const signs = readings.at(-1)!.smart;
    for (const attribute of [5, 187, 197, 198]) expect(signs[attribute]).toBeGreaterThan(0);

    expect(probe.restore(device.deviceId)).toBe(true);
    expect(await levelAfterADay()).toBe('healthy');
    expect(probe.restore(device.deviceId)).toBe(false);
  });

  test('refuses a pace of zero, a start that is no date and a recording without the drives', async () => {
    for (const wrong of [{ secondsPerDay: 0 }, { startDay: 'tomorrow' }, { drives: ['nobody'] }]) {
      await expect(ReplayProbe.open({ ...settings, ...wrong }, new ManualClock())).rejects.toMatchObject({ kind: 'refused' });
    }
  });
});
