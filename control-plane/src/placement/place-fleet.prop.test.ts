import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyOnce, leaveOnce } from '../fleet/copy-cost.ts';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import { domainOf, freeBytes, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, TargetFacts } from '../fleet/snapshot.ts';
import { finishWork, withJobs } from '../fleet/testdata/finish-work.ts';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { changedEvacuations } from '../health/evacuations.ts';
import { targetHealth } from '../health/target-health.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { expectedUse } from '../heat/expected-use.ts';
import { violationsOfNewCopy } from '../policy/violations.ts';
import { copiesOf } from '../reconcile/copies.ts';
import { fleetNeeds } from '../reconcile/needs.ts';
import { fleetCost } from './cost.ts';
import { lastingPerMonth, objectiveOf, objectiveParts, presentObjective } from './objective.ts';
import { placeExact } from './place-exact.ts';
import { placeByPrices, placeFleet } from './place-fleet.ts';
import { PlacementMemory } from './placement-memory.ts';
import type { Move, Plan } from './plan.ts';

const settings = defaultDecisionSettings;
const made = fc.record({ seed: fc.integer(), room: fc.constantFrom(0.3, 1, 4), trouble: fc.constantFrom(0, 0.1, 0.3) });
type Made = typeof made extends fc.Arbitrary<infer Value> ? Value : never;
const fleetFrom = ({ seed, room, trouble }: Made): FleetSnapshot => randomFleet(seed, { targets: 8, datasets: 8, sites: 4, room, trouble });

/** Of whatever fleet was asked about before: it may cost time, never a rule. */
const memory = new PlacementMemory();
const placeFromMemory: typeof placeByPrices = (snapshot, needs, heats, placement) =>
  placeByPrices(snapshot, needs, heats, placement, undefined, undefined, memory);

const solvers = [
  ['exactly', placeExact],
  ['by prices', placeByPrices],
  ['by prices, from the answer before', placeFromMemory],
  ['as its size asks', placeFleet],
] as const;
type Solver = (typeof solvers)[number][1];

function planBy(solver: Solver, snapshot: FleetSnapshot): Promise<Plan> {
  const heats = fleetHeats(snapshot, settings.heat);
  return solver(snapshot, fleetNeeds(snapshot, heats), heats, settings.placement);
}

/** Counted copies, and those on drives that a model expects to fail: they are emptied in turn, and cease to count when it is theirs. */
function standing(snapshot: FleetSnapshot, dataset: DatasetFacts): number {
  const { devices, targets } = indexOf(snapshot);
  const { counted, leaving } = copiesOf(snapshot, dataset, targetHealth(snapshot));
  const isExpected = (deviceId: DeviceId): boolean => devices.get(deviceId)?.judgeKind === 'model' && devices.get(deviceId)?.level !== 'failing';
  return counted.length + leaving.filter((copy) => targets.get(copy.targetId)!.deviceIds.some(isExpected)).length;
}

/** What the control loop keeps between two passes: which drives are being emptied. */
function remember(snapshot: FleetSnapshot): FleetSnapshot {
  const begins = new Map(changedEvacuations(snapshot, settings).map((one) => [one.deviceId, one.begins]));
  const devices = snapshot.devices.map((device) =>
    begins.has(device.deviceId) ? { ...device, evacuatingSinceMs: begins.get(device.deviceId) ? snapshot.takenAtMs : null } : device,
  );
  return { ...snapshot, devices };
}

function partsOf(snapshot: FleetSnapshot, move: Move) {
  const fleet = indexOf(snapshot);
  const dataset = fleet.datasets.get(move.datasetId)!;
  return {
    dataset,
    here: fleet.targets.get(move.fromTargetId!)!,
    there: fleet.targets.get(move.toTargetId!)!,
    role: move.fromReplicaId === dataset.primaryReplicaId ? ('primary' as const) : ('copy' as const),
  };
}

/** What the way of a move costs: the cheapest of the copies that can be relied on is read, and the old place may bill the rest of its time. */
function onceOf(snapshot: FleetSnapshot, move: Move): number {
  const { targets } = indexOf(snapshot);
  const { dataset, here, there } = partsOf(snapshot, move);
  const { counted, leaving } = copiesOf(snapshot, dataset, targetHealth(snapshot));
  const sources = counted.length > 0 ? counted : leaving.length > 0 ? leaving : dataset.replicas.filter(({ replicaId }) => replicaId === move.readReplicaId);
  expect(sources.map(({ replicaId }) => replicaId)).toContain(move.readReplicaId);
  const reading = Math.min(...sources.map(({ targetId }) => copyOnce(targets.get(targetId)!, there, dataset)));
  const replaced = dataset.replicas.find(({ replicaId }) => replicaId === move.fromReplicaId)!;
  return reading + (move.action === 'move' ? leaveOnce(here, replaced, dataset, snapshot.takenAtMs) : 0);
}

// Hundreds of fleets each; the time is for a machine that does other work too.
describe.each(solvers)('a plan over any fleet, made %s', { timeout: 240_000 }, (_, solver) => {
  const planFor = (snapshot: FleetSnapshot): Promise<Plan> => planBy(solver, snapshot);

  test('breaks no rule: place, room, spread, role and one copy for a target', async () => {
    await fc.assert(
      fc.asyncProperty(made, async (parts) => {
        const snapshot = fleetFrom(parts);
        const plan = await planFor(snapshot);
        const fleet = indexOf(snapshot);
        const health = targetHealth(snapshot);
        const filled = new Map<string, number>();
        for (const move of plan.moves) {
          if (move.toTargetId === null) continue;
          const dataset = fleet.datasets.get(move.datasetId)!;
          const target = fleet.targets.get(move.toTargetId)!;
          const role = move.action === 'move' && move.fromReplicaId === dataset.primaryReplicaId ? 'primary' : 'copy';
          expect(violationsOfNewCopy(dataset.policy, target, role, health.get(target.targetId), move.sizeBytes)).toEqual([]);
          filled.set(target.targetId, (filled.get(target.targetId) ?? 0) + move.sizeBytes);
          const source = dataset.replicas.find((replica) => replica.replicaId === move.fromReplicaId)!;
          expect([source.state, source.targetId, source.versionId]).toEqual(['verified', move.fromTargetId, dataset.versionId]);
        }
        for (const [targetId, bytes] of filled) expect(bytes).toBeLessThanOrEqual(freeBytes(snapshot.targets.find((target) => target.targetId === targetId)!));
        for (const dataset of snapshot.datasets) {
          const own = plan.moves.filter((move) => move.datasetId === dataset.datasetId);
          const gone = new Set(own.flatMap((move) => (move.action === 'copy' ? [] : [move.fromReplicaId])));
          const staying = copiesOf(snapshot, dataset, health)
            .counted.filter((replica) => !gone.has(replica.replicaId))
            .map((replica) => replica.targetId);
          const domains = own.flatMap((move) => (move.toTargetId === null ? [] : [domainOf(fleet.targets.get(move.toTargetId)!, dataset.policy.spread)]));
          const taken = staying.map((targetId) => domainOf(fleet.targets.get(targetId)!, dataset.policy.spread));
          expect(new Set(domains).size).toBe(domains.length);
          expect(domains.filter((domain) => taken.includes(domain))).toEqual([]);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('states a cost after that is the cost of the fleet once its moves are made, and a bound below its objective', async () => {
    await fc.assert(
      fc.asyncProperty(made, async (parts) => {
        const snapshot = fleetFrom(parts);
        const heats = fleetHeats(snapshot, settings.heat);
        const plan = await planFor(snapshot);
        expect(plan.costBeforePerMonth).toBeCloseTo(fleetCost(snapshot, heats).perMonth, 6);
        expect(plan.costAfterPerMonth).toBeCloseTo(fleetCost(finishWork(snapshot, plan.moves), heats).perMonth, 6);
        expect(plan.lowerBoundPerMonth).toBeLessThanOrEqual(plan.objectivePerMonth);
        expect(objectiveOf(plan.parts)).toBeCloseTo(plan.objectivePerMonth, 9);
        for (const move of plan.moves) {
          if (move.toTargetId !== null) expect(move.migrationOnce).toBeCloseTo(onceOf(snapshot, move), 9);
          const days = move.paybackDays;
          if (move.need !== 'follow-heat' && move.need !== 'cheaper-place') {
            expect(days).toBeNull();
            continue;
          }
          expect(days).toBeLessThanOrEqual(settings.placement.horizonDays);
          const { dataset, here, there, role } = partsOf(snapshot, move);
          const use = expectedUse(heats.get(dataset.datasetId));
          const context = { snapshot, settings: settings.placement, evacuation: settings.evacuation };
          const worth = (target: TargetFacts) => lastingPerMonth(objectiveParts(context, dataset, role, target, { kind: 'there' }, use));
          const present = presentObjective(context, dataset, use);
          expect(worth(here) - worth(there)).toBeGreaterThanOrEqual(dataset.policy.forecastMargin * present - 1e-12);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('asks for nothing twice: with its moves under way, the next plan has none of them', async () => {
    await fc.assert(
      fc.asyncProperty(made, async (parts) => {
        const snapshot = fleetFrom(parts);
        const plan = await planFor(snapshot);
        const again = await planFor(withJobs(snapshot, plan.moves));
        const places = new Set(plan.moves.map((move) => `${move.datasetId} ${move.fromReplicaId} ${move.toTargetId}`));
        expect(again.moves.filter((move) => places.has(`${move.datasetId} ${move.fromReplicaId} ${move.toTargetId}`))).toEqual([]);
        // A pinned place that the first plan had no room for, or that the primary leaves because it is too slow there, is asked for again, by whichever copy may go there.
        const arePinsHeld = ({ datasetId, policy, replicas }: DatasetFacts): boolean =>
          policy.pinnedTargets.every(
            (targetId) =>
              replicas.some((copy) => copy.targetId === targetId && !plan.moves.some((move) => move.fromReplicaId === copy.replicaId)) ||
              plan.moves.some((move) => move.datasetId === datasetId && move.toTargetId === targetId),
          );
        const met = (datasetId: string): boolean =>
          plan.moves.some((move) => move.datasetId === datasetId) &&
          !plan.infeasible.some((open) => open.datasetId === datasetId) &&
          arePinsHeld(snapshot.datasets.find((dataset) => dataset.datasetId === datasetId)!);
        expect(
          again.moves.filter((move) => met(move.datasetId) && (move.need === 'add-copy' || move.need === 'evacuate-device') && move.action !== 'retire'),
        ).toEqual([]);
      }),
      {
        numRuns: 200,
        examples: [
          [{ seed: 299839140, room: 0.3, trouble: 0.3 }],
          [{ seed: 1526223242, room: 0.3, trouble: 0.3 }],
          [{ seed: 551066751, room: 0.3, trouble: 0.3 }],
        ],
      },
    );
  });

  test('comes to rest: pass after pass the copies never fall below what was wanted and had, until nothing is left to do', async () => {
    await fc.assert(
      fc.asyncProperty(made, async (parts) => {
        let snapshot: FleetSnapshot = { ...fleetFrom(parts), jobs: [] };
        const had = new Map(snapshot.datasets.map((dataset) => [dataset.datasetId, Math.min(dataset.policy.copies, standing(snapshot, dataset))]));
        for (let pass = 0; ; pass++) {
          const plan = await planFor(snapshot);
          if (plan.moves.length === 0) break;
          // Drives are emptied one after the other in so small a fleet.
          expect(pass).toBeLessThan(24);
          snapshot = remember(finishWork(remember(snapshot), plan.moves));
          for (const dataset of snapshot.datasets) {
            const now = standing(snapshot, dataset);
            expect(now).toBeGreaterThanOrEqual(had.get(dataset.datasetId)!);
            had.set(dataset.datasetId, Math.min(dataset.policy.copies, now));
          }
        }
        const { infeasible } = await planFor(snapshot);
        for (const need of fleetNeeds(snapshot, new Map())) expect(infeasible.map((open) => open.datasetId)).toContain(need.datasetId);
      }),
      { numRuns: 100 },
    );
  });

  // True of the optimum; prices come near it, and what they leave open may fall either way.
  if (solver !== placeByPrices && solver !== placeFromMemory)
    test('raising the price of a target never draws bytes to it', async () => {
      await fc.assert(
        fc.asyncProperty(fc.integer(), fc.nat(7), fc.constantFrom(1.1, 2, 10), async (seed, place, factor) => {
          const base = randomFleet(seed, { targets: 8, datasets: 8, sites: 4, room: 20, trouble: 0.05 });
          // Without minimum times: what leaving early costs grows with the price too.
          const fleet: FleetSnapshot = {
            ...base,
            targets: base.targets.map((target) => ({ ...target, prices: target.prices === null ? null : { ...target.prices, minimumDays: 0 } })),
          };
          const dear: FleetSnapshot = {
            ...fleet,
            targets: fleet.targets.map((target, at) =>
              at === place && target.prices !== null
                ? { ...target, prices: { ...target.prices, storagePerGbMonth: target.prices.storagePerGbMonth * factor } }
                : target,
            ),
          };
          const used = async (snapshot: FleetSnapshot): Promise<number> => finishWork(snapshot, (await planFor(snapshot)).moves).targets[place]!.usedBytes;
          expect(await used(dear)).toBeLessThanOrEqual(await used(fleet));
        }),
        { numRuns: 150 },
      );
    });
});

test('two solvers on one fleet: neither bound is above what the other found, and prices cost little more on fleets of eight datasets', {
  timeout: 240_000,
}, async () => {
  let compared = 0;
  let dearer = 0;
  await fc.assert(
    fc.asyncProperty(fc.record({ seed: fc.integer(), room: fc.constantFrom(1, 4), trouble: fc.constantFrom(0, 0.1) }), async (parts) => {
      const snapshot = fleetFrom(parts);
      const exact = await planBy(placeExact, snapshot);
      const priced = await planBy(placeByPrices, snapshot);
      // What answering a need is worth is weighed differently; where all are answered only dollars are left.
      if (exact.infeasible.length + priced.infeasible.length > 0) return;
      const tolerance = 1e-6 * Math.abs(exact.objectivePerMonth) + 1e-4 * exact.objectivePerMonth;
      expect(priced.lowerBoundPerMonth).toBeLessThanOrEqual(exact.objectivePerMonth + tolerance);
      expect(exact.lowerBoundPerMonth).toBeLessThanOrEqual(priced.objectivePerMonth + tolerance);
      compared++;
      dearer += priced.objectivePerMonth / exact.objectivePerMonth - 1;
    }),
    { numRuns: 200, examples: [[{ seed: 358607992, room: 1, trouble: 0.1 }]] },
  );
  expect(compared).toBeGreaterThan(50);
  expect(dearer / compared).toBeLessThan(0.03);
});
