import { driveFeatureNames } from '@data-in-motion/shared/domain/drive-features';
import type { FailureModel } from '@data-in-motion/shared/domain/failure-model';
import type { ModelVersion } from '@data-in-motion/shared/domain/ids';
import { smallModel } from '@data-in-motion/shared/testdata/small-model';
import { isNull } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { defaultLoopSettings } from '../../src/control-loop/parts.ts';
import { tellDrift } from '../../src/control-loop/watch-drift.ts';
import { distributionOf } from '../../src/learn/feature-distribution.ts';
import { newestDriftLook, pastDrift, readFirstLooks } from '../../src/store/drift-looks.ts';
import { addModel } from '../../src/store/failure-models.ts';
import { pruneDriftLooks } from '../../src/store/retention.ts';
import { alert, event } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';

const dayMs = 86_400_000;
const fleet = (pending: number, drives = 200) =>
  Array.from({ length: drives }, (_, n) => Float64Array.from(driveFeatureNames, (name) => (name === 'smart197' ? (n % 10) + pending : n % 10)));
const old = smallModel();
const trainedOn = (pending: number): FailureModel => smallModel({ distribution: distributionOf(fleet(pending, 5_000))! });

describe.each(storeKinds)('drift on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());
  const storeWith = async (...models: FailureModel[]) => {
    const store = await open.open();
    await store.transaction(async (tx) => {
      for (const model of models) await addModel(tx, model, null, 'anna', 1);
    });
    const look = (model: FailureModel | null, pending: number, day: number, drives?: number) =>
      store.transaction((tx) => tellDrift(tx, day * dayMs, { model, drives: fleet(pending, drives) }));
    const types = async () => (await store.db.select().from(event).orderBy(event.seq)).map((row) => row.type).filter((type) => type !== 'model.added');
    return { store, look, types };
  };

  test('from the first weeks of the model is told once, in words, until it is over', async () => {
    const { store, look, types } = await storeWith(old);
    expect([await look(old, 0, 100), await look(old, 8, 130), await look(old, 8, 131)]).toEqual([false, true, false]);
    const [raised] = await store.db.select().from(alert).where(isNull(alert.endedAtMs));
    expect(raised).toMatchObject({ rule: 'model.drift', severity: 'warning', ids: { features: 'smart197' } });
    expect(raised!.text).toMatch(
      /^The drives of the fleet report otherwise than in the first weeks of the failure model [0-9a-f]{12}: pending sectors \(stability index \d+\.\d\d, median 4 then, 12 now\)\.$/,
    );
    // What was seen is kept, a look a day. A model without a distribution can not be compared with its training.
    const newest = await newestDriftLook(store.db);
    expect(newest).toMatchObject({ day: 131, drives: 200, version: old.version, besideTraining: null });
    expect(newest!.features[0]).toMatchObject({ feature: 'smart197', medianBefore: 4, median: 12 });
    const nothing = { strongestUnlike: null, unlike: [] };
    const seen = { drives: 200, version: old.version, strongest: expect.closeTo(4.585, 3), drifted: ['smart197'], ...nothing };
    expect((await pastDrift(store.db)).slice(1)).toEqual([130, 131].map((day) => ({ day, ...seen })));
    await look(old, 0, 131);
    expect((await pastDrift(store.db))[2]).toMatchObject({ strongest: 0, drifted: [] });
    expect(await types()).toEqual(['alert.raised', 'model.drift', 'alert.ended']);
  });

  test('from the drives of the training is told once for each model, and neither raises an alert nor asks for another one', async () => {
    const [unlike, like] = [trainedOn(8), trainedOn(0)];
    const { store, look, types } = await storeWith(unlike, like);
    expect([await look(unlike, 0, 100), await look(unlike, 0, 101), await look(like, 0, 102)]).toEqual([false, false, false]);
    expect(await types()).toEqual(['model.unlike']);
    const [told] = (await store.db.select().from(event).orderBy(event.seq)).filter((row) => row.type === 'model.unlike');
    expect(told).toMatchObject({ severity: 'warning', ids: { features: 'smart197', version: unlike.version } });
    expect(told!.text).toMatch(
      new RegExp(
        `^The failure model ${unlike.version} was trained on drives unlike yours: 1 of \\d+ features differ, pending sectors \\(stability index \\d+\\.\\d\\d, median 12 there, 4 here\\)\\. `,
      ),
    );
    expect(await store.db.select().from(alert)).toEqual([]);
    expect((await pastDrift(store.db)).map(({ version, drifted, unlike: features }) => [version, drifted, features])).toEqual([
      [unlike.version, [], ['smart197']],
      [unlike.version, [], ['smart197']],
      [like.version, [], []],
    ]);
  });

  test('of a fleet of another make-up than the training is still a change of its own', async () => {
    const unlike = trainedOn(30);
    const { look, types } = await storeWith(unlike);
    expect([await look(unlike, 0, 100), await look(unlike, 8, 130)]).toEqual([false, true]);
    expect(await types()).toEqual(['model.unlike', 'alert.raised', 'model.drift']);
  });

  test('is that of the active model: another one begins with weeks of its own, and without one there is none', async () => {
    const next = smallModel({ base: -4 });
    const { store, look } = await storeWith(old, next);
    await look(old, 0, 100);
    expect([await look(old, 8, 130), await look(next, 8, 131), await look(old, 8, 132), await look(null, 8, 133)]).toEqual([true, false, true, false]);
    expect(await readFirstLooks(store.db, next.version as ModelVersion)).toMatchObject({ fromDay: 131, toDay: 131 });
    expect(await store.db.select().from(alert).where(isNull(alert.endedAtMs))).toEqual([]);
    expect(await newestDriftLook(store.db)).toMatchObject({ version: null, features: [], besideTraining: null });
  });

  test('a look at too few drives is kept as such, and looks are forgotten with the scores beside which they are looked at', async () => {
    const { store, look } = await storeWith(old);
    for (const day of [100, 300, 500]) await look(old, 0, day, 29);
    expect((await pastDrift(store.db)).map(({ day, drives, strongest, drifted }) => [day, drives, strongest, drifted])).toEqual(
      [100, 300, 500].map((day) => [day, 29, null, []]),
    );
    const prune = (rows: number) => store.transaction((tx) => pruneDriftLooks(tx, defaultLoopSettings.retention, 500 * dayMs, rows));
    expect([await prune(1), await prune(50), await prune(50)]).toEqual([1, 1, 0]);
    expect((await pastDrift(store.db)).map(({ day }) => day)).toEqual([500]);
  });
});
