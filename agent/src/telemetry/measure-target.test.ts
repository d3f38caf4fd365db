import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ManualClock, systemClock } from '@data-in-motion/shared/clock';
import { type FaultHooks, noFaults } from '@data-in-motion/shared/domain/fault-hooks';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { seededRandom } from '@data-in-motion/shared/random';
import { afterAll, describe, expect, test } from 'vitest';
import { SpeedMeter } from './measure-target.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'speed-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const target = (root: string, addedLatencyMs: number): TargetDescription => ({ targetId: 't', root, addedLatencyMs }) as TargetDescription;
const unmeasured = { latencyP50Ms: null, latencyP95Ms: null, latencyP99Ms: null, readBytesPerSec: null, writeBytesPerSec: null };

describe('the speed of a target', () => {
  test('is measured by real reads and writes of a file of its own', async () => {
    const root = path.join(scratch, 'real');
    mkdirSync(root);
    const meter = new SpeedMeter(target(root, 40), { clock: systemClock, random: seededRandom(1), faults: noFaults });
    expect(meter.speed).toEqual(unmeasured);
    await meter.measureLatency();
    await meter.measureThroughput();
    const { latencyP50Ms, latencyP95Ms, latencyP99Ms, readBytesPerSec, writeBytesPerSec } = meter.speed;
    expect(latencyP50Ms).toBeGreaterThan(40);
    expect(latencyP95Ms).toBeGreaterThanOrEqual(latencyP50Ms!);
    expect(latencyP99Ms).toBeGreaterThanOrEqual(latencyP95Ms!);
    expect(readBytesPerSec).toBeGreaterThan(0);
    expect(writeBytesPerSec).toBeGreaterThan(0);
    expect(statSync(path.join(root, '.dim/probe/probe.bin')).size).toBe(4 * 1024 * 1024);
  });

  test('shows faults that are armed, in its percentiles', async () => {
    const root = path.join(scratch, 'slow');
    mkdirSync(root);
    const clock = new ManualClock();
    let operations = 0;
    const faults: FaultHooks = { ...noFaults, before: () => (operations++ % 8 === 7 ? clock.advance(250) : Promise.resolve()) };
    const meter = new SpeedMeter(target(root, 1), { clock, random: seededRandom(1), faults });
    await meter.measureLatency();
    // One of eight reads took 251 ms; quantiles lie between neighbours: 1 + 0.65 x 250, and 1 + 0.93 x 250.
    expect(meter.speed.latencyP50Ms).toBe(1);
    expect(meter.speed.latencyP95Ms).toBeCloseTo(163.5, 6);
    expect(meter.speed.latencyP99Ms).toBeCloseTo(233.5, 6);
  });

  test('of a place that is not there is an error, and the place is not made', async () => {
    const root = path.join(scratch, 'not-mounted');
    const meter = new SpeedMeter(target(root, 0), { clock: systemClock, random: seededRandom(1), faults: noFaults });
    await expect(meter.measureLatency()).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(meter.measureThroughput()).rejects.toMatchObject({ code: 'ENOENT' });
    expect(existsSync(root)).toBe(false);
    expect(meter.speed).toEqual(unmeasured);
  });
});
