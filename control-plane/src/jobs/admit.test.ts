import type { NodeId, PlanId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { Policy } from '@data-in-motion/shared/domain/policy';
import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import type { DatasetFacts, FleetSnapshot } from '../fleet/snapshot.ts';
import { datasetFacts, deviceFacts, fleetOf, jobFacts, nodeFacts, nowMs, targetFacts } from '../fleet/testdata/small-fleet.ts';
import type { Move, Plan } from '../placement/plan.ts';
import { planMove as move } from '../placement/testdata/plan-move.ts';
import { admitPlan } from './admit.ts';

const limits = defaultDecisionSettings.limits;
const targets = ['berlin-disk', 'paris-disk', 'rome-disk'].map((name) => targetFacts(name));

const planOf = (moves: readonly Move[]): Pick<Plan, 'moves'> => ({ moves });
const admit = (snapshot: FleetSnapshot, moves: readonly Move[], own = limits) => admitPlan(snapshot, planOf(moves), own);
const verdicts = (snapshot: FleetSnapshot, moves: readonly Move[], own = limits) => admit(snapshot, moves, own).map((admission) => admission.verdict);
const maps = (policy: Partial<Policy> = {}, places: readonly string[] = ['berlin-disk', 'rome-disk']) => datasetFacts('maps', places, policy);
const heatMove = (dataset: DatasetFacts, confidence: number) =>
  move(dataset, 'berlin-disk', 'paris-disk', { need: 'follow-heat', action: 'move', priority: 2, confidence });

describe('who decides', () => {
  test('in advisory mode a move for heat waits for a person, a repair does not', () => {
    const dataset = maps({ mode: 'advisory' });
    const fleet = fleetOf({ targets, datasets: [dataset] });
    expect(admit(fleet, [heatMove(dataset, 1)])).toMatchObject([{ verdict: 'advised', heldBecause: expect.stringContaining('advisory') }]);
    for (const need of ['add-copy', 'replace-bad-copy', 'evacuate-device'] as const)
      expect(verdicts(fleet, [move(dataset, 'berlin-disk', 'paris-disk', { need })])).toEqual(['admitted']);
  });

  test('a forecast below the cutoff is advice, at the cutoff it is acted on', () => {
    const dataset = maps({ probabilityCutoff: 0.7 });
    const fleet = fleetOf({ targets, datasets: [dataset] });
    expect(admit(fleet, [heatMove(dataset, 0.69)])).toMatchObject([
      { verdict: 'advised', heldBecause: 'the forecast is 69 % sure, the policy acts from 70 %' },
    ]);
    expect(verdicts(fleet, [heatMove(dataset, 0.7)])).toEqual(['admitted']);
  });
});

describe('room and limits', () => {
  const two = ['a', 'b'].map((name) => datasetFacts(name, ['berlin-disk']));

  test('the room that one move takes is not there for the next', () => {
    const tight = targets.map((target) => ({ ...target, capacityBytes: 25e9, reserveBytes: 1e9, usedBytes: 1e9, reservedBytes: 5e9 }));
    expect(
      admit(
        fleetOf({ targets: tight, datasets: two }),
        two.map((dataset) => move(dataset, 'berlin-disk', 'paris-disk')),
      ),
    ).toMatchObject([{ verdict: 'admitted' }, { verdict: 'held', heldBecause: expect.stringContaining('no room') }]);
  });

  test('safety comes before heat before cost, whatever the order of the plan', () => {
    const moves = [
      move(two[0]!, 'berlin-disk', 'paris-disk', { need: 'cheaper-place', action: 'move', priority: 3 }),
      move(two[1]!, 'berlin-disk', 'paris-disk'),
    ];
    expect(verdicts(fleetOf({ targets, datasets: two }), moves, { ...limits, newPerPass: 1 })).toEqual(['held', 'admitted']);
  });

  test('limits hold per pass, per node and for the fleet, jobs under way included', () => {
    const moves = two.map((dataset) => move(dataset, 'berlin-disk', 'paris-disk'));
    const fleet = fleetOf({ targets, datasets: two });
    expect(verdicts(fleet, moves, { ...limits, newPerPass: 1 })).toEqual(['admitted', 'held']);
    expect(verdicts(fleet, moves, { ...limits, underWayPerNode: 1 })).toEqual(['admitted', 'held']);
    expect(verdicts(fleet, moves, { ...limits, underWayInFleet: 1 })).toEqual(['admitted', 'held']);
    const running = jobFacts(datasetFacts('c', ['berlin-disk']), 'copy', { moverNodeId: 'paris' as NodeId });
    expect(verdicts({ ...fleet, jobs: [running] }, moves, { ...limits, underWayPerNode: 1 })).toEqual(['held', 'held']);
    expect(verdicts({ ...fleet, jobs: [{ ...running, state: 'grace' }] }, moves, { ...limits, underWayPerNode: 1 })).toEqual(['admitted', 'held']);
  });

  test('only so many jobs are under way from one site to another; the other way and within a site the nodes are the limit', () => {
    const moves = two.map((dataset) => move(dataset, 'berlin-disk', 'paris-disk'));
    const one = { ...limits, underWayPerLink: 1 };
    const fleet = fleetOf({ targets, datasets: two });
    expect(admit(fleet, moves, one)).toMatchObject([
      { verdict: 'admitted' },
      { verdict: 'held', heldBecause: '1 jobs are under way from berlin to paris, 1 may be' },
    ]);
    const running = (from: string, to: string) =>
      jobFacts(datasetFacts('c', ['berlin-disk']), 'copy', { sourceNodeId: from as NodeId, moverNodeId: to as NodeId });
    expect(verdicts({ ...fleet, jobs: [running('berlin', 'paris')] }, moves, one)).toEqual(['held', 'held']);
    expect(verdicts({ ...fleet, jobs: [running('paris', 'berlin')] }, moves, one)).toEqual(['admitted', 'held']);
    const inOneSite = [...targets, targetFacts('berlin-flash')];
    expect(
      verdicts(
        fleetOf({ targets: inOneSite, datasets: two }),
        two.map((dataset) => move(dataset, 'berlin-disk', 'berlin-flash')),
        one,
      ),
    ).toEqual(['admitted', 'admitted']);
  });

  test('room that is held for a plan is for safety alone, and so are datasets that a plan is being carried out for', () => {
    const held = fleetOf({
      targets: targets.map((target) => ({ ...target, capacityBytes: 25e9 })),
      datasets: two,
      holds: [{ planId: 'p' as PlanId, untilMs: nowMs + 1, bytes: { ['paris-disk' as TargetId]: 16e9 }, datasetIds: [] }],
    });
    const cheaper = move(two[0]!, 'berlin-disk', 'paris-disk', { need: 'cheaper-place', action: 'move', priority: 3 });
    expect(admit(held, [cheaper])).toMatchObject([{ verdict: 'held', heldBecause: expect.stringContaining('held for a plan') }]);
    expect(verdicts(held, [move(two[0]!, 'berlin-disk', 'paris-disk')])).toEqual(['admitted']);
    const worked = { ...held, holds: [{ planId: 'p' as PlanId, untilMs: null, bytes: {}, datasetIds: [two[0]!.datasetId] }] };
    expect(admit(worked, [cheaper])).toMatchObject([{ verdict: 'held', heldBecause: 'plan p is being carried out for a' }]);
    expect(verdicts(worked, [move(two[0]!, 'berlin-disk', 'paris-disk')])).toEqual(['admitted']);
  });

  test('only so many datasets leave risky devices at one time', () => {
    const risky = targets.map((target) => (target.targetId === 'berlin-disk' ? { ...target, deviceIds: [deviceFacts('sda').deviceId] } : target));
    const moves = two.map((dataset) => move(dataset, 'berlin-disk', 'paris-disk', { need: 'evacuate-device', action: 'move' }));
    expect(
      verdicts(fleetOf({ targets: risky, datasets: two, devices: [deviceFacts('sda', { level: 'failing' })] }), moves, { ...limits, evacuatingAtOnce: 1 }),
    ).toEqual(['admitted', 'held']);
  });

  test('in advisory mode an evacuation for what a model expects is advised, one of a failing drive is made', () => {
    const risky = targets.map((target) => (target.targetId === 'berlin-disk' ? { ...target, deviceIds: [deviceFacts('sda').deviceId] } : target));
    const films = datasetFacts('films', ['berlin-disk'], { mode: 'advisory', copies: 1 });
    const evacuate = move(films, 'berlin-disk', 'paris-disk', { need: 'evacuate-device', action: 'move', deviceId: deviceFacts('sda').deviceId });
    const verdictOn = (device: Parameters<typeof deviceFacts>[1]) =>
      verdicts(fleetOf({ targets: risky, datasets: [films], devices: [deviceFacts('sda', device)] }), [evacuate]);
    expect(verdictOn({ level: 'at-risk', judgeKind: 'model', probability: 0.9 })).toEqual(['advised']);
    expect(verdictOn({ level: 'failing', judgeKind: 'model', probability: 0.9 })).toEqual(['admitted']);
    expect(verdictOn({ level: 'at-risk' })).toEqual(['admitted']);
  });

  test('a second job for the same dataset and place is not started', () => {
    const fleet = fleetOf({ targets, datasets: two, jobs: [jobFacts(two[0]!, 'copy', { toTargetId: 'paris-disk' as TargetId })] });
    expect(
      verdicts(
        fleet,
        two.map((dataset) => move(dataset, 'berlin-disk', 'paris-disk')),
      ),
    ).toEqual(['held', 'admitted']);
  });

  test('what has become unusable since the plan was made is held, with the reason', () => {
    const fleet = fleetOf({ targets, datasets: two, nodes: [nodeFacts('paris', { agentState: 'lost' })] });
    expect(admit(fleet, [move(two[0]!, 'berlin-disk', 'paris-disk')])).toMatchObject([{ verdict: 'held', heldBecause: 'the agent of paris is lost' }]);
  });
});

describe('letting go', () => {
  const drop = (dataset: DatasetFacts, from: string) => move(dataset, from, null, { need: 'drop-copy', priority: 4 });

  test('a surplus copy may go, the primary and what is wanted may not', () => {
    const dataset = maps({ copies: 2 }, ['berlin-disk', 'paris-disk', 'rome-disk']);
    const fleet = fleetOf({ targets, datasets: [dataset] });
    expect(verdicts(fleet, [drop(dataset, 'rome-disk')])).toEqual(['admitted']);
    expect(verdicts(fleet, [drop(dataset, 'paris-disk'), drop(dataset, 'rome-disk')])).toEqual(['admitted', 'held']);
    expect(admit(fleet, [drop(dataset, 'berlin-disk')])).toMatchObject([{ verdict: 'held', heldBecause: expect.stringContaining('primary') }]);
  });

  test('the last verified copy is never let go, whatever the policy says', () => {
    const only = datasetFacts('maps', ['berlin-disk'], { copies: 0 }, { primaryReplicaId: null });
    expect(verdicts(fleetOf({ targets, datasets: [only] }), [drop(only, 'berlin-disk')])).toEqual(['held']);
  });

  test('while the dataset is being copied nothing of it is let go', () => {
    const dataset = maps({ copies: 1 });
    const fleet = fleetOf({ targets, datasets: [dataset] });
    expect(verdicts(fleet, [drop(dataset, 'rome-disk'), move(dataset, 'berlin-disk', 'paris-disk')])).toEqual(['held', 'admitted']);
  });
});
