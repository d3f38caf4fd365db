import type { JobId } from '@data-in-motion/shared/domain/ids';
import { and, eq, isNull } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { retryJob } from '../../src/store/job-wishes.ts';
import { restAfterGivingUpMs } from '../../src/store/jobs.ts';
import { alert, target } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { startedFleet } from './started-fleet.ts';

describe.each(storeKinds)('a job that is given up, on $kind', { timeout: 60_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  /** A dataset at rest, and a place for a second copy where every attempt fails in one way. */
  async function start(failure: { class: 'permanent' | 'space'; code: string }) {
    const all = await startedFleet(await open.open());
    const { fleet, db, jobOf } = all;
    const first = await all.addPhotos();
    const free = (await db.select().from(target)).find((one) => one.targetId !== first.targetId)!.targetId;
    /** Attempt after attempt, a minute apart, until nobody tries again. */
    const giveUp = async (jobId: JobId): Promise<void> => {
      for (let i = 0; (await jobOf(jobId)).state !== 'dead-letter'; i++) {
        if (i > 60) throw new Error(`${jobId} is ${(await jobOf(jobId)).state}`);
        await fleet.passAndWork(1, () => false);
        if ((await jobOf(jobId)).state === 'leased') await all.failed(jobId, failure);
        else await fleet.clock.advance(60_000);
      }
    };
    const alerts = () =>
      db
        .select({ times: alert.times })
        .from(alert)
        .where(and(eq(alert.rule, 'job.dead-letter'), isNull(alert.endedAtMs)));
    return { ...all, free, giveUp, alerts };
  }

  test('and planned again, and given up again, is one alert, which ends when it succeeds', async () => {
    const { fleet, plan, free, giveUp, alerts, jobOf } = await start({ class: 'permanent', code: 'EACCES' });
    const before = await plan(free);
    await giveUp(before);
    expect(await alerts()).toEqual([{ times: 1 }]);
    await fleet.clock.advance(restAfterGivingUpMs + 1);
    const again = await plan(free);
    expect(again).not.toBe(before);
    await giveUp(again);
    expect(await alerts()).toEqual([{ times: 2 }]);
    expect(await fleet.store.transaction((tx) => retryJob(tx, again, fleet.clock.nowMs()))).toEqual({ ok: true });
    await fleet.runUntil(async () => (await jobOf(again)).state === 'done');
    expect(await alerts()).toEqual([]);
    await fleet.dispatch.stop();
  });

  test('because its target never had the room that it told of has all its attempts again when a person says so', async () => {
    const { fleet, plan, free, giveUp, jobOf, failed } = await start({ class: 'space', code: 'EDQUOT' });
    const jobId = await plan(free);
    await giveUp(jobId);
    expect(await fleet.store.transaction((tx) => retryJob(tx, jobId, fleet.clock.nowMs()))).toEqual({ ok: true });
    const untilLeased = async (): Promise<void> => {
      for (let i = 0; (await jobOf(jobId)).state !== 'leased'; i++) {
        if (i > 40) throw new Error(`it is ${(await jobOf(jobId)).state}`);
        await fleet.passAndWork(1, () => false);
      }
    };
    await untilLeased();
    await failed(jobId, { class: 'space', code: 'EDQUOT' });
    await untilLeased();
    await fleet.dispatch.stop();
  });
});
