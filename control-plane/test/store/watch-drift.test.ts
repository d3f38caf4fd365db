import { driveFeatureNames } from '@data-in-motion/shared/domain/drive-features';
import { isNull } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { tellDrift } from '../../src/control-loop/watch-drift.ts';
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
    await tell(0);
    expect((await store.db.select().from(event).orderBy(event.seq)).map((row) => row.type)).toEqual(['alert.raised', 'model.drift', 'alert.ended']);
  });
});
