import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ManualClock } from '@data-in-motion/shared/clock';
import type { DeviceIdentity, Reading } from '@data-in-motion/shared/domain/device';
import { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import { type FaultHooks, noFaults } from '@data-in-motion/shared/domain/fault-hooks';
import type { DeviceId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { type AgentRecord, agentRecord, type RecordOf } from '@data-in-motion/shared/protocol/records';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { noBallast } from '../../test/no-ballast.ts';
import { openJournal } from '../journal/journal.ts';
import { smallModel } from '../predict/testdata/small-model.ts';
import { type DeviceProbe, silentReading } from './device-probe.ts';
import { ReplayProbe } from './probes/replay.ts';
import { ReadingHistory } from './reading-history.ts';
import { type Sampler, type SamplerParts, startSampler } from './sampler.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'sampler-'));
let running: Sampler | null = null;
afterEach(async () => running?.stop());
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const device: DeviceIdentity = {
  deviceId: 'disk-1' as DeviceId,
  serial: '1',
  model: 'Disk',
  kind: 'hdd',
  transport: 'ata',
  capacityBytes: 4e12,
  firmware: null,
  path: '/dev/sda',
};
const target: TargetDescription = {
  targetId: 'cold' as TargetId,
  store: 'posix',
  root: path.join(scratch, 'cold'),
  tier: 'cold',
  locationKind: 'on-premises',
  provider: 'own',
  region: 'here',
  failureDomain: 'rack-1',
  encryptedAtRest: false,
  priceClass: 'onprem-hdd',
  capacityBytes: 1e9,
  reserveBytes: 0,
  deviceIds: [device.deviceId],
  addedLatencyMs: 8,
};

/** A probe whose devices and values a test sets. */
class SetProbe implements DeviceProbe {
  readonly source = 'simulated';
  readonly readEveryMs = null;
  devices: DeviceIdentity[] = [device];
  smart: Record<string, number> = { 5: 0, 197: 0 };
  hangs = false;
  readonly clock: ManualClock;

  constructor(clock: ManualClock) {
    this.clock = clock;
  }

  discover(): Promise<DeviceIdentity[]> {
    return Promise.resolve(this.devices);
  }

  read(asked: DeviceIdentity): Promise<Reading> {
    if (this.hangs) return new Promise(() => {});
    return Promise.resolve({
      ...silentReading(asked, 'simulated', 'unreadable', '', this.clock.nowMs()),
      status: 'read',
      unreadableBecause: null,
      smart: this.smart,
    });
  }
}

function start(parts: Partial<SamplerParts> & { clock: ManualClock; probes: readonly DeviceProbe[] }): {
  sampler: Sampler;
  told: AgentRecord[];
  urgent: AgentRecord[];
  of: <Type extends AgentRecord['type']>(type: Type) => RecordOf<Type>[];
} {
  const told: AgentRecord[] = [];
  const urgent: AgentRecord[] = [];
  const tell = (records: readonly AgentRecord[], when = 'soon'): void => {
    for (const record of records) agentRecord.parse(record);
    told.push(...records);
    if (when === 'now') urgent.push(...records);
  };
  running = startSampler({ targets: [], tell, absentBecause: async () => null, ...parts });
  return {
    sampler: running,
    told,
    urgent,
    of: <Type extends AgentRecord['type']>(type: Type) => told.filter((record): record is RecordOf<Type> => record.type === type),
  };
}

describe('the sampler', () => {
  test('tells a device once, every reading, and an assessment when it changes', async () => {
    const clock = new ManualClock();
    const probe = new SetProbe(clock);
    const { sampler, of, urgent } = start({ clock, probes: [probe] });
    await sampler.sampleNow();
    await clock.advance(600_000);
    await sampler.sampleNow();
    expect(of('device-seen')).toHaveLength(1);
    expect(of('reading').length).toBeGreaterThanOrEqual(2);
    expect(of('assessment')).toMatchObject([{ level: 'healthy', deviceId: device.deviceId }]);

    probe.smart = { 5: 16, 197: 8 };
    probe.devices = [{ ...device, path: '/dev/sdb' }];
    await clock.advance(600_000);
    await sampler.sampleNow();
    expect(of('device-seen').map((seen) => seen.path)).toEqual(['/dev/sda', '/dev/sdb']);
    expect(of('assessment').map((assessment) => assessment.level)).toEqual(['healthy', 'at-risk']);
    expect(urgent).toMatchObject([{ type: 'assessment', level: 'at-risk' }]);
    expect(of('note')).toMatchObject([{ code: 'device.at-risk', message: expect.stringContaining('16 reallocated sectors') }]);
    expect(sampler.assessment(device.deviceId)?.level).toBe('at-risk');
  });

  test('asks the model of the moment, and tells at once when another judge takes over', async () => {
    const clock = new ManualClock();
    let model: FailureJudge | null = null;
    const { sampler, of } = start({ clock, probes: [new SetProbe(clock)], model: () => model });
    await sampler.sampleNow();
    model = new FailureJudge(smallModel);
    await sampler.sampleNow();
    model = new FailureJudge({ ...smallModel, version: 'fedcba987654' });
    await sampler.sampleNow();
    await sampler.sampleNow();
    expect(of('assessment').map(({ judge }) => `${judge.kind} ${judge.name} ${judge.version}`)).toEqual([
      'rule five-attributes 1',
      'model small 0123456789ab',
      'model small fedcba987654',
    ]);
    expect(of('assessment').map(({ probability7 }) => probability7 === null)).toEqual([true, false, false]);
  });

  test('judges what comes on top of what a person acknowledged, also after a restart', async () => {
    const clock = new ManualClock();
    const journal = openJournal(path.join(scratch, 'acknowledged.db'), noBallast);
    const probe = new SetProbe(clock);
    probe.smart = { 5: 2_000, 197: 0 };
    const first = start({ clock, probes: [probe], journal });
    await first.sampler.sampleNow();
    first.sampler.acknowledge([{ deviceId: device.deviceId, counts: { 'smart.5': 2_000 }, atMs: clock.nowMs() }]);
    await first.sampler.sampleNow();
    expect(first.of('assessment').map(({ level }) => level)).toEqual(['at-risk', 'healthy']);
    await first.sampler.stop();

    probe.smart = { 5: 2_016, 197: 0 };
    const second = start({ clock, probes: [probe], journal });
    await second.sampler.sampleNow();
    expect(second.of('assessment')[0]).toMatchObject({
      level: 'at-risk',
      reasons: [{ text: expect.stringContaining('2,016 reallocated sectors, 2,000 of them acknowledged') }],
    });
    await second.sampler.stop();
    journal.close();
  });

  test('repeats an assessment that stays the same after so many readings', async () => {
    const clock = new ManualClock();
    const { sampler, of } = start({ clock, probes: [new SetProbe(clock)], settings: { assessmentEveryReadings: 3 } });
    for (let i = 0; i < 7; i++) await sampler.sampleNow();
    expect(of('assessment').length).toBeGreaterThanOrEqual(2);
    expect(of('assessment').length).toBeLessThanOrEqual(3);
  });

  test('gives up a device that hangs, and reads the others meanwhile', async () => {
    const clock = new ManualClock();
    const [stuck, well] = [new SetProbe(clock), new SetProbe(clock)];
    stuck.hangs = true;
    well.devices = [{ ...device, deviceId: 'disk-2' as DeviceId, serial: '2' }];
    const { of } = start({ clock, probes: [stuck, well] });
    await clock.advance(1_000);
    expect(of('reading').map((reading) => reading.deviceId)).toEqual(['disk-2']);
    await clock.advance(30_000);
    expect(of('reading').find((reading) => reading.deviceId === device.deviceId)).toMatchObject({
      status: 'unreadable',
      unreadableBecause: 'it gave no answer within 30000 ms',
    });
  });

  test('stops at once while a device hangs, and says nothing about it', async () => {
    const clock = new ManualClock();
    const stuck = new SetProbe(clock);
    stuck.hangs = true;
    const { sampler, of } = start({ clock, probes: [stuck] });
    await clock.advance(1_000);
    await sampler.stop();
    expect(of('reading')).toEqual([]);
  });

  test('reads on a device that is not listed any more, so that its silence is noticed', async () => {
    const clock = new ManualClock();
    const probe = new SetProbe(clock);
    const { sampler, of } = start({ clock, probes: [probe] });
    await sampler.sampleNow();
    probe.devices = [];
    await clock.advance(600_000);
    const before = of('reading').length;
    await sampler.sampleNow();
    expect(of('reading').length).toBeGreaterThan(before);
  });

  test('tells a replayed day once, and follows the replay to the failure of a drive', async () => {
    const clock = new ManualClock();
    const file = path.resolve(import.meta.dirname, '../../sample-drives/six-drives.csv');
    const probe = await ReplayProbe.open(
      { source: { kind: 'daily', file }, drives: ['W300DY1N'], secondsPerDay: 10, startDay: '2026-01-30', stateFile: null },
      clock,
    );
    const { of } = start({ clock, probes: [probe] });
    for (let half = 0; half < 50; half++) await clock.advance(5_000);
    const days = of('reading')
      .filter((reading) => reading.status === 'read')
      .map((reading) => reading.recordedDay);
    expect(days).toEqual(Array.from({ length: 17 }, (_, i) => new Date(Date.UTC(2026, 0, 30 + i)).toISOString().slice(0, 10)));
    expect([...new Set(of('assessment').map((assessment) => assessment.level))]).toEqual(['healthy', 'at-risk', 'failing']);
  });

  test('tells the space and speed of a target, and why when it can not be reached; then nothing is written there', async () => {
    const clock = new ManualClock();
    mkdirSync(target.root);
    let absent: string | null = 'its disk is away';
    const { sampler, of } = start({ clock, probes: [], targets: [target], absentBecause: async () => absent });
    await sampler.sampleNow();
    expect(of('target-stats').at(-1)).toMatchObject({
      targetId: 'cold',
      reachable: false,
      unreachableBecause: 'its disk is away',
      capacityBytes: 0,
      latencyP50Ms: null,
    });
    expect(readdirSync(target.root)).toEqual([]);
    absent = null;
    await sampler.sampleNow();
    expect(of('target-stats').at(-1)).toMatchObject({ reachable: true, unreachableBecause: null, capacityBytes: 1e9, latencyP95Ms: 8 });
  });

  test('tells of a target on which nothing happens once a minute, and at once when it is gone', async () => {
    const clock = new ManualClock();
    const calm = { ...target, root: path.join(scratch, 'calm') };
    mkdirSync(calm.root);
    let absent: string | null = null;
    const { sampler, of } = start({ clock, probes: [], targets: [calm], absentBecause: async () => absent });
    for (let look = 0; look < 9; look++) {
      await sampler.sampleNow();
      await clock.advance(15_000);
    }
    const told = of('target-stats').map(({ atMs }) => atMs - of('target-stats')[0]!.atMs);
    expect(told.filter((sinceMs, i) => i > 0 && sinceMs - told[i - 1]! < 60_000)).toEqual([]);
    expect(told.at(-1)).toBe(120_000);
    absent = 'its disk is away';
    // The first may still be the end of a measurement that had begun.
    for (let look = 0; look < 2; look++) await sampler.sampleNow();
    expect(of('target-stats').at(-1)).toMatchObject({ reachable: false, unreachableBecause: 'its disk is away' });
  });

  test('tells a target that takes no byte more as full, and one whose reads fail now and then as there', async () => {
    const clock = new ManualClock();
    const full = { ...target, root: path.join(scratch, 'full') };
    mkdirSync(full.root);
    let reads = 0;
    const fails = (code: string): never => {
      throw Object.assign(new Error(code), { code });
    };
    const before: FaultHooks['before'] = async (operation) => {
      if (operation === 'write') fails('ENOSPC');
      if (operation === 'read' && reads++ % 2 === 0) fails('EIO');
    };
    const { sampler, of } = start({ clock, probes: [], targets: [full], faults: { ...noFaults, before } });
    await sampler.sampleNow();
    expect(of('target-stats').at(-1)).toMatchObject({ reachable: true, freeBytes: 0, latencyP50Ms: 8, writeBytesPerSec: null });
  });

  test("tells the kernel's counters with each reading, also of a device that hangs; they are kept and not judged", async () => {
    const clock = new ManualClock();
    const journal = openJournal(path.join(scratch, 'kernel.db'), noBallast);
    const probe = new SetProbe(clock);
    const counts = { block: 'sda', timeouts: 0, commands: 9, since: null, unknownBecause: null };
    let ioErrors = 7;
    const counting: DeviceProbe = Object.assign(probe, { kernel: () => ({ ...counts, ioErrors: ioErrors++ }) });
    const { of } = start({ clock, probes: [counting], journal });
    await clock.advance(1_000);
    probe.hangs = true;
    await clock.advance(700_000);
    expect(of('reading').map(({ status, kernel }) => [status, kernel?.ioErrors])).toEqual([
      ['read', 7],
      ['unreadable', 8],
    ]);
    expect(of('assessment').map(({ level }) => level)).toEqual(['healthy']);
    const kept = journal.db.prepare('SELECT reading FROM readings_history').all() as { reading: string }[];
    expect(kept.map(({ reading }) => (JSON.parse(reading) as Reading).kernel?.ioErrors)).toEqual([7]);
    expect(new ReadingHistory(journal).of(device.deviceId).map((reading) => 'kernel' in reading)).toEqual([false]);
    await running?.stop();
    journal.close();
  });

  test('a probe is told when nothing of it is asked any more', async () => {
    const clock = new ManualClock();
    const probe = new SetProbe(clock);
    let closedAfter: number | null = null;
    let reads = 0;
    const counted: DeviceProbe = {
      source: probe.source,
      readEveryMs: null,
      discover: () => probe.discover(),
      read: (asked) => {
        reads += 1;
        return probe.read(asked);
      },
      close() {
        closedAfter = reads;
      },
    };
    const { sampler } = start({ clock, probes: [counted] });
    await sampler.sampleNow();
    await sampler.stop();
    expect(closedAfter).toBe(reads);
  });
});
