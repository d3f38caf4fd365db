import type { DatasetId, PlanId, TargetId } from '@data-in-motion/shared/domain/ids';
import { expect, test } from 'vitest';
import { chooseImportTarget } from '../placement/choose-import-target.ts';
import { freeBytes } from './lookup.ts';
import { plansAtWork, withHeldRoom, withoutHolds } from './plan-holds.ts';
import { datasetFacts, fleetOf, nowMs, prices, targetFacts } from './testdata/small-fleet.ts';

const [berlin, paris] = ['berlin-disk' as TargetId, 'paris-disk' as TargetId];
const seen = { planId: 'seen' as PlanId, untilMs: nowMs + 1, bytes: { [berlin]: 60e9 }, datasetIds: [] };
const worked = { planId: 'worked' as PlanId, untilMs: null, bytes: { [berlin]: 30e9, [paris]: 5e9 }, datasetIds: ['maps' as DatasetId] };
const targets = [targetFacts('berlin-disk', { prices: prices(0.01) }), targetFacts('paris-disk')];
const fleet = fleetOf({ targets, datasets: [datasetFacts('maps', [], { copies: 1 })], holds: [seen, worked] });

test('what all plans hold of a target is added up, and is gone with the plan', () => {
  expect(withHeldRoom(fleet).targets.map(freeBytes)).toEqual([10e9, 95e9]);
  expect(withHeldRoom(withoutHolds(fleet, (hold) => hold.planId === 'seen')).targets.map(freeBytes)).toEqual([70e9, 95e9]);
  expect([...plansAtWork(fleet)]).toEqual([['maps', 'worked']]);
});

test('an import goes beside held room where it can', () => {
  const place = (sizeBytes: number, snapshot = withHeldRoom(fleet)) => {
    const choice = chooseImportTarget(snapshot, fleet.datasets[0]!, { sizeBytes, objects: 1, sourceNodeId: targets[0]!.nodeId });
    return 'targetId' in choice ? choice.targetId : null;
  };
  expect([place(20e9, fleet), place(20e9), place(5e9), place(96e9), place(96e9, fleet)]).toEqual([berlin, paris, berlin, null, berlin]);
});
