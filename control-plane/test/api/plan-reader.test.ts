import { systemClock } from '@data-in-motion/shared/clock';
import { seededRandom } from '@data-in-motion/shared/random';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { FleetReader } from '../../src/api/fleet-reader.ts';
import { PlanReader } from '../../src/api/plan-reader.ts';
import type { Store } from '../../src/store/database.ts';
import { readFleetPlan } from '../../src/store/fleet-plan.ts';
import { type StoredMove, type StoredPlan, savePlan } from '../../src/store/plans.ts';
import { plan } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { type Interface, openInterface } from './interface.ts';

const random = seededRandom(4);

function moveOf(at: number): StoredMove {
  return {
    moveId: `move-${at}`,
    order: at + 1,
    datasetId: `set-${at % 7}`,
    need: 'cheaper-place',
    action: (['copy', 'move', 'retire'] as const)[at % 3]!,
    fromTargetId: at % 3 === 0 ? null : 'rome-disk',
    toTargetId: at % 3 === 2 ? null : 'berlin-nvme',
    sizeBytes: Math.floor(random.next() * 1e12),
    reason: 'it is cheaper there, “by far”',
    confidence: 1,
    costBefore: null,
    costAfter: null,
    changePerMonth: -random.next() * 1e-7,
    migrationOnce: 0,
    paybackDays: null,
    expectedMs: null,
    verdict: 'advised',
    heldBecause: 'the policy is advisory',
    jobId: null,
    fromReplicaId: at % 3 === 0 ? null : (`copy-${at}` as never),
    deviceId: null,
    priority: 3,
  };
}

function planOf(planId: string, moves: number): StoredPlan {
  const figures = { solvedInMs: 0, objectivePerMonth: 0, lowerBoundPerMonth: 0, costBeforePerMonth: 0, costAfterPerMonth: 0, migrationOnce: 0.1 };
  const infeasible = [{ datasetId: 'set-1', rules: ['spread'], cheapestWayOut: 'another site' }];
  const list = Array.from({ length: moves }, (_, at) => moveOf(at));
  return { planId, madeAtMs: systemClock.nowMs(), dryRun: false, state: 'current', solver: 'by hand', ...figures, moves: list, infeasible };
}

async function keep(store: Store, made: StoredPlan): Promise<void> {
  const basis = { priceRev: 1, settings: { horizonDays: 30, dollarsPerReadSec: 1 }, policies: [], datasets: {}, targets: {}, measured: {} };
  await store.transaction((tx) => savePlan(tx, made, { basis, heldUntilMs: 0 }, made.madeAtMs));
}

const shown = (answer: Uint8Array | null) => JSON.parse(new TextDecoder().decode(answer!)) as StoredPlan;

describe.each(storeKinds)('the current plan, on $kind', ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  test('is answered as it is kept, and its moves are added up as they stand in it', async () => {
    const store = await open.open();
    expect(await readFleetPlan(store)).toBeNull();
    expect(await new PlanReader(store).answer(false)).toBeNull();
    await keep(store, planOf('plan-1', 50));
    const [row] = await store.db.select().from(plan);
    const body = row!.body as StoredPlan;
    expect(shown(await new PlanReader(store).answer(false))).toEqual({ ...body, state: row!.state, roomHeldUntilMs: null });
    const { mark: _, ...read } = (await readFleetPlan(store))!;
    const { planId, madeAtMs, migrationOnce, infeasible } = body;
    const moves = body.moves.map(({ datasetId, action, fromReplicaId, fromTargetId, toTargetId, sizeBytes }) => ({
      ...{ datasetId, action, fromReplicaId, fromTargetId, toTargetId, sizeBytes },
    }));
    expect(read).toEqual({ planId, madeAtMs, migrationOnce, infeasible, moves });
  });
});

describe('over the interface', () => {
  let api: Interface;
  beforeAll(async () => {
    api = await openInterface();
  });
  afterAll(() => api.close());

  test('of a large fleet the one before is shown while a new one is read, but to nobody who changed something or asks for the newest', async () => {
    const [large, small] = [new FleetReader(api.store, 0), new FleetReader(api.store)];
    const idOf = async (reader: FleetReader, newest = false) => shown(await reader.planAnswer({ newest })).planId;
    await keep(api.store, planOf('plan-1', 200));
    for (const reader of [large, small]) {
      await reader.read();
      expect(await idOf(reader)).toBe('plan-1');
    }
    await keep(api.store, planOf('plan-2', 3));
    expect(await idOf(small)).toBe('plan-2');
    expect(await idOf(large)).toBe('plan-1');
    await vi.waitFor(async () => expect(await idOf(large)).toBe('plan-2'), { timeout: 10_000 });
    await keep(api.store, planOf('plan-3', 4));
    expect(await idOf(large, true)).toBe('plan-3');
    await keep(api.store, planOf('plan-4', 5));
    const begunBefore = large.planAnswer({ newest: false });
    large.forget();
    expect(await idOf(large)).toBe('plan-4');
    await begunBefore;
  });
});
