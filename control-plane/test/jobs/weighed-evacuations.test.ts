import type { DatasetId, NodeId } from '@data-in-motion/shared/domain/ids';
import { and, eq, like } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { certificate, device, event, job, recommendation, replica } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { FakeFleet } from './fake-fleet.ts';

const n1 = 'node-1' as NodeId;

describe.each(storeKinds)('a drive that a model expects to fail, on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  async function start(mode: 'advisory' | 'automated'): Promise<{ fleet: FakeFleet; targetId: string }> {
    const fleet = new FakeFleet(await open.open());
    await fleet.build({ nodes: 3, policy: { copies: 1, mode } });
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(async () => (await atRest(fleet)) && (await standing(fleet)).length === 1);
    return { fleet, targetId: (await standing(fleet))[0]!.targetId };
  }
  const standing = (fleet: FakeFleet) =>
    fleet.store.db
      .select()
      .from(replica)
      .where(and(eq(replica.datasetId, 'photos' as DatasetId), eq(replica.state, 'verified')));
  const atRest = async (fleet: FakeFleet) => (await fleet.store.db.select().from(job).where(eq(job.active, true))).length === 0;
  const expectToFail = (fleet: FakeFleet, targetId: string, probability: number, level: 'at-risk' | 'healthy' = 'at-risk') =>
    fleet.store.db
      .update(device)
      .set({ level, levelSinceMs: fleet.clock.nowMs(), probability, judge: { kind: 'model', name: 'trees', version: '1' } })
      .where(eq(device.serial, targetId));
  const evacuatingSince = async (fleet: FakeFleet, targetId: string) =>
    (await fleet.store.db.select().from(device).where(eq(device.serial, targetId)))[0]!.evacuatingSinceMs;
  const told = async (fleet: FakeFleet) => (await fleet.store.db.select().from(event).where(like(event.type, 'device.evacuation-%'))).map(({ type }) => type);

  test('is emptied when that pays, remembered as being so, certified, and free again when it is healthy', async () => {
    const { fleet, targetId } = await start('automated');
    await expectToFail(fleet, targetId, 0.9);
    await fleet.runUntil(async () => (await fleet.store.db.select().from(certificate))[0]?.state === 'complete', 120);
    expect((await standing(fleet)).map((copy) => copy.targetId)).not.toContain(targetId);
    expect(await evacuatingSince(fleet, targetId)).not.toBeNull();
    await expectToFail(fleet, targetId, 0.002, 'healthy');
    await fleet.keeper.pass();
    expect(await evacuatingSince(fleet, targetId)).toBeNull();
    expect(await told(fleet)).toEqual(['device.evacuation-begun', 'device.evacuation-ended']);
    await fleet.dispatch.stop();
  });

  test('keeps its copies when that does not pay, without a certificate', async () => {
    const { fleet, targetId } = await start('automated');
    await expectToFail(fleet, targetId, 0.05);
    for (let pass = 0; pass < 5; pass++) await fleet.keeper.pass();
    await fleet.keeper.settled();
    expect((await standing(fleet)).map((copy) => copy.targetId)).toEqual([targetId]);
    expect([await atRest(fleet), await evacuatingSince(fleet, targetId), await told(fleet)]).toEqual([true, null, []]);
    expect(await fleet.store.db.select().from(certificate)).toEqual([]);
    await fleet.dispatch.stop();
  });

  test('is only recommended to be emptied in advisory mode, with both sums and what to fall back on', async () => {
    const { fleet, targetId } = await start('advisory');
    await expectToFail(fleet, targetId, 0.9);
    for (let pass = 0; pass < 5; pass++) {
      await fleet.keeper.pass();
      await fleet.keeper.settled();
    }
    expect([(await standing(fleet)).map((copy) => copy.targetId), await atRest(fleet)]).toEqual([[targetId], true]);
    const advised = (await fleet.store.db.select().from(recommendation)).map((row) => row.body as { verdict: string; reason: string });
    expect(advised).toMatchObject([{ verdict: 'advised' }]);
    expect(advised[0]!.reason).toMatch(/leaving it costs \$18\.\d\d in expectation, moving \$/);
    expect(advised[0]!.reason).toContain('nothing of photos is left');
    await fleet.dispatch.stop();
  });
});
