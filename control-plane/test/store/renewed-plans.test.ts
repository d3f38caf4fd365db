import type { ReplicaId } from '@data-in-motion/shared/domain/ids';
import { afterAll, describe, expect, test } from 'vitest';
import { type StoredMove, type StoredPlan, savePlan } from '../../src/store/plans.ts';
import { storeKinds } from '../stores.ts';

const move: StoredMove = {
  moveId: 'one',
  datasetId: 'photos',
  need: 'add-copy',
  action: 'copy',
  fromTargetId: null,
  toTargetId: 'paris-disk',
  sizeBytes: 1e9,
  reason: '1 of 2 wanted copies are verified',
  confidence: 1,
  costBefore: null,
  costAfter: null,
  changePerMonth: 1,
  migrationOnce: 0,
  paybackDays: null,
  expectedMs: null,
  verdict: 'advised',
  heldBecause: 'the policy of photos is advisory',
  jobId: null,
  fromReplicaId: null,
  deviceId: null,
  priority: 0,
};

describe.each(storeKinds)('a plan that is made anew, on $kind', ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  test('keeps the name of the one before only while it says the same of the same bytes', async () => {
    const store = await open.open();
    const save = (planId: string, madeAtMs: number, moves: StoredMove[], dollarsPerReadSec = 1) => {
      const figures = { solvedInMs: 0, objectivePerMonth: 0, lowerBoundPerMonth: 0, costBeforePerMonth: 0, costAfterPerMonth: 0, migrationOnce: 0 };
      const made: StoredPlan = { planId, madeAtMs, dryRun: false, state: 'current', solver: 'exact', ...figures, moves, infeasible: [] };
      const basis = { priceRev: 1, settings: { horizonDays: 30, dollarsPerReadSec }, policies: [], datasets: {}, targets: {}, measured: {} };
      return store
        .transaction((tx) => savePlan(tx, made, { basis, heldUntilMs: madeAtMs }, madeAtMs))
        .then(({ view, isNew }) => [view.planId, isNew, view.moves[0]!.moveId]);
    };
    expect(await save('plan-1', 1, [move])).toEqual(['plan-1', true, 'one']);
    expect(await save('plan-2', 2, [{ ...move, moveId: 'two', changePerMonth: 1.01 }])).toEqual(['plan-1', false, 'one']);
    // The same moves on other grounds are not what was agreed to.
    expect(await save('plan-2b', 2, [{ ...move, moveId: 'two' }], 2)).toEqual(['plan-2b', true, 'two']);
    // A new version of the dataset: who agreed to copy 1 GB did not agree to copy 1 TB.
    expect(await save('plan-3', 3, [{ ...move, moveId: 'three', sizeBytes: 1e12 }], 2)).toEqual(['plan-3', true, 'three']);
    // On the same grounds, one move that says something else than the one before it.
    const others: Partial<StoredMove>[] = [
      { toTargetId: 'rome-disk' },
      { need: 'evacuate-device' },
      { verdict: 'held' },
      { heldBecause: 'the fleet has enough to do' },
      { fromReplicaId: 'replica-1' as StoredMove['fromReplicaId'] },
      { readReplicaId: 'replica-2' as ReplicaId },
    ];
    for (const [at, other] of others.entries())
      expect(await save(`plan-4${at}`, 4 + at, [{ ...move, moveId: `four-${at}`, ...other }], 2), JSON.stringify(other)).toEqual([
        `plan-4${at}`,
        true,
        `four-${at}`,
      ]);
  });
});
