import type { DeviceId, NodeId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import { datasetFacts, deviceFacts, fleetOf, nowMs, prices, targetFacts, windowsOf } from '../fleet/testdata/small-fleet.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { chooseImportTarget } from './choose-import-target.ts';
import { explainReplica } from './explain.ts';

const targets = [
  targetFacts('berlin-nvme', { prices: prices(0.1), latencyP95Ms: 1 }),
  targetFacts('berlin-disk', { prices: prices(0.02), latencyP95Ms: 10 }),
  targetFacts('paris-disk', { prices: prices(0.02), latencyP95Ms: 10 }),
  targetFacts('boston-archive', { prices: prices(0.004, { writesPer1000: 0.02 }), latencyP95Ms: 60, region: 'us' }),
];

describe('why a copy is where it is', () => {
  const dataset = datasetFacts('maps', ['berlin-disk', 'boston-archive'], { latencySloMs: 20, regions: ['eu', 'us'] });
  const explain = (replica: string) => explainReplica(fleetOf({ targets, datasets: [dataset] }), dataset.datasetId, `maps@${replica}` as ReplicaId, new Map());

  test('says why it stays on a drive that a model expects to fail', () => {
    const sda = 'sda' as DeviceId;
    const on = targets.map((target) => (target.targetId === 'berlin-disk' ? { ...target, deviceIds: [sda] } : target));
    const fleet = fleetOf({ targets: on, datasets: [dataset], devices: [deviceFacts('sda', { level: 'at-risk', judgeKind: 'model', probability: 0.05 })] });
    expect(explainReplica(fleet, dataset.datasetId, 'maps@berlin-disk' as ReplicaId, new Map()).why).toMatch(
      /^the primary: readers use it\. device sda is at-risk \(5 % within 30 days\); leaving it costs \$\d+\.\d\d in expectation, moving \$\d+\.\d\d: it stays, watched$/,
    );
  });

  test('says what it costs, and of every other place what it would cost or which rule forbids it', () => {
    const { why, cost, alternatives } = explain('berlin-disk');
    expect(why).toBe('the primary: readers use it. Of 3 places that policy allows this is the cheapest, $0.20 a month');
    expect(cost.storagePerMonth).toBeCloseTo(0.2, 9);
    expect(alternatives.map(({ targetId, allowed, violates }) => [targetId, allowed, violates])).toEqual([
      ['paris-disk', true, []],
      ['berlin-nvme', true, []],
      ['boston-archive', false, ['latency-slo', 'spread']],
    ]);
    expect(alternatives[1]!.differencePerMonth).toBeCloseTo(0.8, 9);
  });

  test('a dearer place is explained by what the waiting of its readers is worth, when that is why', () => {
    const hot = datasetFacts('maps', ['berlin-nvme'], { copies: 1 }, { sizeBytes: 1e9, windows: windowsOf(5000), lastAccessAtMs: nowMs });
    const fleet = fleetOf({ targets, datasets: [hot] });
    const why = (heats: Parameters<typeof explainReplica>[3]) => explainReplica(fleet, hot.datasetId, 'maps@berlin-nvme' as ReplicaId, heats).why;
    expect(why(fleetHeats(fleet, defaultDecisionSettings.heat))).toContain('its readers would wait longer');
    expect(why(new Map())).toContain('does not pay for itself within the horizon');
  });

  test('another copy owes readers no latency', () => {
    expect(explain('boston-archive').why).toContain('a copy at another site than the others');
    expect(explain('boston-archive').alternatives.find((each) => each.targetId === 'paris-disk')).toMatchObject({ allowed: true, violates: [] });
  });

  test('a copy beside another one at the same site is not said to be apart from it', () => {
    const beside = datasetFacts('maps', ['berlin-disk', 'berlin-nvme'], {});
    const { why } = explainReplica(fleetOf({ targets, datasets: [beside] }), beside.datasetId, 'maps@berlin-nvme' as ReplicaId, new Map());
    expect(why).toContain('another copy is at the same site');
    expect(why).not.toContain('at another site than the others');
  });

  test('a copy that is not known is answered, not thrown at', () => {
    expect(explain('nowhere')).toMatchObject({ alternatives: [] });
  });
});

describe('where a tree is imported to', () => {
  const place = (policy: Parameters<typeof datasetFacts>[2], sizeBytes = 1e9, sourceNodeId = 'berlin') => {
    const dataset = datasetFacts('new', [], policy, { versionId: null, sizeBytes: 0, objects: 0 });
    return chooseImportTarget(fleetOf({ targets, datasets: [dataset] }), dataset, { sizeBytes, objects: 10, sourceNodeId: sourceNodeId as NodeId });
  };

  test('the cheapest target that policy allows', () => {
    expect(place({})).toEqual({ targetId: 'boston-archive' });
    expect(place({ latencySloMs: 5 })).toEqual({ targetId: 'berlin-nvme' });
    expect(place({ pinnedTargets: ['berlin-nvme' as TargetId] })).toEqual({ targetId: 'berlin-nvme' });
  });

  test('among equals the one on the host of the tree', () => {
    expect(place({ regions: ['eu'] }, 1e9, 'paris')).toEqual({ targetId: 'paris-disk' });
    expect(place({ regions: ['eu'] }, 1e9, 'berlin')).toEqual({ targetId: 'berlin-disk' });
  });

  test('many small objects make a cheap place with dear writes the dearer one', () => {
    const dataset = datasetFacts('new', [], {}, { versionId: null });
    expect(
      chooseImportTarget(fleetOf({ targets, datasets: [dataset] }), dataset, { sizeBytes: 1e9, objects: 100_000, sourceNodeId: 'berlin' as NodeId }),
    ).toEqual({ targetId: 'berlin-disk' });
  });

  test('a tree that fits nowhere names capacity, rules that clash name themselves and the cheapest way out', () => {
    expect(place({}, 200e9)).toMatchObject({ infeasible: { rules: ['capacity'] } });
    expect(place({ regions: ['us'], latencySloMs: 20 })).toMatchObject({
      infeasible: {
        rules: expect.arrayContaining(['latency-slo', 'region']),
        cheapestWayOut: expect.stringContaining('allow a latency of 60 ms, which boston-archive keeps: $0.0040 a month there'),
      },
    });
  });
});
