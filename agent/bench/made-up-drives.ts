import fs from 'node:fs';
import path from 'node:path';
import { deviceIdOf } from '@data-in-motion/shared/domain/ids';
import { seededRandom } from '@data-in-motion/shared/random';
import { openJournal } from '../src/journal/journal.ts';
import { ReadingHistory } from '../src/telemetry/reading-history.ts';
import { MadeUpSysfs, scsiFiles } from '../src/telemetry/testdata/made-up-sysfs.ts';
import { noBallast } from '../test/no-ballast.ts';
import { daysKept, pointsOfDrive } from './bench-model.ts';

const dayMs = 86_400_000;
const model = 'EXAMPLE ST4000';
const serialOf = (drive: number): string => `EX${drive}`;

/** Drives that answer through a stand-in for smartctl, a process for each question as in earnest, and have their counters in a sysfs of their own. */
export class MadeUpDrives {
  readonly smartctl: string;
  readonly sysfs: string;
  readonly #home: string;

  constructor(home: string, drives: number) {
    this.#home = home;
    const names = Array.from({ length: drives }, (_, i) => `sd${i}`);
    const sysfs = new MadeUpSysfs(path.join(home, 'sys'));
    this.sysfs = sysfs.root;
    fs.writeFileSync(path.join(home, 'scan.json'), JSON.stringify({ devices: names.map((name) => ({ name: `/dev/${name}`, type: 'sat', protocol: 'ATA' })) }));
    for (const [i, name] of names.entries()) {
      fs.writeFileSync(path.join(home, name), longAnswer(serialOf(i)));
      sysfs.drive(name, scsiFiles('126552 811 1657779 88211 11822 4011 98761 40122 0 61220 128333 0 0 0 0 410 2201', { errors: 12 + i }));
    }
    this.smartctl = path.join(home, 'smartctl');
    fs.writeFileSync(
      this.smartctl,
      `#!/bin/sh
[ "$1" = --scan-open ] && exec cat ${home}/scan.json
for path; do :; done
[ "$path" = /dev/${names.at(-1)} ] && [ -e ${home}/hang ] && exec sleep 600
exec cat ${home}/\${path##*/}
`,
      { mode: 0o755 },
    );
  }

  /** From now on the last drive does not answer. */
  hang(): void {
    fs.writeFileSync(path.join(this.#home, 'hang'), '');
  }
}

/** Two years of readings of each drive, in the journal of an agent that is not running. */
export function plantHistories(stateDirectory: string, drives: number): void {
  fs.mkdirSync(stateDirectory, { recursive: true });
  const journal = openJournal(path.join(stateDirectory, 'agent.db'), noBallast);
  const history = new ReadingHistory(journal);
  const random = seededRandom(3);
  const today = Math.floor(Date.now() / dayMs) - 1;
  for (let drive = 0; drive < drives; drive++) {
    const deviceId = deviceIdOf(model, serialOf(drive));
    for (const { day, smart } of pointsOfDrive(random, daysKept(today))) {
      const nothingElse = { unreadableBecause: null, recordedDay: null, temperatureCelsius: 30, nvme: null, selfAssessmentPassed: true };
      history.add({ deviceId, atMs: day * dayMs, source: 'smartctl', status: 'read', powerOnHours: 20_114 - (today - day) * 24, smart, ...nothingElse });
    }
  }
  history.write();
  journal.close();
}

/** What smartctl prints of a drive with all its attributes and logs, some 14 kB without spaces, as it is asked; the agent needs a small part of it. */
function longAnswer(serial: string): string {
  const flags = {
    value: 50,
    string: 'PO--CK ',
    prefailure: true,
    updated_online: true,
    performance: false,
    error_rate: false,
    event_count: true,
    auto_keep: true,
  };
  const attributes = [1, 3, 4, 5, 7, 9, 10, 12, 183, 184, 187, 188, 189, 190, 191, 192, 193, 194, 195, 197, 198, 199, 240, 241, 242].map((id) => ({
    ...{ id, name: `Attribute_${id}`, value: 100, worst: 100, thresh: 6, when_failed: '', flags },
    raw: { value: id === 9 ? 20_114 : 0, string: id === 9 ? '20114' : '0' },
  }));
  const command = {
    powerup_milliseconds: 2_142_223,
    command_name: 'READ FPDMA QUEUED',
    registers: { command: 96, features: 0, count: 1, lba: 268_435_455, device: 64 },
  };
  const error = {
    error_number: 1,
    lifetime_hours: 11_212,
    error_description: 'Error: UNC at LBA = 0x0fffffff = 268435455',
    previous_commands: Array(5).fill(command),
  };
  const test = { type: { value: 1, string: 'Short offline' }, status: { value: 0, string: 'Completed without error', passed: true }, lifetime_hours: 20_003 };
  return JSON.stringify({
    json_format_version: [1, 0],
    smartctl: { version: [7, 4], exit_status: 0, messages: [] },
    device: { name: '/dev/sda', info_name: '/dev/sda [SAT]', type: 'sat', protocol: 'ATA' },
    ...{
      model_name: model,
      serial_number: serial,
      firmware_version: 'SC60',
      rotation_rate: 5_900,
      user_capacity: { blocks: 7_814_037_168, bytes: 4_000_787_030_016 },
    },
    ...{ smart_support: { available: true, enabled: true }, smart_status: { passed: true }, temperature: { current: 31 }, power_on_time: { hours: 20_114 } },
    ata_smart_attributes: { revision: 10, table: attributes },
    ata_smart_error_log: { extended: { revision: 1, count: 0, table: Array(5).fill(error) } },
    ata_smart_self_test_log: { extended: { revision: 1, table: Array(21).fill(test), count: 21 } },
  });
}
