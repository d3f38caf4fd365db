import { smallModel } from '@data-in-motion/shared/testdata/small-model';
import { sql } from 'drizzle-orm';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { leaderWrite } from '../../src/control-loop/parts.ts';
import { rollBackBehind } from '../../src/control-loop/roll-back-behind.ts';
import type { Store } from '../../src/store/database.ts';
import { activeVersion, addModel, promoteModel } from '../../src/store/failure-models.ts';
import { holdLeadership } from '../../src/store/leader.ts';
import { alert, audit, event } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { sameMetrics } from './measured-models.ts';

const dayMs = 86_400_000;
const nowMs = 500 * dayMs;
const [old, present] = [smallModel(), smallModel({ base: -4 })];

describe.each(storeKinds)('a roll-back by itself, on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  let store: Store;
  afterAll(() => open.stop());
  beforeEach(async () => {
    store = await open.open();
    await store.transaction(async (tx) => {
      for (const [i, model] of [old, present].entries()) {
        await addModel(tx, model, sameMetrics, 'anna', 1);
        await promoteModel(tx, model.version, { by: 'anna', expectedRev: null }, i + 2);
      }
    });
  }, 120_000);

  /** Scores over the days before drive `n` failed, or before now. */
  async function scored(version: string, level: string, p30: number, drives: readonly [number, number]): Promise<void> {
    await store.db.execute(sql`insert into model_score select ${version}, 'd' || n, day, 0.01, ${p30}::float8, ${level}
      from generate_series(${drives[0]}::int, ${drives[1]}::int) n, generate_series(440, 500) day`);
  }
  const failed = (count: number) =>
    store.db.execute(
      sql`insert into drive_outcome select 'd' || n, 'failed', (490 - n) * ${dayMs}::bigint, 'died', 'control-plane', null from generate_series(1, ${count}::int) n`,
    );
  async function look(): Promise<boolean> {
    const still = Object.assign(Object.create(store) as Store, { nowMs: async () => nowMs });
    return rollBackBehind({ store: still }, leaderWrite(still, (await holdLeadership(still, 'one', 1))!));
  }

  test('the active model that misses what the one before finds gives way to it: event, alert and audit say so', async () => {
    await failed(12);
    await scored(old.version, 'at-risk', 0.2, [1, 12]);
    await scored(present.version, 'healthy', 0.01, [1, 12]);
    await scored(old.version, 'healthy', 0.01, [13, 60]);
    await scored(present.version, 'healthy', 0.02, [13, 60]);
    expect(await look()).toBe(true);
    expect(await activeVersion(store.db)).toBe(old.version);
    const because = `on this fleet ${present.version} falls behind ${old.version}: of 12 failures, at 12 drives named by each, it found 0 and the model before 12 (chance 0.00024)`;
    expect(await store.db.select().from(alert)).toMatchObject([
      { rule: 'model.rolled-back', text: `The failure model was rolled back to ${old.version}: ${because}.` },
    ]);
    const [told] = (await store.db.select().from(event)).filter((row) => row.type === 'model.rolled-back');
    expect(told).toMatchObject({ by: 'control-plane', text: `Failure model ${old.version} is active again instead of ${present.version}: ${because}.` });
    expect(await store.db.select().from(audit)).toMatchObject([
      { who: 'control-plane', action: 'models.roll-back', subject: present.version, outcome: 'rolled back' },
    ]);
    // There is none before that one.
    expect(await look()).toBe(false);
  });

  test('noise does not: two that find about as many, too few failures, or days on which only one scored', async () => {
    await failed(12);
    await scored(old.version, 'at-risk', 0.2, [1, 9]);
    await scored(present.version, 'healthy', 0.01, [1, 4]);
    await scored(present.version, 'at-risk', 0.2, [5, 12]);
    await scored(old.version, 'healthy', 0.01, [10, 12]);
    expect(await look()).toBe(false);
    await store.db.execute(sql`delete from model_score`);
    await scored(old.version, 'at-risk', 0.2, [1, 12]);
    expect(await look()).toBe(false);
    await store.db.execute(sql`delete from drive_outcome where device_id not in ('d1', 'd2', 'd3')`);
    await scored(present.version, 'healthy', 0.01, [1, 12]);
    expect(await look()).toBe(false);
    expect(await activeVersion(store.db)).toBe(present.version);
  });
});
