import type { ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { expect, test } from 'vitest';
import { datasetFacts, fleetOf, targetFacts } from '../fleet/testdata/small-fleet.ts';
import { orderMoves } from './order-moves.ts';
import { planMove } from './testdata/plan-move.ts';

const targets = ['berlin-disk', 'berlin-flash', 'paris-disk', 'paris-flash', 'rome-disk'].map((name) => targetFacts(name));
const maps = datasetFacts('maps', ['berlin-disk', 'paris-disk']);
const scans = datasetFacts('scans', ['berlin-disk', 'paris-disk', 'rome-disk']);
const fleet = fleetOf({ targets, datasets: [maps, scans] });
const names = (moves: readonly { reason: string }[]) => moves.map((move) => move.reason);

test('copies come before drops, the urgent before the rest, and then what saves most for each byte', () => {
  const drop = planMove(scans, 'rome-disk', null, { need: 'drop-stale-copy', priority: 0, reason: 'drop' });
  const cheap = planMove(maps, 'berlin-disk', 'rome-disk', { action: 'move', need: 'cheaper-place', priority: 3, changePerMonth: -1, reason: 'cheap' });
  const cheaper = planMove(scans, 'berlin-disk', 'berlin-flash', {
    action: 'move',
    need: 'cheaper-place',
    priority: 3,
    changePerMonth: -1,
    sizeBytes: 1e9,
    reason: 'cheaper',
  });
  const missing = planMove(maps, 'berlin-disk', 'rome-disk', { priority: 0, changePerMonth: 4, reason: 'missing' });
  expect(names(orderMoves(fleet, [drop, cheap, cheaper, missing]))).toEqual(['missing', 'cheaper', 'cheap', 'drop']);
});

test('of one dataset, the copy that leaves a site goes before the one that enters it', () => {
  const enters = planMove(maps, 'berlin-disk', 'paris-flash', { action: 'move', priority: 3, changePerMonth: -2, reason: 'enters' });
  const leaves = planMove(maps, 'paris-disk', 'rome-disk', { action: 'move', priority: 3, changePerMonth: -1, reason: 'leaves' });
  expect(names(orderMoves(fleet, [enters, leaves]))).toEqual(['leaves', 'enters']);
});

test('two copies that change places are both in the order, once', () => {
  const there = planMove(maps, 'berlin-disk', 'paris-flash', { action: 'move', priority: 3, reason: 'there' });
  const back = planMove(maps, 'paris-disk', 'berlin-flash', { action: 'move', priority: 3, reason: 'back' });
  expect(names(orderMoves(fleet, [there, back]))).toEqual(['there', 'back']);
});

test('what is alike keeps its order', () => {
  const alike = ['a', 'b', 'c'].map((reason) =>
    planMove(maps, 'berlin-disk', 'rome-disk', { reason, fromReplicaId: reason as ReplicaId, toTargetId: `${reason}` as TargetId }),
  );
  expect(orderMoves(fleet, alike)).toEqual(alike);
});
