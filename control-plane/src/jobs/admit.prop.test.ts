import type { TargetId } from '@data-in-motion/shared/domain/ids';
import { pick, randomInt, seededRandom } from '@data-in-motion/shared/random';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { freeBytes, indexOf } from '../fleet/lookup.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { targetHealth } from '../health/target-health.ts';
import type { Move, NeedKind, Plan } from '../placement/plan.ts';
import { copiesOf } from '../reconcile/copies.ts';
import { admitPlan } from './admit.ts';

/** Moves that no planner would make: any copy to any place, and letting go of anything. Admission must stand on its own. */
function wildPlan(snapshot: FleetSnapshot, seed: number): Pick<Plan, 'moves'> {
  const random = seededRandom(seed);
  const moves = Array.from({ length: 25 }, (): Move => {
    const dataset = pick(random, snapshot.datasets);
    const replica = pick(random, dataset.replicas);
    const action = pick(random, ['copy', 'move', 'retire'] as const);
    const need: NeedKind = pick(random, ['add-copy', 'drop-copy', 'evacuate-device', 'follow-heat', 'cheaper-place', 'drop-stale-copy'] as const);
    return {
      datasetId: dataset.datasetId,
      need,
      action,
      deviceId: null,
      fromReplicaId: replica.replicaId,
      fromTargetId: replica.targetId,
      toTargetId: action === 'retire' ? null : pick(random, snapshot.targets).targetId,
      readReplicaId: action === 'retire' ? null : replica.replicaId,
      readTargetId: action === 'retire' ? null : replica.targetId,
      sizeBytes: dataset.sizeBytes,
      reason: '',
      confidence: random.next(),
      costBefore: null,
      costAfter: null,
      changePerMonth: 0,
      migrationOnce: 0,
      paybackDays: null,
      expectedMs: null,
      priority: pick(random, [0, 1, 2, 3, 4] as const),
    };
  });
  return { moves };
}

test('whatever a plan asks for: no target is overfilled, no limit is passed, no wanted and no last copy is let go, each place gets a dataset once', () => {
  fc.assert(
    fc.property(fc.integer(), fc.constantFrom(0, 0.2, 0.5), fc.constantFrom(0.2, 2), (seed, trouble, room) => {
      const snapshot = randomFleet(seed, { targets: 6, datasets: 5, sites: 3, room, trouble });
      const random = seededRandom(seed + 1);
      const limits = {
        underWayPerNode: randomInt(random, 1, 6),
        underWayPerLink: randomInt(random, 1, 4),
        underWayInFleet: randomInt(random, 1, 20),
        newPerPass: randomInt(random, 1, 10),
        evacuatingAtOnce: randomInt(random, 1, 4),
      };
      const answers = admitPlan(snapshot, wildPlan(snapshot, seed), limits);
      const admitted = answers.filter((answer) => answer.verdict === 'admitted').map((answer) => answer.move);
      for (const answer of answers) expect(answer.heldBecause === null).toBe(answer.verdict === 'admitted');

      expect(admitted.length).toBeLessThanOrEqual(limits.newPerPass);
      const fleet = indexOf(snapshot);
      for (const target of snapshot.targets) {
        const bytes = admitted.reduce((sum, move) => sum + (move.toTargetId === target.targetId ? move.sizeBytes : 0), 0);
        expect(bytes).toBeLessThanOrEqual(freeBytes(target));
      }
      for (const node of snapshot.nodes) {
        const here = admitted.filter((move) => fleet.targets.get((move.toTargetId ?? move.fromTargetId)!)!.nodeId === node.nodeId).length;
        expect(here).toBeLessThanOrEqual(limits.underWayPerNode);
      }
      const siteOf = (targetId: TargetId | null): string => fleet.targets.get(targetId!)!.siteId;
      const links = admitted.flatMap((move) => (move.toTargetId === null ? [] : [[siteOf(move.fromTargetId), siteOf(move.toTargetId)]]));
      for (const [from, to] of links)
        expect(from === to ? 0 : links.filter(([a, b]) => a === from && b === to).length).toBeLessThanOrEqual(limits.underWayPerLink);
      const places = admitted.flatMap((move) => (move.toTargetId === null ? [] : [`${move.datasetId} ${move.toTargetId}`]));
      expect(new Set(places).size).toBe(places.length);
      const health = targetHealth(snapshot);
      for (const dataset of snapshot.datasets) {
        const dropped = admitted.filter((move) => move.datasetId === dataset.datasetId && move.action === 'retire').map((move) => move.fromReplicaId);
        if (dropped.length === 0) continue;
        const left = copiesOf(snapshot, dataset, health).counted.filter((replica) => !dropped.includes(replica.replicaId));
        expect(left.length).toBeGreaterThanOrEqual(Math.max(1, dataset.policy.copies));
        expect(dropped).not.toContain(dataset.primaryReplicaId);
      }
    }),
    { numRuns: 2000 },
  );
});

test('the same plan on the same snapshot is answered the same', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const snapshot = randomFleet(seed, { targets: 6, datasets: 5, sites: 3, room: 1, trouble: 0.2 });
      const limits = { underWayPerNode: 2, underWayPerLink: 2, underWayInFleet: 10, newPerPass: 5, evacuatingAtOnce: 2 };
      expect(admitPlan(snapshot, wildPlan(snapshot, seed), limits)).toEqual(admitPlan(snapshot, wildPlan(snapshot, seed), limits));
    }),
    { numRuns: 200 },
  );
});
