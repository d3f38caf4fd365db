import type { FailureModel } from '@data-in-motion/shared/domain/failure-model';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { smallModel } from '@data-in-motion/shared/testdata/small-model';
import { sql } from 'drizzle-orm';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { defaultLoopSettings, leaderWrite } from '../../src/control-loop/parts.ts';
import { DriveScorer } from '../../src/control-loop/score-drives.ts';
import type { Store } from '../../src/store/database.ts';
import { addModel, promoteModel, rollBackModels, shadowModel } from '../../src/store/failure-models.ts';
import { holdLeadership } from '../../src/store/leader.ts';
import { newestShared, sharedPeriods } from '../../src/store/model-scores.ts';
import { pruneDevice } from '../../src/store/retention.ts';
import { device, modelScore } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { sameMetrics } from './measured-models.ts';

const dayMs = 86_400_000;
const [old, present, next] = [smallModel(), smallModel({ base: -4 }), smallModel({ base: -3 })] as [FailureModel, FailureModel, FailureModel];

describe.each(storeKinds)('what models say day by day, on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  let store: Store;
  let nowMs = 500 * dayMs;
  let scorer: DriveScorer;
  afterAll(() => open.stop());
  beforeEach(async () => {
    store = await open.open();
    nowMs = 500 * dayMs;
    scorer = newScorer();
    await store.transaction(async (tx) => {
      for (const model of [old, present, next]) await addModel(tx, model, sameMetrics, 'anna', 1);
      await promoteModel(tx, old.version, { by: 'anna', expectedRev: null }, 2);
    });
    for (const [name, kind, sectors] of [
      ['sound', 'hdd', 0],
      ['worn', 'hdd', 200],
      ['fast', 'nvme', 0],
    ] as const) {
      await store.db.insert(device).values({
        deviceId: name as DeviceId,
        nodeId: 'n' as never,
        serial: name,
        model: 'ST4000DM000',
        kind,
        transport: 'ata',
        capacityBytes: 4e12,
        path: '/dev/x',
        lastReadingAtMs: nowMs,
      });
      // Four readings a day over forty days; the counter rises in the last ten.
      await store.db.execute(sql`insert into reading (device_id, node_id, at_ms, received_at_ms, source, status, power_on_hours, smart, batch_uid)
        select ${name}, 'n', ${nowMs}::bigint - n * 21600000::bigint, 0, 'smartctl', 'read', 10000 - n * 6,
          jsonb_build_object('5', case when n < 40 then ${sectors}::int else 0 end, '197', 0), 'u' from generate_series(0, 160) n`);
    }
  }, 120_000);

  const newScorer = (): DriveScorer => {
    const still = Object.assign(Object.create(store) as Store, { nowMs: async () => nowMs });
    const settings = { ...defaultLoopSettings, scoring: { drivesPerPass: 1 } };
    return new DriveScorer({ store: still, settings, onFailure: (failure: unknown) => expect.fail(String(failure)) } as never);
  };
  const passes = async (count: number): Promise<boolean[]> => {
    const write = leaderWrite(store, (await holdLeadership(store, 'one', 1))!);
    const ended: boolean[] = [];
    for (let i = 0; i < count; i++) ended.push((await scorer.pass(write)) !== null);
    return ended;
  };
  const scores = async () =>
    (await store.db.select().from(modelScore).orderBy(modelScore.day, modelScore.deviceId, modelScore.version)).map((row) => [
      row.day,
      row.deviceId,
      row.version,
      row.level,
    ]);
  const nameOf = new Map([old, present, next].map((model, i) => [model.version, ['old', 'present', 'next'][i]]));
  const said = async () => (await scores()).map(([day, drive, version, level]) => `${day} ${drive} by ${nameOf.get(version as string)}: ${level}`).sort();

  test('every hard drive is scored once a day, some with each pass', async () => {
    expect(await passes(4)).toEqual([false, true, false, false]);
    expect(await said()).toEqual(['500 sound by old: watch', '500 worn by old: at-risk']);
    nowMs += dayMs;
    await store.db.update(device).set({ lastReadingAtMs: nowMs });
    await passes(3);
    expect(await said()).toHaveLength(4);
  });

  test('the shadow, and the one that was active before, score beside the active one, at once and on the same drives', async () => {
    await passes(3);
    await store.transaction((tx) => promoteModel(tx, present.version, { by: 'anna', expectedRev: null }, 3));
    await store.transaction((tx) => shadowModel(tx, next.version, { by: 'anna', expectedRev: null }, 4));
    await passes(3);
    expect((await said()).filter((line) => line.includes('worn'))).toEqual([
      '500 worn by next: failing',
      '500 worn by old: at-risk',
      '500 worn by present: failing',
    ]);
    expect(await said()).toHaveLength(6);
    // Nothing acts on what they say.
    expect((await store.db.select().from(device)).every((row) => row.level === 'unknown')).toBe(true);
    await store.transaction((tx) => rollBackModels(tx, 'test', { by: 'anna', expectedRev: null }, 5));
    scorer = newScorer();
    await passes(3);
    expect(await said()).toHaveLength(6);
  });

  test('a drive that is silent, gone or of another kind is not scored, and old scores are forgotten', async () => {
    await store.db.execute(sql`insert into drive_outcome values ('worn', 'failed', 1, 'reported', 'anna', null)`);
    await store.db
      .update(device)
      .set({ lastReadingAtMs: nowMs - 2 * dayMs })
      .where(sql`device_id = 'sound'`);
    await passes(3);
    expect(await said()).toEqual([]);
    await store.db.execute(sql`insert into model_score select 'v', 'worn', n, 0.1, 0.2, 'watch' from generate_series(300, 500) n`);
    const keep = defaultLoopSettings.retention;
    await store.transaction((tx) => pruneDevice(tx, 'worn' as DeviceId, keep, nowMs, 1_000));
    expect((await scores()).map(([day]) => day)[0]).toBe(320);
  });
  test('of two versions the days alone count on which both scored a drive', async () => {
    await store.db.execute(sql`insert into model_score select 'v', drive, day, 0.01, 0.1, case when day >= 445 then 'at-risk' else 'healthy' end
      from generate_series(440, 479) day, (values ('worn'), ('sound')) drives (drive)`);
    await store.db.execute(sql`insert into model_score select 'w', 'worn', day, 0.02, 0.2, case when day = 462 then 'failing' else 'watch' end
      from generate_series(450, 470) day`);
    const told = (await sharedPeriods(store.db, 'v', 'w')).sort((a, b) => a.version.localeCompare(b.version));
    const same = { deviceId: 'worn', firstDay: 450, lastDay: 470 };
    expect(told).toEqual([
      { version: 'v', ...same, firstAlarmDay: 450, lastAlarmDay: 470, firstFailingDay: null, lastFailingDay: null },
      { version: 'w', ...same, firstAlarmDay: 462, lastAlarmDay: 462, firstFailingDay: 462, lastFailingDay: 462 },
    ]);
    expect(await sharedPeriods(store.db, 'v', 'x')).toEqual([]);
    await store.db.execute(sql`insert into drive_outcome values ('worn', 'failed', 1, 'reported', 'anna', null)`);
    const newest = { deviceId: 'worn', nodeId: 'n', serial: 'worn', model: 'ST4000DM000', outcome: 'failed', day: 470 };
    const said = { p7: 0.01, p30: 0.1, level: 'at-risk', otherP7: 0.02, otherP30: 0.2, otherLevel: 'watch' };
    expect(await newestShared(store.db, 'v', 'w', 470)).toEqual([{ ...newest, ...said }]);
    expect(await newestShared(store.db, 'v', 'w', 471)).toEqual([]);
  });
});
