import { mkdirSync, mkdtempSync, renameSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ManualClock } from '@data-in-motion/shared/clock';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { afterAll, describe, expect, test } from 'vitest';
import { SpaceMeter } from './filesystem.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'space-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const target = (root: string, more: Partial<TargetDescription>): TargetDescription =>
  ({ root, capacityBytes: null, reserveBytes: 0, ...more }) as TargetDescription;
const fill = (file: string, bytes: number): void => {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, Buffer.alloc(bytes, 1));
};
const mb = 1_048_576;

describe('the space of a target', () => {
  test('without a bound is that of its file system, less the reserve', async () => {
    const root = path.join(scratch, 'whole');
    mkdirSync(root);
    const whole = await new SpaceMeter().measure(target(root, {}), new ManualClock());
    const fs = statfsSync(root);
    expect(whole.capacityBytes).toBe(fs.blocks * fs.bsize);
    expect(whole.usedBytes).toBeGreaterThan(0);
    // Others write to the same file system meanwhile, so what is left is looked at from far.
    const left = async (reserveBytes: number): Promise<number> => (await new SpaceMeter().measure(target(root, { reserveBytes }), new ManualClock())).freeBytes;
    expect(await left(Math.floor(whole.freeBytes / 2))).toBeLessThan(whole.freeBytes * 0.75);
    expect(await left(0)).toBeGreaterThan(whole.freeBytes * 0.75);
    expect(await left(whole.capacityBytes)).toBe(0);
  });

  test('with a bound counts its own bytes: replicas once, trash still, staging again after a while', async () => {
    const root = path.join(scratch, 'bounded');
    const clock = new ManualClock();
    const meter = new SpaceMeter();
    const bounded = target(root, { capacityBytes: 10 * mb, reserveBytes: mb });
    fill(path.join(root, 'photos/r1/deep/a.bin'), mb);
    symlinkSync('/dev/zero', path.join(root, 'photos/r1/link'));
    symlinkSync('r1', path.join(root, 'photos/current'));
    const used = async (): Promise<number> => Math.round((await meter.measure(bounded, clock)).usedBytes / mb);
    expect(await meter.measure(bounded, clock)).toMatchObject({ capacityBytes: 10 * mb });
    expect(await used()).toBe(1);

    fill(path.join(root, '.dim/staging/job.1/b.bin'), 2 * mb);
    expect(await used()).toBe(1);
    await clock.advance(61_000);
    expect(await used()).toBe(3);

    mkdirSync(path.join(root, '.dim/trash'));
    renameSync(path.join(root, 'photos/r1'), path.join(root, '.dim/trash/r1'));
    expect(await used()).toBe(3);
    rmSync(path.join(root, '.dim/trash/r1'), { recursive: true });
    expect(await used()).toBe(2);
    const { freeBytes, usedBytes } = await meter.measure(bounded, clock);
    expect(freeBytes).toBe(10 * mb - usedBytes - mb);
  });

  test('of a place that is gone is an error, not zero', async () => {
    await expect(new SpaceMeter().measure(target(path.join(scratch, 'gone'), {}), new ManualClock())).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
