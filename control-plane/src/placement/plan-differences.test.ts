import type { DatasetId, DeviceId, JobId, PlanId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import type { Policy } from '@data-in-motion/shared/domain/policy';
import type { ReplicaState } from '@data-in-motion/shared/domain/replica';
import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import type { DatasetFacts, FleetSnapshot, TargetFacts } from '../fleet/snapshot.ts';
import { datasetFacts, deviceFacts, fleetOf, jobFacts, nodeFacts, nowMs, prices, replicaFacts, targetFacts, windowsOf } from '../fleet/testdata/small-fleet.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import type { Move } from './plan.ts';
import { basisText, planBasisOf } from './plan-basis.ts';
import { moveDifferences, planDifferences, roomDifferences } from './plan-differences.ts';
import { planMove } from './testdata/plan-move.ts';

const settings = defaultDecisionSettings;
const targets = ['berlin-disk', 'paris-disk', 'rome-disk', 'oslo-disk'].map((name) => targetFacts(name, { deviceIds: [`${name}-drive` as DeviceId] }));
const devices = targets.map((target) => deviceFacts(target.deviceIds[0]!, { nodeId: target.nodeId }));
const maps = datasetFacts('maps', ['berlin-disk', 'paris-disk'], { latencySloMs: 20 });
const films = datasetFacts('films', ['oslo-disk']);
const fleet = fleetOf({ targets, devices, datasets: [maps, films] });
const cheaper = planMove(maps, 'berlin-disk', 'rome-disk', { action: 'move', need: 'cheaper-place', priority: 3 });
const missing = planMove(maps, 'berlin-disk', 'rome-disk');
const drop = planMove(maps, 'paris-disk', null, { need: 'drop-copy', priority: 4 });

/** As it is after it was stored and read again. */
const basisOf = (snapshot: FleetSnapshot, moves: readonly Move[], own = settings) =>
  JSON.parse(JSON.stringify(planBasisOf(snapshot, fleetHeats(snapshot, settings.heat), moves, own))) as ReturnType<typeof planBasisOf>;
const found = (now: FleetSnapshot, move: Move = cheaper, then = fleet) =>
  moveDifferences(basisOf(then, [move]), basisOf(now, [move]), move).map(({ kind, id, what, before, after }) => [kind, id, what, before, after]);
const withMaps = (more: Partial<DatasetFacts>): FleetSnapshot => ({ ...fleet, datasets: [{ ...maps, ...more }, films] });
const withPolicy = (more: Partial<Policy>) => withMaps({ policy: { ...maps.policy, ...more } });
const withTarget = (name: string, more: Partial<TargetFacts>): FleetSnapshot => ({
  ...fleet,
  targets: targets.map((target) => (target.targetId === name ? { ...target, ...more } : target)),
});
const withCopy = (state: ReplicaState, from = maps): DatasetFacts['replicas'] => from.replicas.map((copy, i) => (i === 1 ? { ...copy, state } : copy));
const withAgent = (name: string, agentState: 'late' | 'returned' | 'lost') => fleetOf({ ...fleet, nodes: [nodeFacts(name, { agentState })] });
const withDrive = (name: string, level: 'watch' | 'failing'): FleetSnapshot => ({
  ...fleet,
  devices: devices.map((device) => (device.deviceId === `${name}-drive` ? { ...device, level } : device)),
});

describe('what is told of one move', () => {
  test.each<[string, FleetSnapshot, unknown[][]]>([
    [
      'a new version',
      withMaps({ versionId: 'maps-v2' as VersionId, sizeBytes: 11e9 }),
      [
        ['dataset', 'maps', 'version', 'maps-v1', 'maps-v2'],
        ['dataset', 'maps', 'size', 10e9, 11e9],
      ],
    ],
    [
      'readers sent elsewhere',
      withMaps({ primaryReplicaId: 'maps@paris-disk' as ReplicaId }),
      [['dataset', 'maps', 'primary', 'maps@berlin-disk', 'maps@paris-disk']],
    ],
    ['a dataset that is gone', { ...fleet, datasets: [films] }, [['dataset', 'maps', 'presence', 'there', null]]],
    ['a field of its policy', withPolicy({ copies: 3 }), [['policy', 'maps', 'copies', 2, 3]]],
    ['a list of its policy', withPolicy({ regions: ['eu', 'us'] }), [['policy', 'maps', 'regions', '', 'eu, us']]],
    ['a copy found bad', withMaps({ replicas: withCopy('corrupt') }), [['copy', 'maps@paris-disk', 'state', 'verified', 'corrupt']]],
    ['one copy more', withMaps({ replicas: [...maps.replicas, replicaFacts('maps', 'oslo-disk')] }), [['copy', 'maps@oslo-disk', 'state', null, 'verified']]],
    ['a job of somebody else', { ...fleet, jobs: [jobFacts(maps, 'copy')] }, [['job', 'maps-job', 'presence', null, 'copy']]],
    ['another class of heat', withMaps({ windows: windowsOf(400), lastAccessAtMs: nowMs }), [['heat', 'maps', 'class', 'cold', 'hot']]],
    ['a price of the destination', withTarget('rome-disk', { prices: prices(0.03) }), [['price', 'rome-disk', 'storagePerGbMonth', 0.02, 0.03]]],
    ['a price of the source', withTarget('berlin-disk', { prices: prices(0.02, { egressPerGb: 0.09 }) }), [['price', 'berlin-disk', 'egressPerGb', 0, 0.09]]],
    ['a frozen source', withTarget('berlin-disk', { state: 'frozen' }), [['target', 'berlin-disk', 'state', 'ok', 'frozen']]],
    ['a destination elsewhere', withTarget('rome-disk', { region: 'us' }), [['target', 'rome-disk', 'region', 'eu', 'us']]],
    ['an agent that is lost', withAgent('rome', 'lost'), [['target', 'rome-disk', 'agent', 'here', 'gone']]],
    ['a failing drive under the destination', withDrive('rome-disk', 'failing'), [['target', 'rome-disk', 'risk', 'none', 'evacuated']]],
    ['a latency beyond what is promised', withTarget('rome-disk', { latencyP95Ms: 21 }), [['target', 'rome-disk', 'latency', 10, 21]]],
  ])('%s', (_, now, told) => {
    expect(found(now)).toEqual(told);
  });

  test('for a drop, whether the places of the others still count', () => {
    expect(found(withAgent('berlin', 'lost'), drop)).toEqual([['target', 'berlin-disk', 'agent', 'here', 'gone']]);
    expect(found(withTarget('berlin-disk', { prices: prices(0.5) }), drop)).toEqual([]);
  });

  test('for a copy that leaves a drive because it is at risk, that it is not, but not whose turn it is', () => {
    const evacuate = planMove(maps, 'berlin-disk', 'rome-disk', { action: 'move', need: 'evacuate-device', priority: 0 });
    const atRisk = withDrive('berlin-disk', 'failing');
    expect(found(fleet, evacuate, atRisk)).toEqual([['target', 'berlin-disk', 'risk', 'evacuated', 'none']]);
    expect(found(fleet, cheaper, atRisk)).toEqual([]);
  });

  test('for money alone: the margin, and what the solver reckoned with', () => {
    expect(found(withPolicy({ forecastMargin: 0.2 }))).toEqual([['policy', 'maps', 'forecastMargin', 0.05, 0.2]]);
    expect(found(withPolicy({ forecastMargin: 0.2 }), missing)).toEqual([]);
    const longer = { ...settings, placement: { ...settings.placement, horizonDays: 90 } };
    const told = (move: Move) => moveDifferences(basisOf(fleet, [move]), basisOf(fleet, [move], longer), move).map((one) => [one.kind, one.id]);
    expect(told(cheaper)).toEqual([['settings', 'horizonDays']]);
    expect(told(missing)).toEqual([]);
  });

  test('says it in words, with both values and, for a price, both revisions of the book', () => {
    const now = { ...withTarget('rome-disk', { prices: prices(0.03) }), priceRev: 4 };
    const [told] = moveDifferences(basisOf(fleet, [cheaper]), basisOf(now, [cheaper]), cheaper);
    expect(told!.text).toBe('storagePerGbMonth of rome-disk is 0.03, it was 0.02 (price book 4, then 1)');
  });
});

describe('what is no difference', () => {
  test.each<[string, FleetSnapshot]>([
    ['time that went by', { ...fleet, takenAtMs: nowMs + 3_600_000 }],
    ['bytes on a target', withTarget('rome-disk', { usedBytes: 80e9, reservedBytes: 5e9 })],
    ['measured speed, and a latency within the promise', withTarget('rome-disk', { latencyP95Ms: 19, readBytesPerSec: 1e6 })],
    ['an agent that is late', withAgent('rome', 'late')],
    ['an agent that is back', withAgent('rome', 'returned')],
    ['who decides', withPolicy({ mode: 'advisory', probabilityCutoff: 0.9 })],
    ['a copy that is being read back', { ...fleet, jobs: [jobFacts(maps, 'verify')] }],
    [
      'a copy of an older version that leaves',
      withMaps({ replicas: [...maps.replicas, replicaFacts('maps', 'oslo-disk', { replicaId: 'old' as ReplicaId, versionId: 'maps-v0' as VersionId })] }),
    ],
    ['another dataset', { ...fleet, datasets: [maps, { ...films, versionId: 'films-v2' as VersionId, policy: { ...films.policy, copies: 4 } }] }],
    ['a target that the move does not touch', withTarget('oslo-disk', { state: 'frozen', prices: prices(9) })],
    ['prices of the book that the move does not pay', { ...fleet, priceRev: 9 }],
    ['signs of the drive that the copy leaves anyway', withDrive('berlin-disk', 'watch')],
    ['some reads more', withMaps({ windows: windowsOf(0.01), lastAccessAtMs: nowMs - 40 * 3_600_000 })],
  ])('%s', (_, now) => {
    expect(found(now)).toEqual([]);
  });

  test.each<[ReplicaState, ReplicaState]>([
    ['joining', 'verified'],
    ['retiring', 'trashed'],
  ])('work that was under way then and came to its end: %s, then %s', (then, now) => {
    expect(found(withMaps({ replicas: withCopy(now) }), cheaper, withMaps({ replicas: withCopy(then) }))).toEqual([]);
    expect(found(withMaps({ replicas: withCopy(then) }), cheaper, withMaps({ replicas: withCopy(now) }))).toHaveLength(1);
  });

  test('what the plan has done itself', () => {
    const made = replicaFacts('maps', 'rome-disk');
    const now = { ...withMaps({ replicas: [...maps.replicas, made], primaryReplicaId: made.replicaId }), jobs: [jobFacts(maps, 'move')] };
    const own = { jobs: new Set(['maps-job' as JobId]), replicas: new Set([made.replicaId, maps.replicas[0]!.replicaId]) };
    expect(moveDifferences(basisOf(fleet, [cheaper]), basisOf(now, [cheaper]), cheaper)).not.toEqual([]);
    expect(moveDifferences(basisOf(fleet, [cheaper]), basisOf(now, [cheaper]), cheaper, own)).toEqual([]);
  });
});

test('a thing that concerns many moves is told once', () => {
  const moves = [cheaper, planMove(films, 'oslo-disk', 'rome-disk')];
  expect(planDifferences(basisOf(fleet, moves), basisOf(withTarget('rome-disk', { state: 'frozen' }), moves), moves)).toHaveLength(1);
});

test('the digest is over facts and not over measurements, and does not depend on the order in which moves are told', () => {
  const moves = [cheaper, planMove(films, 'oslo-disk', 'rome-disk')];
  const text = basisText(planBasisOf(fleet, new Map(), moves, settings));
  expect(basisText(planBasisOf(withTarget('rome-disk', { usedBytes: 5, latencyP95Ms: 3 }), new Map(), moves.toReversed(), settings))).toBe(text);
  expect(basisText(planBasisOf(withTarget('rome-disk', { state: 'frozen' }), new Map(), moves, settings))).not.toBe(text);
});

describe('room', () => {
  const moves = [cheaper, planMove(films, 'oslo-disk', 'rome-disk')];
  const then = basisOf(fleet, moves);
  const rome = (usedBytes: number, holds: FleetSnapshot['holds'] = []) => ({ ...withTarget('rome-disk', { usedBytes }), holds });
  const hold = { planId: 'other' as PlanId, untilMs: nowMs + 1, bytes: { ['rome-disk' as TargetId]: 5e9 }, datasetIds: [] as DatasetId[] };

  test('is asked for all moves together, and to the last byte', () => {
    expect(roomDifferences(rome(80e9), then, moves)).toEqual([]);
    expect(roomDifferences(rome(80e9 + 1), then, moves)).toMatchObject([{ kind: 'target', id: 'rome-disk', what: 'room', before: 100e9, after: 20e9 - 1 }]);
  });

  test('that is held for another plan is for safety alone', () => {
    expect(roomDifferences(rome(80e9, [hold]), then, moves)).toHaveLength(1);
    expect(roomDifferences(rome(80e9, [hold]), then, [missing, moves[1]!])).toEqual([]);
  });

  test('that its own copies under way take is not held against it', () => {
    expect(roomDifferences(rome(85e9), then, [cheaper], [moves[1]!])).toEqual([]);
    expect(roomDifferences(rome(85e9), then, [cheaper, moves[1]!])).toHaveLength(1);
  });
});
