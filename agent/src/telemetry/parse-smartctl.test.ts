import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { deviceSeen, readingRecord } from '@data-in-motion/shared/protocol/records';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assessDevice } from '../predict/assess-device.ts';
import { parseSmartctl } from './parse-smartctl.ts';
import { exitBit, exitStatusBits } from './smartctl-output.ts';

const own = path.join(import.meta.dirname, 'testdata');
const real = path.resolve(import.meta.dirname, '../../../../shared/data/fixtures');
const fixture = (name: string): string => readFileSync(path.join(own, name), 'utf8');
const nowMs = Date.UTC(2026, 0, 1);

describe('the output of smartctl', () => {
  test('of a hard drive becomes its identity, its counts unpacked, and what its exit status says', () => {
    const { identity, values, remarks } = parseSmartctl(fixture('smartctl-hdd.json'));
    expect(identity).toEqual({
      deviceId: 'example-st4000-ex4m9l3a',
      serial: 'EX4M9L3A',
      model: 'EXAMPLE ST4000',
      kind: 'hdd',
      transport: 'ata',
      capacityBytes: 4_000_787_030_016,
      firmware: 'EX01',
      path: '/dev/sda',
    });
    expect(values).toEqual({
      status: 'read',
      unreadableBecause: null,
      selfAssessmentPassed: true,
      temperatureCelsius: 33,
      powerOnHours: 20_114,
      smart: { 5: 0, 9: 20_114, 188: 1, 197: 8 },
      nvme: null,
    });
    expect(remarks).toEqual(['the error log holds errors']);
  });

  test.each([
    ['a sleeping disk', 'smartctl-standby.json', 'asleep', 'STANDBY'],
    ['a device without permission', 'smartctl-no-permission.json', 'unreadable', 'no permission'],
    ['a drive behind a bridge that hides it', 'smartctl-usb-bridge.json', 'unreadable', 'its USB bridge passes no SMART commands on'],
  ])('of %s says so and carries no values', (_, file, status, because) => {
    const { values } = parseSmartctl(fixture(file));
    expect(values).toMatchObject({ status, selfAssessmentPassed: null, smart: {}, nvme: null });
    expect(values.unreadableBecause).toContain(because);
  });

  test('has an exit status whose health bits stand over the words of the drive', () => {
    for (const [status, passed] of [
      [0, true],
      [8, false],
      [16, false],
      [4 + 32 + 64 + 128, true],
    ] as const) {
      expect(parseSmartctl(fixture('smartctl-hdd.json'), status).values.selfAssessmentPassed).toBe(passed);
    }
    expect(exitStatusBits.map(({ bit }) => bit)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(parseSmartctl(fixture('smartctl-hdd.json'), 0b1111_1100).remarks).toHaveLength(6);
    expect([exitBit(216, 3), exitBit(216, 5), exitBit(216, 7)]).toEqual([true, false, true]);
  });

  test('that is no JSON, or none of its own, is unreadable and not an exception', () => {
    for (const output of ['', 'smartctl 6.5', '[]', 'null', '{}', '{"smartctl":7}', '{"smartctl":{"exit_status":"x"},"device":[]}']) {
      const { identity, values } = parseSmartctl(output, 1);
      expect(identity).toBeNull();
      expect(values.status).toBe('unreadable');
      expect(values.unreadableBecause).not.toBe('');
    }
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(parseSmartctl(json).values.status).toBe('unreadable');
      }),
    );
  });

  test('with parts of the wrong shape keeps the parts that are right', () => {
    const said = JSON.parse(fixture('smartctl-hdd.json'));
    for (const part of Object.keys(said).filter((key) => key !== 'smartctl')) {
      for (const nonsense of [null, 'x', -1, [], {}, 1e300]) {
        const { values } = parseSmartctl(JSON.stringify({ ...said, [part]: nonsense }));
        readingRecord.parse({ type: 'reading', deviceId: 'd', atMs: nowMs, recordedDay: null, source: 'smartctl', ...values });
      }
    }
  });
});

const folders = ['smartctl-json', 'smartctl-json-scrutiny'].map((folder) => path.join(real, folder));
const present = folders.every((folder) => existsSync(folder));
if (!present) console.log(`skipped: real smartctl outputs are not at ${real}`);

describe.skipIf(!present)('real outputs of smartctl', () => {
  const files = present ? folders.flatMap((folder) => readdirSync(folder).map((name) => path.join(folder, name))) : [];

  test('all become a reading or say why not, can be sent, and can be judged', () => {
    const seen = { read: 0, asleep: 0, unreadable: 0 };
    expect(files.length).toBeGreaterThan(150);
    for (const file of files) {
      const { identity, values } = parseSmartctl(readFileSync(file, 'utf8'));
      seen[values.status] += 1;
      expect(values.status === 'read', file).toBe(values.unreadableBecause === null);
      const reading = { deviceId: identity?.deviceId ?? ('nameless' as never), atMs: nowMs, recordedDay: null, source: 'smartctl' as const, ...values };
      expect(readingRecord.safeParse({ type: 'reading', ...reading }).error, file).toBeUndefined();
      if (identity !== null) expect(deviceSeen.safeParse({ type: 'device-seen', ...identity }).error, file).toBeUndefined();
      expect(JSON.stringify(values), file).not.toContain('NaN');
      expect(assessDevice([reading], nowMs).level === 'unknown', file).toBe(values.status !== 'read');
    }
    // Not read: three scans, three requests of another program, three plain identifications, an open that failed, a RAID volume.
    expect(seen).toEqual({ read: files.length - 11, asleep: 0, unreadable: 11 });
  });

  test.each([
    ['a drive that gave up', 'smartctl-json-scrutiny/smart-fail2.json', 'failing'],
    ['an NVMe drive whose volatile memory lost its backup', 'smartctl-json/nvme-null-SAMSUNG_MZWLL3T2HAJQ-00005-nvme0.json', 'at-risk'],
    ['an NVMe drive with seven media errors', 'smartctl-json-scrutiny/smart-nvme-failed.json', 'watch'],
    ['a drive with twelve packed time-outs', 'smartctl-json/sat-Seagate_Exos_X16-ST16000NM001G-2KK103-sda.json', 'watch'],
    ['a drive behind a RAID controller with old damage', 'smartctl-json-scrutiny/smart-megaraid1.json', 'watch'],
    ['a healthy SAS drive', 'smartctl-json/HITACHI_H109060SESUN600G_9.json', 'healthy'],
  ])('of %s are judged as they should', (_, file, level) => {
    const { identity, values } = parseSmartctl(readFileSync(path.join(real, file), 'utf8'));
    expect(assessDevice([{ deviceId: identity!.deviceId, atMs: nowMs, recordedDay: null, source: 'smartctl', ...values }], nowMs).level).toBe(level);
  });

  test('of a volume of a RAID controller say that the drives are hidden', () => {
    const { values } = parseSmartctl(readFileSync(path.join(real, 'smartctl-json-scrutiny/smart-raid.json'), 'utf8'));
    expect(values.unreadableBecause).toContain('the drives behind it are hidden');
  });
});
