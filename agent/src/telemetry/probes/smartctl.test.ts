import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Clock, ManualClock, systemClock } from '@data-in-motion/shared/clock';
import { afterAll, describe, expect, test } from 'vitest';
import { MadeUpSysfs, scsiFiles } from '../testdata/made-up-sysfs.ts';
import { SmartctlProbe } from './smartctl.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'smartctl-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const testdata = path.join(import.meta.dirname, '../testdata');
const never = new AbortController().signal;
let made = 0;
const sysfs = new MadeUpSysfs(path.join(scratch, 'sys')).drive('sda', scsiFiles('100 0 800 50 40 0 320 30 0 60 80', { errors: 3 })).root;

/** A stand-in for the program: a shell script that answers the scan and each device (`$path` holds the device asked for) as told, and keeps how it was called. */
function program(scan: string, devices: string): { command: string; calls: () => string } {
  const command = path.join(scratch, `smartctl-${made++}`);
  writeFileSync(
    command,
    `#!/bin/sh\necho "$*" >> ${command}.calls\nfor path; do :; done\nif [ "$1" = --scan-open ]; then ${scan}; exit 0; fi\ncase "$path" in\n${devices}\nesac\n`,
  );
  chmodSync(command, 0o755);
  return { command, calls: () => readFileSync(`${command}.calls`, 'utf8') };
}

const listing = (...names: string[]): string => `echo '${JSON.stringify({ devices: names.map((name) => ({ name, type: 'sat', protocol: 'ATA' })) })}'`;
const answer = (name: string, file: string, status = 0): string => `${name}) cat ${path.join(testdata, file)}; exit ${status};;`;

function probeOf(command: string, clock: Clock = systemClock): { probe: SmartctlProbe; notes: string[] } {
  const notes: string[] = [];
  return {
    probe: new SmartctlProbe({ clock, note: (_, code, message) => void notes.push(`${code}: ${message}`), command, timeoutMs: 20_000, sysfs }),
    notes,
  };
}

describe('devices by smartctl', () => {
  test('are listed and read, never waking a sleeping one, and what the logs hold is said once', async () => {
    const { command, calls } = program(listing('/dev/sda'), answer('/dev/sda', 'smartctl-hdd.json', 64));
    const { probe, notes } = probeOf(command);
    const devices = await probe.discover();
    expect(devices).toMatchObject([{ deviceId: 'example-st4000-ex4m9l3a', path: '/dev/sda' }]);
    for (let i = 0; i < 2; i++)
      expect(await probe.read(devices[0]!, never)).toMatchObject({ status: 'read', smart: { 197: 8 }, source: 'smartctl', recordedDay: null });
    expect(notes).toEqual(['device.remarks: the error log holds errors']);
    const asked = calls()
      .split('\n')
      .filter((call) => call.includes('/dev/sda'));
    // What it was identified by is its first reading as well.
    expect(asked).toHaveLength(2);
    for (const call of asked) expect(call).toContain('-n standby');
  });

  test('have their counters of the kernel, but not where the drive is one behind a controller', async () => {
    const scan = `echo '${JSON.stringify({
      devices: [
        { name: '/dev/sda', type: 'sat' },
        { name: '/dev/bus/0', type: 'megaraid,3' },
      ],
    })}'`;
    const other = `/dev/bus/0) sed s/EX4M9L3A/EXHIDDEN/ ${testdata}/smartctl-hdd.json;;`;
    const { probe } = probeOf(program(scan, `${answer('/dev/sda', 'smartctl-hdd.json')}\n${other}`).command);
    const devices = await probe.discover();
    expect(devices.map((device) => probe.kernel(device))).toMatchObject([
      { block: 'sda', ioErrors: 3, timeouts: 0 },
      { block: null, ioErrors: null, unknownBecause: 'a controller hides the drive from the kernel (megaraid,3)' },
    ]);
  });

  test('that fell asleep stay listed under their name and say that they sleep', async () => {
    const { command } = program(
      listing('/dev/sda'),
      `/dev/sda) if [ -e ${scratch}/asleep ]; then cat ${testdata}/smartctl-standby.json; exit 2; else cat ${testdata}/smartctl-hdd.json; fi;;`,
    );
    const { probe } = probeOf(command);
    const [device] = await probe.discover();
    writeFileSync(path.join(scratch, 'asleep'), '');
    expect(await probe.discover()).toEqual([device]);
    expect(await probe.read(device!, never)).toMatchObject({ status: 'asleep', unreadableBecause: 'Device is in STANDBY mode, exit(2)' });
  });

  test('that can not be opened or identified are left out, with one note each', async () => {
    const scan = `echo '{"devices":[{"name":"/dev/sda","type":"sat","open_error":"Permission denied"},{"name":"/dev/sdb","type":"sat"},{"name":"/dev/sdc","type":"sat"}]}'`;
    const { command } = program(scan, `${answer('/dev/sdb', 'smartctl-no-permission.json', 2)}\n${answer('/dev/sdc', 'smartctl-hdd.json')}`);
    const { probe, notes } = probeOf(command);
    for (let i = 0; i < 2; i++) expect((await probe.discover()).map((device) => device.path)).toEqual(['/dev/sdc']);
    expect(notes).toHaveLength(2);
    expect(notes[0]).toContain('/dev/sda: Permission denied');
    expect(notes[1]).toContain('/dev/sdb (sat): no permission');
  });

  test('are none, with one note, where smartctl is missing, may not be run or is too old', async () => {
    const forbidden = path.join(scratch, 'forbidden');
    writeFileSync(forbidden, '#!/bin/sh\n', { mode: 0o600 });
    for (const command of [path.join(scratch, 'missing'), forbidden, program('echo smartctl 6.6', '').command]) {
      const { probe, notes } = probeOf(command);
      for (let i = 0; i < 2; i++) expect(await probe.discover()).toEqual([]);
      expect(notes).toHaveLength(1);
      expect(notes[0]).toContain('No device is read');
    }
  });

  test('that hang are given up when time is over, and only our own child is killed', async () => {
    const { command } = program(
      listing('/dev/sda'),
      `/dev/sda) if [ -e ${scratch}/hang ]; then echo $$ > ${scratch}/pid; exec sleep 300; fi; cat ${testdata}/smartctl-hdd.json;;`,
    );
    const { probe } = probeOf(command);
    const [device] = await probe.discover();
    expect(await probe.read(device!, never)).toMatchObject({ status: 'read' });
    writeFileSync(path.join(scratch, 'hang'), '');
    const late = new AbortController();
    const reading = probe.read(device!, late.signal);
    const pid = await fileText(path.join(scratch, 'pid'));
    late.abort();
    expect(await reading).toMatchObject({ status: 'unreadable', unreadableBecause: expect.stringContaining('gave no answer in time') });
    await gone(Number(pid));
  });

  test('that hang while they are listed are waited for once, and told as such', async () => {
    const { command, calls } = program(listing('/dev/sda'), `/dev/sda) if [ -e ${scratch}/silent ]; then kill -9 $$; fi; cat ${testdata}/smartctl-hdd.json;;`);
    const { probe } = probeOf(command);
    const [device] = await probe.discover();
    expect(await probe.read(device!, never)).toMatchObject({ status: 'read' });
    writeFileSync(path.join(scratch, 'silent'), '');
    expect(await probe.discover()).toEqual([device]);
    expect(await probe.read(device!, never)).toMatchObject({ status: 'unreadable' });
    expect(calls().match(/sda/g)).toHaveLength(2);
  });

  test('whose place another drive took are not mixed up', async () => {
    const { command } = program(
      listing('/dev/sda'),
      `/dev/sda) if [ -e ${scratch}/other ]; then sed s/EX4M9L3A/EXOTHER1/ ${testdata}/smartctl-hdd.json; else cat ${testdata}/smartctl-hdd.json; fi;;`,
    );
    const clock = new ManualClock();
    const { probe } = probeOf(command, clock);
    const [device] = await probe.discover();
    writeFileSync(path.join(scratch, 'other'), '');
    // An answer that is older than a pass may take is asked for again.
    await clock.advance(120_000);
    expect(await probe.read(device!, never)).toMatchObject({ status: 'unreadable', unreadableBecause: 'at /dev/sda now answers EXAMPLE ST4000 EXOTHER1' });
    expect((await probe.discover()).map((found) => found.serial)).toEqual(['EXOTHER1']);
    expect(await probe.read(device!, never)).toMatchObject({ status: 'unreadable', unreadableBecause: 'it is not connected any more' });
  });
});

async function fileText(file: string): Promise<string> {
  for (;;) {
    try {
      const text = readFileSync(file, 'utf8');
      if (text.endsWith('\n')) return text;
    } catch {
      // Not written yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Resolves when no process has the id any more. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
