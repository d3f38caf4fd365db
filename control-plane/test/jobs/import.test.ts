import type { NodeId } from '@data-in-motion/shared/domain/ids';
import { eq } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { presentSamples } from '../../src/store/file-samples.ts';
import { job, pointer, replica } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { FakeFleet, rootOf } from './fake-fleet.ts';

describe.each(storeKinds)('a dataset on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  test('is imported, verified, switched to and copied until its policy is met', async () => {
    const fleet = new FakeFleet(await open.open());
    await fleet.build({ policy: { copies: 2 } });
    const jobId = await fleet.addDataset('photos', 'node-1' as NodeId);
    const { db } = fleet.store;
    await fleet.runUntil(async () => (await db.select().from(replica).where(eq(replica.activated, true))).length === 2);
    expect(fleet.failures).toEqual([]);
    const [done] = await db.select().from(job).where(eq(job.jobId, jobId));
    expect(done).toMatchObject({ state: 'done', active: false });
    const [held] = await db.select().from(pointer);
    expect(held).toMatchObject({ rev: 1 });
    const copies = await db.select().from(replica);
    expect(copies.map((copy) => [copy.state, copy.verifiedRoot])).toEqual([
      ['verified', rootOf('/src/photos/1')],
      ['verified', rootOf('/src/photos/1')],
    ]);
    const samples = [];
    for await (const sample of presentSamples(db)) samples.push(sample);
    expect(samples).toEqual([{ versionId: held!.versionId, level: 0, completeFromBytes: 0, files: [{ hash: 7, sizeBytes: 1_000 }] }]);
    await fleet.dispatch.stop();
  });
});
