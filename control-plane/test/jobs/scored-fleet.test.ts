import { smallModel } from '@data-in-motion/shared/testdata/small-model';
import { sql } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { addModel, promoteModel } from '../../src/store/failure-models.ts';
import { alert, driveOutcome, modelScore } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { FakeFleet } from './fake-fleet.ts';

describe.each(storeKinds)('the passes of a leader on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  test('score the drives, look at what became of them, and find nothing wrong with a sound fleet', async () => {
    const fleet = new FakeFleet(await open.open());
    await fleet.build({ nodes: 3 });
    const nowMs = fleet.clock.nowMs();
    await fleet.store.transaction(async (tx) => {
      const { version } = await addModel(tx, smallModel(), null, 'anna', nowMs);
      await promoteModel(tx, version, { by: 'anna', expectedRev: null }, nowMs);
    });
    await fleet.store.db.execute(sql`insert into reading (device_id, node_id, at_ms, received_at_ms, source, status, power_on_hours, smart, batch_uid)
      select device_id, node_id, ${nowMs}, ${nowMs}, 'smartctl', 'read', 100, '{"5": 0, "197": 0}', 'u' from device`);
    await fleet.passAndWork(3);
    expect(fleet.failures).toEqual([]);
    expect((await fleet.store.db.select().from(modelScore)).map((row) => row.deviceId).sort()).toEqual(['drive-t11', 'drive-t21', 'drive-t31']);
    expect(await fleet.store.db.select().from(driveOutcome)).toEqual([]);
    expect(await fleet.store.db.select().from(alert)).toEqual([]);
    await fleet.dispatch.stop();
  });
});
