import type { TargetId } from '@data-in-motion/shared/domain/ids';
import type { Policy } from '@data-in-motion/shared/domain/policy';
import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import { freeBytes } from '../fleet/lookup.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { datasetFacts, deviceFacts, fleetOf, nodeFacts, nowMs, prices, replicaFacts, targetFacts, windowsOf } from '../fleet/testdata/small-fleet.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { fleetNeeds } from '../reconcile/needs.ts';
import { placeExact } from './place-exact.ts';
import type { Plan } from './plan.ts';

const settings = defaultDecisionSettings;

/** Three tiers at two sites: fast and dear, slow and cheap. */
const targets = (['berlin', 'paris'] as const).flatMap((site) => [
  targetFacts(`${site}-nvme`, { tier: 'hot', latencyP95Ms: 0.3, prices: prices(0.12) }),
  targetFacts(`${site}-disk`, { tier: 'warm', latencyP95Ms: 12, prices: prices(0.02) }),
  targetFacts(`${site}-archive`, { tier: 'cold', latencyP95Ms: 60, prices: prices(0.004) }),
]);

async function planFor(fleet: FleetSnapshot, placement = settings.placement): Promise<Plan> {
  const heats = fleetHeats(fleet, settings.heat);
  return placeExact(fleet, fleetNeeds(fleet, heats), heats, placement);
}

/** Where the copies of the only dataset are after the plan, primary first. */
async function placesAfter(policy: Partial<Policy>, places: readonly string[]): Promise<string[]> {
  const dataset = datasetFacts('maps', places, policy, { sizeBytes: 1e9 });
  const plan = await planFor(fleetOf({ targets, datasets: [dataset] }));
  const moved = dataset.replicas.map(
    (replica) => plan.moves.find((move) => move.action === 'move' && move.fromReplicaId === replica.replicaId)?.toTargetId ?? replica.targetId,
  );
  return [...moved, ...plan.moves.flatMap((move) => (move.action === 'copy' ? [move.toTargetId!] : []))];
}

describe('rules that a plan keeps', () => {
  const cold = datasetFacts('maps', ['berlin-disk', 'paris-disk'], {}, { sizeBytes: 1e9 });

  test('a move that does not pay back within the horizon is not proposed', async () => {
    const dearToLeave = targets.map((target) =>
      target.tier === 'warm' ? { ...target, prices: prices(0.02, { egressPerGb: 0.09 }), provider: `own-${target.siteId}` } : target,
    );
    expect((await planFor(fleetOf({ targets: dearToLeave, datasets: [cold] }))).moves).toEqual([]);
    expect((await planFor(fleetOf({ targets, datasets: [cold] }))).moves).toHaveLength(2);
  });

  test('a saving below the margin of the policy is left alone, and so is a dataset that has just moved', async () => {
    const alike = targets.map((target) => (target.tier === 'cold' ? { ...target, prices: prices(0.0195) } : target));
    expect((await planFor(fleetOf({ targets: alike, datasets: [cold] }))).moves).toEqual([]);
    const moved = { ...cold, lastMovedAtMs: nowMs - settings.placement.dwellMs / 2 };
    expect((await planFor(fleetOf({ targets, datasets: [moved] }))).moves).toEqual([]);
  });

  test('a missing copy is made at the cheapest place at another site, with the reason in words', async () => {
    const plan = await planFor(fleetOf({ targets, datasets: [datasetFacts('maps', ['berlin-archive'])] }));
    expect(plan.moves).toMatchObject([
      { need: 'add-copy', action: 'copy', fromTargetId: 'berlin-archive', toTargetId: 'paris-archive', priority: 0, confidence: 1 },
    ]);
    expect(plan.moves[0]!.reason).toContain('1 of 2 wanted copies');
  });

  test('a risky device is emptied to a healthy place, named by its device and its probability', async () => {
    const risky = targets.map((target) => (target.targetId === 'berlin-archive' ? { ...target, deviceIds: [deviceFacts('sda').deviceId] } : target));
    const plan = await planFor(
      fleetOf({
        targets: risky,
        devices: [deviceFacts('sda', { level: 'at-risk', probability: 0.8 })],
        datasets: [datasetFacts('maps', ['berlin-archive', 'paris-archive'])],
      }),
    );
    expect(plan.moves).toMatchObject([
      { need: 'evacuate-device', action: 'move', deviceId: 'sda', fromTargetId: 'berlin-archive', toTargetId: 'berlin-disk', confidence: 0.8, priority: 0 },
    ]);
  });

  test('a target that is nearly full takes only what fits, and the rest goes to the next', async () => {
    const tight = targets.map((target) => (target.targetId === 'paris-archive' ? { ...target, capacityBytes: 15e9, reserveBytes: 4e9 } : target));
    const datasets = ['a', 'b', 'c'].map((name) => datasetFacts(name, ['berlin-archive']));
    const plan = await planFor(fleetOf({ targets: tight, datasets }));
    expect(plan.moves.map((move) => move.toTargetId).sort()).toEqual(['paris-archive', 'paris-disk', 'paris-disk']);
    expect(plan.objectivePerMonth - plan.lowerBoundPerMonth).toBeLessThan(1e-6);
  });

  test('rules that clash are named with the cheapest way out, and the others are still placed', async () => {
    const clash = datasetFacts('a', ['berlin-archive'], { regions: ['mars'], encryptionRequired: true });
    const plan = await planFor(fleetOf({ targets, datasets: [clash, datasetFacts('b', ['berlin-archive'])] }));
    expect(plan.infeasible).toMatchObject([{ datasetId: 'a', rules: ['region'] }]);
    expect(plan.infeasible[0]!.cheapestWayOut).toContain('allow the region eu');
    expect(plan.moves).toMatchObject([{ datasetId: 'b', action: 'copy' }]);
  });

  test('when the moves of one plan want more room than there is, the one left out is told where room would help', async () => {
    const tight = targets.filter((target) => target.tier === 'cold').map((target) => ({ ...target, capacityBytes: 15e9 }));
    const plan = await planFor(fleetOf({ targets: tight, datasets: ['a', 'b'].map((name) => datasetFacts(name, ['berlin-archive'])) }));
    expect(plan.moves).toHaveLength(1);
    expect(plan.infeasible).toMatchObject([{ rules: ['capacity'], cheapestWayOut: 'make room on paris-archive: $0.04 a month there' }]);
  });

  test('a latency that no place keeps is infeasible and names the SLO; no plan puts the primary on a slower or unmeasured place', async () => {
    const plan = await planFor(
      fleetOf({
        targets: [...targets, targetFacts('rome-new', { latencyP95Ms: null, prices: prices(0.001) })],
        datasets: [datasetFacts('a', ['berlin-disk', 'paris-disk'], { latencySloMs: 0.1 })],
      }),
    );
    expect(plan.moves.filter((move) => move.fromTargetId === 'berlin-disk')).toEqual([]);
    expect(plan.infeasible).toMatchObject([{ datasetId: 'a', rules: ['latency-slo'] }]);
  });

  test('the cost after is the cost before with every move applied, to the cent and far below it', async () => {
    const datasets = [
      cold,
      datasetFacts('hot', ['berlin-archive', 'paris-archive'], {}, { sizeBytes: 3e9, windows: windowsOf(5000, 1e5), lastAccessAtMs: nowMs }),
    ];
    const plan = await planFor(fleetOf({ targets, datasets }));
    expect(plan.moves.length).toBeGreaterThan(2);
    const places = datasets.flatMap((dataset) =>
      dataset.replicas.map((replica) => ({
        gb: dataset.sizeBytes / 1e9,
        at: plan.moves.find((move) => move.fromReplicaId === replica.replicaId)?.toTargetId ?? replica.targetId,
      })),
    );
    const after = places.reduce((sum, { gb, at }) => sum + gb * targets.find((target) => target.targetId === at)!.prices!.storagePerGbMonth, 0);
    expect(plan.costAfterPerMonth).toBeCloseTo(after, 9);
  });

  test('a price that changes changes the objective by the gigabytes that pay it', async () => {
    const still = datasetFacts('maps', ['berlin-disk', 'paris-disk'], {}, { sizeBytes: 250e9, lastMovedAtMs: nowMs });
    const at = async (price: number) =>
      (
        await planFor(
          fleetOf({ targets: targets.map((target) => (target.targetId === 'berlin-disk' ? { ...target, prices: prices(price) } : target)), datasets: [still] }),
        )
      ).objectivePerMonth;
    expect((await at(0.023)) - (await at(0.02))).toBeCloseTo(250 * 0.003, 9);
  });

  test('when the time is up the plan is what was found, still within every rule and with an honest bound', async () => {
    const fleet = randomFleet(1, { targets: 15, datasets: 150, sites: 5, room: 0.12, trouble: 0.1 });
    const plan = await planFor(fleet, { ...settings.placement, timeLimitMs: 1 });
    expect(plan.moves.length).toBeGreaterThan(50);
    expect(plan.lowerBoundPerMonth).toBeLessThanOrEqual(plan.objectivePerMonth);
    expect(plan.lowerBoundPerMonth).toBeGreaterThan(0);
    for (const target of fleet.targets)
      expect(plan.moves.reduce((sum, move) => sum + (move.toTargetId === target.targetId ? move.sizeBytes : 0), 0)).toBeLessThanOrEqual(freeBytes(target));
  });

  test('a pinned target gets its copy', async () => {
    expect(await placesAfter({ pinnedTargets: ['paris-nvme' as TargetId] }, ['berlin-archive'])).toEqual(['berlin-archive', 'paris-nvme']);
    expect(await placesAfter({ pinnedTargets: ['paris-nvme' as TargetId] }, ['berlin-archive', 'paris-archive'])).toEqual(['berlin-archive', 'paris-nvme']);
  });

  test('a copy that can not go to its pinned target is kept from it by what is wrong there, not by a lack of room', async () => {
    const pinned = targets.map((target) => (target.targetId === 'paris-nvme' ? { ...target, deviceIds: [deviceFacts('sda').deviceId] } : target));
    const policy = { copies: 2, pinnedTargets: ['paris-nvme' as TargetId] };
    const dataset = datasetFacts('a', ['berlin-archive', 'paris-archive'], policy);
    const plan = await planFor(fleetOf({ targets: pinned, datasets: [dataset], devices: [deviceFacts('sda', { level: 'failing' })] }));
    expect(plan.infeasible).toMatchObject([{ rules: ['risky-device'], cheapestWayOut: expect.stringContaining('replace the risky drive of paris-nvme') }]);
  });

  test('a place that is not the cheapest per month says so, with what the cheaper one would cost once', async () => {
    const dear = [
      targetFacts('berlin-disk'),
      targetFacts('rome-disk', { prices: prices(0.03) }),
      targetFacts('oslo-disk', { prices: prices(0.01, { writesPer1000: 5 }) }),
    ];
    const plan = await planFor(fleetOf({ targets: dear, datasets: [datasetFacts('a', ['berlin-disk'])] }));
    expect(plan.moves.map((move) => move.reason)).toEqual([
      expect.stringMatching(
        /rome-disk is the best place .*: oslo-disk would cost \$0.10 a month instead of \$0.30, but the way there costs \$5.00 once instead of \$0.00$/,
      ),
    ]);
  });

  test('without any verified copy nothing can be made, and the plan says what would help', async () => {
    const lost = datasetFacts('a', [], {}, { replicas: [replicaFacts('a', 'berlin-disk', { state: 'corrupt' })] });
    const plan = await planFor(fleetOf({ targets, datasets: [lost] }));
    expect(plan.moves).toEqual([]);
    expect(plan.infeasible[0]!.cheapestWayOut).toContain('no verified copy is left');
  });

  test('copies of a lost node are rebuilt elsewhere from one that stands', async () => {
    const fleet = fleetOf({
      targets,
      nodes: [nodeFacts('paris', { agentState: 'lost' })],
      datasets: [datasetFacts('a', ['paris-disk', 'berlin-disk'], { spread: 'target' })],
    });
    const plan = await planFor(fleet);
    expect(plan.moves).toMatchObject([{ need: 'add-copy', action: 'copy', fromTargetId: 'berlin-disk', toTargetId: 'berlin-archive' }]);
  });
});
