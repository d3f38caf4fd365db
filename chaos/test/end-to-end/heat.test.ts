import { type CostParts, type DatasetDetail, type DatasetView, datasetView, type ReplicaView } from '@data-in-motion/shared/api/datasets';
import { type MoveView, planView } from '@data-in-motion/shared/api/decisions';
import { fleetStatus, type TargetView, targetView } from '@data-in-motion/shared/api/fleet';
import { accessEventsAnswer } from '@data-in-motion/shared/api/operations';
import { pricesView } from '@data-in-motion/shared/api/prices';
import { pricesAt } from '@data-in-motion/shared/domain/price';
import { afterAll, beforeAll, expect } from 'vitest';
import { z } from 'zod';
import { add, detailOf, says, until, untilMet, untilQuiet } from './asking.ts';
import { closeStages, openStage, type Stage, startMs, test } from './stage.ts';

/** Use makes a dataset move: to a fast place while it is read, to a cheap one when it is left alone. And every dollar is in the price book. */

const coldAfterMs = 25_000;
const sizeBytes = 4_000_000;
const bytesPerRead = 10_000;
/** Every read that was told, by dataset. */
const told = new Map<string, number>();
let stage: Stage;
beforeAll(async () => {
  stage = await openStage('heat', { controlPlane: { DIM_COLD_AFTER_MS: String(coldAfterMs), DIM_DWELL_MS: '1000', DIM_PLAN_EVERY_MS: '2000' } });
  for (const [i, name] of ['read', 'left'].entries()) await add(stage, name, { nodeId: 'berlin', sampleBytes: sizeBytes, seed: stage.seed + i }, { copies: 1 });
  for (const name of ['read', 'left']) await untilMet(stage, name);
}, startMs);
afterAll(closeStages, startMs);

test('what is read often moves to a faster place, what is left alone afterwards to a cheaper one', { timeout: 240_000 }, async () => {
  const [before] = await Promise.all([primaryOf('read'), primaryOf('left')]);
  await use('left', 800);
  const fast = await untilMoved(
    'left',
    60,
    ({ tier }) => tier === 'hot',
    () => use('read', 800),
  );
  expect(latencyOf(await targetOf(fast.targetId))).toBeLessThan(latencyOf(await targetOf(before.targetId)));
  const cheap = await untilMoved(
    'left',
    120,
    ({ tier }, heat) => tier !== 'hot' && heat === 'cold',
    () => use('read', 200),
  );
  expect(storagePrice(cheap.target)).toBeLessThan(storagePrice(fast.target));
  expect((await detailOf(stage, 'left')).dataset.heat).toMatchObject({ class: 'cold', score: 0 });

  const stays = await detailOf(stage, 'read');
  expect(stays.dataset.heat).toMatchObject({ class: 'hot' });
  expect((await targetOf(primaryIn(stays).targetId)).tier).toBe('hot');
  expect(stays.history.map((line) => line.text).join('\n')).toMatch(/hot/);
});

test('what the plan costs is what the price book says, to the cent and beyond', { timeout: 120_000 }, async () => {
  await untilQuiet(stage);
  await use('read', 500);
  const { dryRun, details, targets } = await until('a moment in which nothing changes', 60, async (seen) => {
    const first = await standing();
    const plan = await stage.fleet.api.call('makePlan', planView, { body: { dryRun: true } });
    const second = await standing();
    seen(`${JSON.stringify(first)} and ${JSON.stringify(second)}`);
    if (JSON.stringify(first) !== JSON.stringify(second)) return undefined;
    const views = (await stage.fleet.api.list('datasets', datasetView)).items;
    return {
      dryRun: plan,
      details: await Promise.all(views.map((one) => detailOf(stage, one.datasetId))),
      targets: (await stage.fleet.api.list('targets', targetView)).items,
    };
  });
  const byId = new Map(targets.map((target) => [target.targetId, target]));
  const book = (await stage.fleet.api.call('prices', pricesView)).entries;
  for (const target of targets) expect(target.prices, target.targetId).toEqual(pricesAt(book, target.priceClass, Date.now()));

  let shown = 0;
  let real = 0;
  for (const { dataset, replicas } of details) {
    let cost = 0;
    for (const replica of replicas.filter((one) => one.state === 'verified' || one.state === 'trashed')) {
      const wanted = priced(dataset, replica, byId.get(replica.targetId)!, shownUse(dataset));
      expect(perMonth(replica.cost!), `${dataset.datasetId} on ${replica.targetId}`).toBeCloseTo(perMonth(wanted), 6);
      expect(replica.cost!.storagePerMonth).toBeCloseTo(wanted.storagePerMonth, 9);
      cost += perMonth(wanted);
      real += perMonth(priced(dataset, replica, byId.get(replica.targetId)!, realUse(dataset)));
    }
    expect(dataset.costPerMonth, dataset.datasetId).toBeCloseTo(cost, 6);
    shown += cost;
  }
  expect(dryRun.costBeforePerMonth).toBeCloseTo(real, 6);
  expect(dryRun.costAfterPerMonth).toBeCloseTo(real + dryRun.moves.reduce((sum, move) => sum + move.changePerMonth, 0), 6);
  const status = await stage.fleet.api.call('status', fleetStatus);
  expect(status.cost.perMonth).toBeCloseTo(shown, 6);
  expect(Object.values(status.cost.byTier).reduce((sum, one) => sum + one, 0)).toBeCloseTo(shown, 6);
});

test('a move that a policy forces is priced the same way before it is made', { timeout: 60_000 }, async () => {
  const detail = await detailOf(stage, 'left');
  const from = primaryIn(detail);
  await stage.fleet.api.call('patchDatasetPolicy', z.looseObject({}), {
    path: { datasetId: 'left' },
    body: { set: { forbiddenTargets: [from.targetId], mode: 'automated' } },
  });
  const move = await until('the move in a plan', 30, async (seen) => {
    const plan = await stage.fleet.api.call('currentPlan', planView);
    seen(JSON.stringify(plan.moves.map((one) => [one.datasetId, one.action, one.fromTargetId, one.toTargetId])));
    return plan.moves.find((one): one is MoveView => one.datasetId === 'left' && one.action === 'move' && one.fromTargetId === from.targetId);
  });
  const to = await targetOf(move.toTargetId!);
  const here = await targetOf(from.targetId);
  expect(perMonth(move.costBefore!)).toBeCloseTo((detail.dataset.sizeBytes / 1e9) * here.prices!.storagePerGbMonth, 6);
  expect(perMonth(move.costAfter!)).toBeCloseTo((detail.dataset.sizeBytes / 1e9) * to.prices!.storagePerGbMonth, 6);
  expect(move.changePerMonth).toBeCloseTo(perMonth(move.costAfter!) - perMonth(move.costBefore!), 9);
});

interface Use {
  readonly readsPerMonth: number;
  readonly readBytesPerMonth: number;
}

const shares = { '1h': 0.2, '6h': 0.3, '24h': 0.5 };
const hours = { '1h': 1, '6h': 6, '24h': 24 };

/** What the windows of a dataset's shown heat make of a month of 730 hours; that heat is up to a minute old. */
function shownUse({ heat }: DatasetView): Use {
  const used = heat === null || heat.score === 0 ? [] : heat.windows;
  const perMonthOf = (what: 'reads' | 'readBytes'): number => 730 * used.reduce((sum, one) => sum + (shares[one.window] * one[what]) / hours[one.window], 0);
  return { readsPerMonth: perMonthOf('reads'), readBytesPerMonth: perMonthOf('readBytes') };
}

/** What was really read, all of it within the hour; nothing of a dataset that is cold by now. */
function realUse({ datasetId, heat }: DatasetView): Use {
  const reads = heat?.score === 0 ? 0 : (told.get(datasetId) ?? 0);
  const readsPerMonth = 730 * reads * (shares['1h'] / 1 + shares['6h'] / 6 + shares['24h'] / 24);
  return { readsPerMonth, readBytesPerMonth: readsPerMonth * bytesPerRead };
}

/** Storage for every copy; requests and egress for the primary, which readers use. */
function priced(dataset: DatasetView, replica: ReplicaView, { prices }: TargetView, use: Use): CostParts {
  const readers = replica.primary ? 1 : 0;
  return {
    storagePerMonth: (Math.max(dataset.sizeBytes, dataset.objects * prices!.minimumObjectBytes) / 1e9) * prices!.storagePerGbMonth,
    requestsPerMonth: readers * (use.readsPerMonth / 1_000) * prices!.readsPer1000,
    retrievalPerMonth: readers * (use.readBytesPerMonth / 1e9) * prices!.retrievalPerGb,
    egressPerMonth: readers * (use.readBytesPerMonth / 1e9) * prices!.egressPerGb,
    migrationOnce: 0,
  };
}

function perMonth(cost: CostParts): number {
  return cost.storagePerMonth + cost.requestsPerMonth + cost.retrievalPerMonth + cost.egressPerMonth;
}

async function standing(): Promise<unknown> {
  const views = (await stage.fleet.api.list('datasets', datasetView)).items;
  return Promise.all(
    views.map(async (one) => {
      const { dataset, replicas } = await detailOf(stage, one.datasetId);
      return [
        dataset.datasetId,
        dataset.heat?.class,
        dataset.heat?.windows,
        dataset.heat?.score === 0,
        replicas.map((replica) => [replica.replicaId, replica.state]),
      ];
    }),
  );
}

async function use(datasetId: string, times: number): Promise<void> {
  await stage.fleet.api.call('accessEvents', accessEventsAnswer, {
    body: { accesses: [{ datasetId, kind: 'read', count: times, bytes: times * bytesPerRead }] },
  });
  told.set(datasetId, (told.get(datasetId) ?? 0) + times);
}

async function untilMoved(
  datasetId: string,
  withinSeconds: number,
  isThere: (target: TargetView, heat: string | undefined) => boolean,
  meanwhile: () => Promise<void>,
): Promise<{ targetId: string; target: TargetView }> {
  let rounds = 0;
  return until(`${datasetId} to move`, withinSeconds, async (seen) => {
    if (rounds++ % 20 === 0) await meanwhile();
    const detail = await detailOf(stage, datasetId);
    seen(`${says(detail)}; ${detail.dataset.heat?.reason}`);
    const { targetId } = primaryIn(detail);
    const target = await targetOf(targetId);
    return isThere(target, detail.dataset.heat?.class) && detail.dataset.policyState === 'met' ? { targetId, target } : undefined;
  });
}

function primaryIn(detail: DatasetDetail): ReplicaView {
  return detail.replicas.find((one) => one.primary)!;
}

async function primaryOf(datasetId: string): Promise<ReplicaView> {
  return primaryIn(await detailOf(stage, datasetId));
}

async function targetOf(targetId: string): Promise<TargetView> {
  return (await stage.fleet.api.list('targets', targetView)).items.find((one) => one.targetId === targetId)!;
}

function latencyOf(target: TargetView): number {
  return target.latencyP95Ms ?? Number.NaN;
}

function storagePrice(target: TargetView): number {
  return target.prices!.storagePerGbMonth;
}
