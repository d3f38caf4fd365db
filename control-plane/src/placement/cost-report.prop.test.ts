import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultDecisionSettings as settings } from '../fleet/decision-settings.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { fleetNeeds } from '../reconcile/needs.ts';
import { fleetCost, isPaid } from './cost.ts';
import { type CostLine, costReport } from './cost-report.ts';
import { placeExact } from './place-exact.ts';

const fleets = fc
  .record({ seed: fc.integer(), room: fc.constantFrom(0.3, 2), trouble: fc.constantFrom(0, 0.2, 0.5) })
  .map(({ seed, room, trouble }) => randomFleet(seed, { targets: 8, datasets: 12, sites: 4, room, trouble }));

/** Bytes of the copies that are paid for, each of its own version. */
function bytesIn({ datasets, targets }: FleetSnapshot): number {
  const places = new Set(targets.map(({ targetId }) => targetId));
  return datasets.reduce((sum, { versionId, sizeBytes, otherVersions, replicas }) => {
    const sizes = new Map([[versionId, sizeBytes], ...(otherVersions ?? []).map((other) => [other.versionId, other.sizeBytes] as const)]);
    return sum + replicas.reduce((bytes, copy) => bytes + (isPaid(copy) && places.has(copy.targetId) ? sizes.get(copy.versionId)! : 0), 0);
  }, 0);
}

const parts = ['storagePerMonth', 'requestsPerMonth', 'retrievalPerMonth', 'egressPerMonth'] as const;

function sum(lines: readonly CostLine[], of: (line: CostLine) => number): number {
  return lines.reduce((total, line) => total + of(line), 0);
}

test('whichever way the cost is divided, each part of it has the same sum, before and after the plan', async () => {
  await fc.assert(
    fc.asyncProperty(fleets, async (snapshot) => {
      const heats = fleetHeats(snapshot, settings.heat);
      const plan = await placeExact(snapshot, fleetNeeds(snapshot, heats, settings), heats, settings.placement);
      const report = await costReport(snapshot, heats, plan.moves);
      expect(report.total.perMonth).toBeCloseTo(fleetCost(snapshot, heats).perMonth, 9);
      expect(report.total.afterPerMonth).toBeCloseTo(plan.costAfterPerMonth, 6);
      expect(report.total.bytes).toBe(bytesIn(snapshot));
      for (const split of [report.tiers, report.targets, report.owners]) {
        for (const part of parts) expect(sum(split, (line) => line.cost[part])).toBeCloseTo(report.total.cost[part], 9);
        expect(sum(split, (line) => line.perMonth)).toBeCloseTo(report.total.perMonth, 9);
        expect(sum(split, (line) => line.afterPerMonth!)).toBeCloseTo(report.total.afterPerMonth!, 9);
        expect(sum(split, (line) => line.share)).toBeCloseTo(report.total.perMonth === 0 ? 0 : 1, 9);
        expect(sum(split, (line) => line.copies)).toBe(report.total.copies);
        expect(sum(split, (line) => line.bytes)).toBe(report.total.bytes);
      }
      expect(sum(report.owners, (line) => line.datasets)).toBe(snapshot.datasets.length);
    }),
    { numRuns: 100 },
  );
});

test('moves that are made already, and such as can not be made any more, are not counted twice', async () => {
  await fc.assert(
    fc.asyncProperty(fleets, async (snapshot) => {
      const heats = fleetHeats(snapshot, settings.heat);
      const plan = await placeExact(snapshot, fleetNeeds(snapshot, heats, settings), heats, settings.placement);
      const twice = await costReport(snapshot, heats, [...plan.moves, ...plan.moves]);
      expect(twice.total.afterPerMonth).toBeCloseTo(plan.costAfterPerMonth, 6);
      expect((await costReport(snapshot, heats, null)).total.afterPerMonth).toBeNull();
    }),
    { numRuns: 50 },
  );
});
