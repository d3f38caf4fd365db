import type { NodeId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings as settings } from '../fleet/decision-settings.ts';
import type { TargetFacts } from '../fleet/snapshot.ts';
import { datasetFacts, fleetOf, prices, targetFacts } from '../fleet/testdata/small-fleet.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { fleetNeeds } from '../reconcile/needs.ts';
import { placeExact } from './place-exact.ts';
import { placeByPrices } from './place-fleet.ts';
import { sourceFor } from './read-source.ts';

const dear = prices(0.02, { egressPerGb: 0.09 });

describe('a new copy is read from', () => {
  const fromAmong = (held: readonly TargetFacts[], to: TargetFacts, replaced: string | null = null): string => {
    const dataset = datasetFacts(
      'maps',
      held.map(({ targetId }) => targetId),
    );
    const old = dataset.replicas.find(({ targetId }) => targetId === replaced) ?? null;
    return sourceFor(fleetOf({ targets: [...held, to], datasets: [dataset] }), dataset, dataset.replicas, to, old)!.targetId;
  };
  const rome = targetFacts('rome-disk');

  test('the copy that costs least to read there, though another is replaced', () => {
    expect(fromAmong([targetFacts('boston-disk', { prices: dear }), targetFacts('paris-disk')], rome, 'boston-disk')).toBe('paris-disk');
    // What does not leave its site and provider pays no egress.
    expect(fromAmong([targetFacts('boston-disk', { prices: prices(0.02, { egressPerGb: 0.01 }) }), targetFacts('rome-nvme', { prices: dear })], rome)).toBe(
      'rome-nvme',
    );
  });

  test('of equals the one on the same node, at the same site, or that is replaced', () => {
    const [berlin, paris] = [targetFacts('berlin-disk'), targetFacts('paris-disk')];
    const [beside, near] = [targetFacts('rome-nvme'), targetFacts('rome-tape', { nodeId: 'vault' as NodeId })];
    expect(fromAmong([berlin, paris, near, beside], rome, 'paris-disk')).toBe('rome-nvme');
    expect(fromAmong([berlin, paris, near], rome, 'paris-disk')).toBe('rome-tape');
    expect(fromAmong([berlin, paris], rome, 'paris-disk')).toBe('paris-disk');
    expect(fromAmong([berlin, paris], rome)).toBe('berlin-disk');
  });

  test('none where there is none', () => {
    const dataset = datasetFacts('maps', []);
    expect(sourceFor(fleetOf({ targets: [rome], datasets: [dataset] }), dataset, dataset.replicas, rome, null)).toBeNull();
  });
});

test.each([
  ['exactly', placeExact],
  ['by prices', placeByPrices],
] as const)('a plan made %s moves a copy for the price of reading another one, where that is what makes it pay', async (_, solver) => {
  const targets = [
    targetFacts('boston-disk', { prices: prices(0.03, { egressPerGb: 0.09 }) }),
    targetFacts('berlin-disk'),
    targetFacts('rome-disk', { prices: prices(0.01) }),
  ];
  const dataset = datasetFacts('maps', ['berlin-disk', 'boston-disk'], { pinnedTargets: ['berlin-disk' as TargetId] });
  const fleet = fleetOf({ targets, datasets: [dataset] });
  const heats = fleetHeats(fleet, settings.heat);
  const plan = await solver(fleet, fleetNeeds(fleet, heats), heats, settings.placement);
  // 10 GB out of Boston would cost $0.90 once, and the move saves $0.20 a month.
  expect(plan.moves).toMatchObject([
    {
      ...{
        fromTargetId: 'boston-disk',
        toTargetId: 'rome-disk',
        readReplicaId: 'maps@berlin-disk' as ReplicaId,
        readTargetId: 'berlin-disk',
        migrationOnce: 0,
      },
      reason: expect.stringContaining('it is read from berlin-disk'),
    },
  ]);
});
