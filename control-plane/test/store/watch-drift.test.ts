import { driveFeatureNames } from '@data-in-motion/shared/domain/drive-features';
import { isNull } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { defaultLoopSettings } from '../../src/control-loop/parts.ts';
import { tellDrift } from '../../src/control-loop/watch-drift.ts';
import { newestDriftLook, pastDrift } from '../../src/store/drift-looks.ts';
import { pruneDriftLooks } from '../../src/store/retention.ts';
import { alert, event } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';

const fleet = (pending: number) =>
  Array.from({ length: 200 }, (_, n) => Float64Array.from(driveFeatureNames, (name) => (name === 'smart197' ? (n % 10) + pending : n % 10)));

describe.each(storeKinds)('drift on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  test('is told once, in words, until it is over', async () => {
    const store = await open.open();
    const tell = (now: number) => store.transaction((tx) => tellDrift(tx, 1, { before: fleet(0), now: fleet(now) }));
    expect([await tell(0), await tell(8), await tell(8)]).toEqual([false, true, false]);
    const [raised] = await store.db.select().from(alert).where(isNull(alert.endedAtMs));
    expect(raised).toMatchObject({ rule: 'model.drift', severity: 'warning', ids: { features: 'smart197' } });
    expect(raised!.text).toMatch(
      /^The drives of the fleet report otherwise than a month ago: pending sectors \(stability index \d+\.\d\d, median 4 before, 12 now\)\.$/,
    );
    // What was seen is kept, a look a day.
    expect(await newestDriftLook(store.db)).toMatchObject({ day: 0, drives: 200, features: { 0: { feature: 'smart197', medianBefore: 4, median: 12 } } });
    expect(await pastDrift(store.db)).toEqual([{ day: 0, drives: 200, strongest: expect.closeTo(4.585, 3), drifted: ['smart197'] }]);
    await tell(0);
    expect(await pastDrift(store.db)).toMatchObject([{ strongest: 0, drifted: [] }]);
    expect((await store.db.select().from(event).orderBy(event.seq)).map((row) => row.type)).toEqual(['alert.raised', 'model.drift', 'alert.ended']);
  });
  test('a look at too few drives is kept as such, and looks are forgotten with the scores beside which they are looked at', async () => {
    const store = await open.open();
    const few = { before: fleet(0).slice(0, 29), now: fleet(8).slice(0, 29) };
    for (const day of [100, 300, 500]) await store.transaction((tx) => tellDrift(tx, day * 86_400_000, few));
    expect(await pastDrift(store.db)).toEqual([100, 300, 500].map((day) => ({ day, drives: 29, strongest: null, drifted: [] })));
    const prune = (rows: number) => store.transaction((tx) => pruneDriftLooks(tx, defaultLoopSettings.retention, 500 * 86_400_000, rows));
    expect([await prune(1), await prune(50), await prune(50)]).toEqual([1, 1, 0]);
    expect((await pastDrift(store.db)).map(({ day }) => day)).toEqual([500]);
  });
});
