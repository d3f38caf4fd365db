import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import { deviceSeen, readingRecord } from '@data-in-motion/shared/protocol/records';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assessDevice } from '../predict/assess-device.ts';
import { smallModel } from '../predict/testdata/small-model.ts';
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

/** The output of a device that answers, in the smallest form that counts. */
const output = (said: object): string => JSON.stringify({ smartctl: { exit_status: 0 }, serial_number: 'S1', smart_status: { passed: true }, ...said });
const silentOutput = (device: object, message = ''): string =>
  JSON.stringify({ smartctl: { exit_status: 0, messages: message === '' ? [] : [{ string: message, severity: 'error' }] }, device });

describe('what stands in the logs of a drive', () => {
  const ata = { device: { name: '/dev/sda', type: 'sat', protocol: 'ATA' }, model_name: 'ST4000DM000' };
  const ended = (value: number, string: string) => ({ result: { value, string }, power_on_time: { hours: 1_200 } });

  test.each<[string, object, string[]]>([
    ['of a drive without a self-test are no remark', { ...ata, ata_smart_self_test_log: { standard: { count: 0 } } }, []],
    [
      'of an ATA drive whose newest self-test failed tell so, and count its errors',
      {
        ...ata,
        ata_smart_error_log: { summary: { count: 1_056 } },
        ata_smart_self_test_log: {
          extended: {
            table: [
              { status: { value: 25, string: 'Aborted by host' }, lifetime_hours: 20_002 },
              { status: { value: 121, string: 'Completed: read failure', passed: false }, lifetime_hours: 20_001 },
              { status: { value: 0, string: 'Completed without error', passed: true }, lifetime_hours: 19_000 },
            ],
          },
        },
      },
      ['errors that the drive has logged in its life: 1,056', 'the newest self-test failed: Completed: read failure, at 20,001 hours of operation'],
    ],
    [
      'of an ATA drive that passed after it had failed are no remark',
      { ...ata, ata_smart_self_test_log: { standard: { table: [{ status: { passed: true } }, { status: { passed: false } }] } } },
      [],
    ],
    [
      'of a SAS drive whose newest ended self-test failed tell so',
      { device: { protocol: 'SCSI' }, scsi_self_test_0: ended(2, 'Aborted'), scsi_self_test_1: ended(6, 'Failed in segment') },
      ['the newest self-test failed: Failed in segment, at 1,200 hours of operation'],
    ],
    [
      'of an NVMe drive whose newest self-test failed tell so',
      { device: { protocol: 'NVMe' }, nvme_self_test_log: { table: [{ self_test_result: { value: 7, string: 'Completed: failed segments' } }] } },
      ['the newest self-test failed: Completed: failed segments'],
    ],
  ])('%s', (_, said, remarks) => {
    expect(parseSmartctl(output(said)).remarks).toEqual(remarks);
  });
});

describe('a drive that can not be asked', () => {
  test.each([
    ['behind a bridge for ATA', silentOutput({ type: 'usbjmicron', protocol: 'ATA' }), 'its USB bridge passes no SMART commands on'],
    ['behind a bridge for NVMe', silentOutput({ type: 'sntasmedia', protocol: 'NVMe' }), 'its USB bridge passes no SMART commands on'],
    ['behind a bridge that only shows in its name', silentOutput({ type: 'scsi', info_name: '/dev/sdb [USB Generic]' }), 'its USB bridge'],
    [
      'behind a RAID controller',
      silentOutput({ type: 'scsi' }, "Smartctl open device: /dev/sda failed: DELL or MegaRaid controller, please try adding '-d megaraid,N'"),
      'it is hidden behind a RAID controller: ',
    ],
  ])('%s says so', (_, said, because) => {
    expect(parseSmartctl(said).values.unreadableBecause).toContain(because);
  });
});

const folders = ['smartctl-json', 'smartctl-json-scrutiny'].map((folder) => path.join(real, folder));
const present = folders.every((folder) => existsSync(folder));
if (!present) console.log(`skipped: real smartctl outputs are not at ${real}`);

describe.skipIf(!present)('real outputs of smartctl', () => {
  const files = present ? folders.flatMap((folder) => readdirSync(folder).map((name) => path.join(folder, name))) : [];

  test('all become a reading or say why not, can be sent, and can be judged', () => {
    const model = new FailureJudge(smallModel);
    let judgedByModel = 0;
    const seen = { read: 0, asleep: 0, unreadable: 0 };
    expect(files.length).toBeGreaterThan(150);
    for (const file of files) {
      const { identity, values, remarks } = parseSmartctl(readFileSync(file, 'utf8'));
      seen[values.status] += 1;
      expect(values.status === 'read', file).toBe(values.unreadableBecause === null);
      const reading = { deviceId: identity?.deviceId ?? ('nameless' as never), atMs: nowMs, recordedDay: null, source: 'smartctl' as const, ...values };
      expect(readingRecord.safeParse({ type: 'reading', ...reading }).error, file).toBeUndefined();
      if (identity !== null) expect(deviceSeen.safeParse({ type: 'device-seen', ...identity }).error, file).toBeUndefined();
      expect(values.unreadableBecause, file).not.toBe('');
      for (const count of Object.values(values.smart)) expect(count, file).toSatisfy(Number.isFinite);
      for (const remark of remarks) expect(remark, file).not.toMatch(/NaN|undefined|null/);
      expect(assessDevice([reading], nowMs).level === 'unknown', file).toBe(values.status !== 'read');
      const byModel = assessDevice([reading], nowMs, { device: identity, model });
      expect(JSON.stringify(byModel), file).not.toMatch(/NaN|undefined/);
      if (identity?.kind === 'hdd' && byModel.judge.kind === 'model') judgedByModel += 1;
      expect(identity?.kind !== 'hdd' && byModel.judge.kind === 'model', file).toBe(false);
    }
    expect(judgedByModel).toBeGreaterThan(60);
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

  test('of a SAS drive count its grown defects and uncorrected errors, and of a Seagate drive the errors and not the operations', () => {
    const read = (file: string) => parseSmartctl(readFileSync(path.join(real, file), 'utf8'));
    expect(read('smartctl-json-scrutiny/smart-scsi.json').values.smart).toMatchObject({ 5: 56, 187: 0 });
    expect(read('smartctl-json/ST3500418AS_12.json').values.smart).toMatchObject({ 1: 0, 7: 2_988, 195: 0, 240: 122_811 });
    expect(read('smartctl-json-scrutiny/smart-fail2.json').remarks).toContain('errors that the drive has logged in its life: 56');
  });

  test('of a volume of a RAID controller say that the drives are hidden', () => {
    const { values } = parseSmartctl(readFileSync(path.join(real, 'smartctl-json-scrutiny/smart-raid.json'), 'utf8'));
    expect(values.unreadableBecause).toContain('the drives behind it are hidden');
  });
});
