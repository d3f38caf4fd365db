import type { DeviceId, NodeId } from '@data-in-motion/shared/domain/ids';
import { sql } from 'drizzle-orm';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { defaultLoopSettings, leaderWrite } from '../../src/control-loop/parts.ts';
import { OutcomeWatch } from '../../src/control-loop/watch-outcomes.ts';
import type { Store } from '../../src/store/database.ts';
import { readDriveOutcomes, reportDriveOutcome } from '../../src/store/drive-outcomes.ts';
import { holdLeadership } from '../../src/store/leader.ts';
import { device, event } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';

const dayMs = 86_400_000;

describe.each(storeKinds)('what became of drives, on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  let store: Store;
  let nowMs = 500 * dayMs;
  let watch: OutcomeWatch;
  afterAll(() => open.stop());
  beforeEach(async () => {
    store = await open.open();
    nowMs = 500 * dayMs;
    const still = Object.assign(Object.create(store) as Store, { nowMs: async () => nowMs });
    watch = new OutcomeWatch({ store: still, settings: defaultLoopSettings, onFailure: (failure: unknown) => expect.fail(String(failure)) } as never);
    for (const name of ['one', 'two', 'three']) {
      const facts = { serial: name, model: 'M', kind: 'hdd', transport: 'ata', capacityBytes: 1, path: '/dev/x' } as const;
      await store.db.insert(device).values({ deviceId: name as DeviceId, nodeId: 'n' as NodeId, ...facts });
      await read(name, 'read');
    }
  }, 120_000);

  async function read(name: string, status: 'read' | 'unreadable'): Promise<void> {
    await store.db.execute(sql`insert into reading (device_id, node_id, at_ms, received_at_ms, source, status, smart, batch_uid)
      values (${name}, 'n', ${nowMs}, ${nowMs}, 'smartctl', ${status}, '{}', 'u')`);
    await store.db.execute(sql`update device set last_status = ${status}, last_reading_at_ms = ${nowMs} where device_id = ${name}`);
  }
  async function look(): Promise<string[]> {
    nowMs += defaultLoopSettings.outcomes.lookEveryMs;
    await watch.pass(leaderWrite(store, (await holdLeadership(store, 'one', 1))!));
    return (await readDriveOutcomes(store.db)).map((row) => `${row.deviceId} ${row.outcome}, ${row.how} at ${Math.floor(row.atMs / dayMs)}`);
  }

  test('a risky drive that stops answering died; one that is only silent dies when others speak for a day', async () => {
    expect(await look()).toEqual([]);
    await store.db.execute(
      sql`insert into assessment (device_id, node_id, at_ms, level, horizon_days, judge, reasons) values ('one', 'n', ${nowMs}, 'at-risk', 30, '{}', '[]')`,
    );
    await read('one', 'unreadable');
    await read('two', 'unreadable');
    expect(await look()).toEqual(['one failed, died at 500']);
    nowMs += dayMs;
    expect(await look()).toEqual(['one failed, died at 500']);
    await read('three', 'read');
    expect(await look()).toEqual(['one failed, died at 500', 'two failed, died at 500']);
    await read('two', 'read');
    expect(await look()).toEqual(['one failed, died at 500', 'two alive, answers at 501']);
    expect((await store.db.select().from(event)).map((row) => [row.type, row.severity, row.by])).toEqual([
      ['device.outcome', 'warning', 'control-plane'],
      ['device.outcome', 'warning', 'control-plane'],
      ['device.outcome', 'info', 'control-plane'],
    ]);
  });

  test('what a person reported stands, whatever the drive answers', async () => {
    const report = (deviceId: string, outcome: 'failed' | 'removed') =>
      store.transaction((tx) => reportDriveOutcome(tx, nowMs, { deviceId: deviceId as DeviceId, outcome, by: 'anna', note: null }));
    await report('one', 'removed');
    await read('one', 'read');
    expect(await look()).toEqual(['one removed, reported at 500']);
    await expect(report('nowhere', 'failed')).rejects.toMatchObject({ code: 'device.not-found' });
  });
});
