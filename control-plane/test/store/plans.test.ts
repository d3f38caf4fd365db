import type { NodeId } from '@data-in-motion/shared/domain/ids';
import { eq } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { defaultLoopSettings } from '../../src/control-loop/parts.ts';
import { FleetKeeper } from '../../src/control-loop.ts';
import { alert, event, plan } from '../../src/store/schema.ts';
import { FakeFleet } from '../jobs/fake-fleet.ts';
import { storeKinds } from '../stores.ts';

describe.each(storeKinds)('plans on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  test('one that fails is tried again after a pause, not with every pass', async () => {
    const fleet = new FakeFleet(await open.open());
    await fleet.build({ nodes: 1 });
    let asked = 0;
    const solve = async (): Promise<never> => {
      asked++;
      throw new Error('no');
    };
    const { store, dispatch, key: signingKey, clock } = fleet;
    const settings = { ...defaultLoopSettings, planEveryMs: 60_000 };
    const keeper = new FleetKeeper({ store, dispatch, signingKey, clock, settings, holder: 'one', solve, onFailure: () => {} });
    for (let pass = 0; pass < 16; pass++) {
      await keeper.pass();
      await keeper.settled();
      await clock.advance(2_000);
    }
    expect(asked).toBe(2);
    await dispatch.stop();
  });

  test('of a fleet whose policy can not be met do not push the others out while they say the same', async () => {
    const fleet = new FakeFleet(await open.open());
    await fleet.build({ nodes: 2, policy: { copies: 3 } });
    await fleet.addDataset('photos', 'node-1' as NodeId);
    const { db } = fleet.store;
    const current = async () => (await db.select().from(plan).where(eq(plan.state, 'current')))[0];
    await fleet.runUntil(async () => (await current())?.madeAtMs !== undefined && (await db.select().from(alert)).length > 0);
    await fleet.passAndWork(14, undefined, 6_000);
    const before = await current();
    const rows = (await db.select().from(plan)).length;
    const made = async () => (await db.select().from(event).where(eq(event.type, 'plan.made'))).length;
    const events = await made();
    await fleet.passAndWork(20, undefined, 6_000);
    const after = await current();
    expect([after!.planId, (await db.select().from(plan)).length, await made()]).toEqual([before!.planId, rows, events]);
    expect(after!.madeAtMs).toBeGreaterThan(before!.madeAtMs + 60_000);
    expect(after!.body).toMatchObject({ madeAtMs: after!.madeAtMs, infeasible: [{ datasetId: 'photos' }] });
    await fleet.dispatch.stop();
  });
});
