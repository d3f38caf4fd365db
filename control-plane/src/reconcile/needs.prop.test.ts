import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { targetHealth } from '../health/target-health.ts';
import { copiesOf } from './copies.ts';
import { fleetNeeds } from './needs.ts';

const troubled = fc.record({ seed: fc.integer(), trouble: fc.constantFrom(0, 0.1, 0.3, 0.6) });
const fleetFrom = ({ seed, trouble }: { seed: number; trouble: number }): FleetSnapshot =>
  randomFleet(seed, { targets: 7, datasets: 6, sites: 4, room: 4, trouble });

test('whatever is wrong, letting go of everything that may go leaves the wanted copies verified in places that count, the primary among those kept', () => {
  fc.assert(
    fc.property(troubled, (made) => {
      const snapshot = fleetFrom(made);
      const health = targetHealth(snapshot);
      const dropped = new Set(fleetNeeds(snapshot, new Map()).flatMap((need) => (need.answer === 'drop' ? [need.replicaId] : [])));
      for (const dataset of snapshot.datasets) {
        const own = dataset.replicas.filter((replica) => dropped.has(replica.replicaId));
        if (own.length === 0) continue;
        const left = copiesOf(snapshot, dataset, health).counted.filter((replica) => !dropped.has(replica.replicaId));
        expect(left.length).toBeGreaterThanOrEqual(Math.max(1, dataset.policy.copies));
        expect(own.some((replica) => replica.replicaId === dataset.primaryReplicaId)).toBe(false);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a copy is in one need at most, and one that a job has in hand in none', () => {
  fc.assert(
    fc.property(troubled, (made) => {
      const snapshot = fleetFrom(made);
      const named = fleetNeeds(snapshot, new Map()).flatMap((need) => (need.replicaId === null ? [] : [need.replicaId]));
      expect(new Set(named).size).toBe(named.length);
      const inHand = snapshot.jobs.flatMap((job) => (job.purpose === 'move' || job.purpose === 'retire' ? [job.fromReplicaId] : []));
      expect(named.filter((replicaId) => inHand.includes(replicaId))).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});

test('needs are the same for the same snapshot, most urgent first', () => {
  fc.assert(
    fc.property(troubled, (made) => {
      const first = fleetNeeds(fleetFrom(made), new Map());
      expect(fleetNeeds(fleetFrom(made), new Map())).toEqual(first);
      const drops = first.map((need) => need.answer === 'drop' && need.kind.startsWith('drop'));
      expect(drops).toEqual([...drops].sort((a, b) => Number(a) - Number(b)));
    }),
    { numRuns: 300 },
  );
});
