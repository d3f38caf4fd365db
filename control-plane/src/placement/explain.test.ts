import type { DeviceId, NodeId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { datasetFacts, deviceFacts, fleetOf, jobFacts, nodeFacts, nowMs, prices, targetFacts, windowsOf } from '../fleet/testdata/small-fleet.ts';
import { targetHealth } from '../health/target-health.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { chooseImportTarget } from './choose-import-target.ts';
import { type Explanation, explainReplica } from './explain.ts';

const targets = [
  targetFacts('berlin-nvme', { prices: prices(0.1), latencyP95Ms: 1 }),
  targetFacts('berlin-disk', { prices: prices(0.02), latencyP95Ms: 10 }),
  targetFacts('paris-disk', { prices: prices(0.02), latencyP95Ms: 10 }),
  targetFacts('boston-archive', { prices: prices(0.004, { writesPer1000: 0.02 }), latencyP95Ms: 60, region: 'us' }),
];

/** The copy of `maps` on a target, explained with the heat that its windows give. */
function explainIn(fleet: FleetSnapshot, target: string): Explanation {
  const heats = fleetHeats(fleet, defaultDecisionSettings.heat);
  const context = {
    snapshot: fleet,
    health: targetHealth(fleet),
    heats,
    settings: defaultDecisionSettings.placement,
    evacuation: defaultDecisionSettings.evacuation,
  };
  return explainReplica(context, 'maps' as never, `maps@${target}` as ReplicaId)!;
}

describe('why a copy is where it is', () => {
  const dataset = datasetFacts('maps', ['berlin-disk', 'boston-archive'], { latencySloMs: 20, regions: ['eu', 'us'] });
  const explain = (target: string) => explainIn(fleetOf({ targets, datasets: [dataset] }), target);

  test('says why it stays on a drive that a model expects to fail', () => {
    const sda = 'sda' as DeviceId;
    const on = targets.map((target) => (target.targetId === 'berlin-disk' ? { ...target, deviceIds: [sda] } : target));
    const fleet = fleetOf({ targets: on, datasets: [dataset], devices: [deviceFacts('sda', { level: 'at-risk', judgeKind: 'model', probability: 0.05 })] });
    expect(explainIn(fleet, 'berlin-disk').why).toMatch(
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
      ['boston-archive', false, ['latency-slo', 'spread', 'holds-a-copy']],
    ]);
    expect(alternatives[1]).toMatchObject({ latencyP95Ms: 1, latencyDifferenceMs: -9, paybackDays: null });
    expect(alternatives[1]!.differencePerMonth).toBeCloseTo(0.8, 9);
    expect(alternatives[2]!.because[0]).toBe('boston-archive answers within 60 ms (p95), promised are 20 ms');
  });

  test('every part of the objective is told, by hand: storage, requests, egress, waiting, risk, and the way there', () => {
    // 100 reads an hour of 1 MB: 73,000 reads and 73 GB a month. 10 GB at $0.02, 73 thousand reads at $0.01, 73 GB at $0.05, 73,000 × 10 ms at $0.0001 a second.
    const cloud = targetFacts('berlin-cloud', {
      prices: prices(0.02, { readsPer1000: 0.01, egressPerGb: 0.05, minimumDays: 100 }),
      latencyP95Ms: 10,
      provider: 'aws',
    });
    const read = datasetFacts('maps', ['berlin-cloud'], { copies: 1 }, { windows: windowsOf(100, 1e6), lastAccessAtMs: nowMs });
    const fleet = fleetOf({ targets: [cloud, ...targets], datasets: [read] });
    const { parts, objectivePerMonth, alternatives } = explainIn(fleet, 'berlin-cloud');
    // Any drive is lost with 2 % a year, and the only copy of 10 GB with it: a dollar a GB, and what making it again takes in 200 seconds.
    const risk = (10 + 0.001 + 0.02 + (1 + 200 / 3600) * 0.05) * (1 - 0.98 ** (730 / 24 / 365));
    expect(parts).toEqual({
      retrievalPerMonth: 0,
      riskPerMonth: expect.closeTo(risk, 12),
      copyingPerMonth: 0,
      restPerMonth: 0,
      storagePerMonth: expect.closeTo(0.2, 9),
      requestsPerMonth: expect.closeTo(0.73, 9),
      egressPerMonth: expect.closeTo(3.65, 9),
      waitingPerMonth: expect.closeTo(0.073, 9),
      wayTherePerMonth: 0,
    });
    expect(objectivePerMonth).toBeCloseTo(0.2 + 0.73 + 3.65 + 0.073 + risk, 9);
    // To the disk in Berlin: 10 GB leave the provider at $0.05, 1000 reads at $0.01 a thousand, 10 days of 100 are left of the minimum; spread over 30 days.
    const once = 0.5 + 0.01 + (10 / (730 / 24)) * 0.2;
    const disk = alternatives.find(({ targetId }) => targetId === 'berlin-disk')!;
    expect(disk.cost.migrationOnce).toBeCloseTo(once, 9);
    expect(disk.parts.wayTherePerMonth).toBeCloseTo((once * (730 / 24)) / 30, 9);
    expect(disk.paybackDays).toBeCloseTo((once / (0.73 + 3.65)) * (730 / 24), 6);
  });

  test('a dearer place is explained by what the waiting of its readers is worth, when that is why', () => {
    const hot = datasetFacts('maps', ['berlin-nvme'], { copies: 1 }, { sizeBytes: 1e9, windows: windowsOf(5000), lastAccessAtMs: nowMs });
    expect(explainIn(fleetOf({ targets, datasets: [hot] }), 'berlin-nvme').why).toContain('its readers would wait longer');
    const unread = explainIn(fleetOf({ targets, datasets: [{ ...hot, windows: windowsOf(0) }] }), 'berlin-nvme');
    expect(unread).toMatchObject({ choice: 'goes', chosenTargetId: 'berlin-disk', hold: null });
    expect(unread.why).toMatch(/berlin-disk would be better by \$0\.08 a month, and the next plan moves it$/);
  });

  test('another copy owes readers no latency', () => {
    expect(explain('boston-archive').why).toContain('a copy at another site than the others');
    expect(explain('boston-archive').alternatives.find((each) => each.targetId === 'paris-disk')).toMatchObject({ allowed: true, violates: [] });
  });

  test('a copy beside another one at the same site is not said to be apart from it', () => {
    const { why, choice } = explainIn(fleetOf({ targets, datasets: [datasetFacts('maps', ['berlin-disk', 'berlin-nvme'], {})] }), 'berlin-nvme');
    expect(why).toContain('another copy is at the same site');
    expect(why).not.toContain('at another site than the others');
    expect(choice).toBe('goes');
  });

  test('a copy that is not known has no explanation', () => {
    const fleet = fleetOf({ targets, datasets: [dataset] });
    const context = {
      snapshot: fleet,
      health: targetHealth(fleet),
      heats: new Map(),
      settings: defaultDecisionSettings.placement,
      evacuation: defaultDecisionSettings.evacuation,
    };
    expect(explainReplica(context, dataset.datasetId, 'maps@nowhere' as ReplicaId)).toBeNull();
  });
});

describe('the rule that binds', () => {
  const alone = (policy: Parameters<typeof datasetFacts>[2], place = 'berlin-disk', more: Parameters<typeof datasetFacts>[3] = {}) =>
    explainIn(fleetOf({ targets, datasets: [datasetFacts('maps', [place], { copies: 1, ...policy }, more)] }), place);

  test('is the one without which a better place is open, with the place and what it saves', () => {
    expect(alone({ latencySloMs: 20 }).binding).toMatchObject({ rule: 'latency-slo', opens: 'boston-archive', savesPerMonth: expect.closeTo(0.16, 9) });
    expect(alone({ regions: ['eu'] }).bindingText).toBe('the regions eu: without it, it would be on boston-archive, which saves $0.16 a month');
    expect(alone({ forbiddenTargets: ['boston-archive' as TargetId] }).binding?.rule).toBe('forbidden-target');
    expect(alone({ maxCostPerGbMonth: 0.02 }, 'boston-archive').binding).toBeNull();
    expect(alone({ maxCostPerGbMonth: 0.02 }, 'berlin-disk', { windows: windowsOf(5000), lastAccessAtMs: nowMs }).binding).toMatchObject({
      rule: 'max-cost',
      opens: 'berlin-nvme',
    });
    expect(alone({ pinnedTargets: ['berlin-disk' as TargetId] }).binding).toMatchObject({ rule: 'pinned-targets', opens: 'boston-archive' });
  });

  test('is the one that costs most where several bind, each alone', () => {
    const cheaperParis = targets.map((target) => (target.targetId === 'paris-disk' ? { ...target, prices: prices(0.01) } : target));
    const both = datasetFacts('maps', ['berlin-disk'], { copies: 1, latencySloMs: 20, forbiddenTargets: ['paris-disk' as TargetId] });
    expect(explainIn(fleetOf({ targets: cheaperParis, datasets: [both] }), 'berlin-disk').binding).toMatchObject({
      rule: 'latency-slo',
      opens: 'boston-archive',
    });
    const only = { ...both, policy: { ...both.policy, latencySloMs: null, forbiddenTargets: ['paris-disk', 'boston-archive'] as TargetId[], regions: ['eu'] } };
    expect(explainIn(fleetOf({ targets: cheaperParis, datasets: [only] }), 'berlin-disk').binding).toMatchObject({
      rule: 'forbidden-target',
      opens: 'paris-disk',
    });
  });

  test('is the room that is missing, to the byte', () => {
    const full = targets.map((target) => (target.targetId === 'boston-archive' ? { ...target, usedBytes: 96e9 } : target));
    const { binding, bindingText } = explainIn(fleetOf({ targets: full, datasets: [datasetFacts('maps', ['berlin-disk'], { copies: 1 })] }), 'berlin-disk');
    expect(binding).toMatchObject({ rule: 'capacity', opens: 'boston-archive', missingBytes: 6e9 });
    expect(bindingText).toMatch(/^the room: 6\.0 GB more are needed on boston-archive/);
  });

  test('is what drives a copy away from where it would stay', () => {
    const driven = alone({ regions: ['us'] }, 'paris-disk', { windows: windowsOf(100_000), lastAccessAtMs: nowMs });
    expect(driven).toMatchObject({ choice: 'goes', chosenTargetId: 'boston-archive', binding: { rule: 'region' } });
  });

  test('is none alone where two rules have a copy leave, whatever one of them says', () => {
    const driven = alone({ regions: ['us'], maxCostPerGbMonth: 0.01 }, 'paris-disk', { windows: windowsOf(100_000), lastAccessAtMs: nowMs });
    expect(driven).toMatchObject({ choice: 'goes', chosenTargetId: 'boston-archive', binding: null });
    expect(driven.bindingText).toBe('no single rule binds: region and max-cost would have it leave');
    const nowhere = alone({ regions: ['us'], maxCostPerGbMonth: 0.001 }, 'paris-disk');
    expect(nowhere.bindingText).toMatch(/^the price of at most \$0\.001 per GB and month: without it, it would have a place on boston-archive$/);
    const full = targets.map((target) => (target.targetId === 'boston-archive' ? { ...target, usedBytes: 96e9 } : target));
    const twice = explainIn(
      fleetOf({ targets: full, datasets: [datasetFacts('maps', ['paris-disk'], { copies: 1, regions: ['us'], maxCostPerGbMonth: 0.001 })] }),
      'paris-disk',
    );
    expect(twice.bindingText).toBe('no single rule binds: region and max-cost would have it leave, and no other place is allowed');
  });

  test('of copies that stand too near, the primary and else the oldest is not the one to leave', () => {
    const [older, younger] = ['berlin-disk', 'berlin-nvme'].map((name, place) => ({
      ...datasetFacts('maps', [name]).replicas[0]!,
      createdAtMs: nowMs - (2 - place) * 86_400_000,
    }));
    const near = datasetFacts('maps', ['boston-archive'], { copies: 3, forbiddenTargets: ['berlin-disk', 'berlin-nvme'] as TargetId[] });
    const dearParis = targets.map((target) => (target.targetId === 'paris-disk' ? { ...target, prices: prices(0.2) } : target));
    const both = fleetOf({ targets: dearParis, datasets: [{ ...near, replicas: [...near.replicas, younger!, older!] }] });
    expect(explainIn(both, 'berlin-disk').bindingText).toBe('the targets that are forbidden: without it, it would stay here');
    const beside = { ...near, policy: { ...near.policy, forbiddenTargets: ['berlin-nvme'] as TargetId[] } };
    const one = fleetOf({ targets: dearParis, datasets: [{ ...beside, replicas: [...beside.replicas, younger!, older!] }] });
    expect(explainIn(one, 'berlin-nvme').bindingText).toBe('no single rule binds: forbidden-target and spread would have it leave');
  });

  test('is none at the cheapest of all places, and none alone where two rules forbid the better one together', () => {
    expect(alone({}, 'boston-archive').bindingText).toBe('no rule binds: of all places this is the best');
    const both = alone({ regions: ['eu'], latencySloMs: 20 });
    expect(both.binding).toBeNull();
    expect(both.bindingText).toBe('no single rule binds: boston-archive would save $0.16 a month, but region and latency-slo forbid it together');
  });
});

describe('what holds a copy back', () => {
  const held = (more: Parameters<typeof datasetFacts>[3], policy: Parameters<typeof datasetFacts>[2] = {}, on = targets, parts: object = {}) => {
    const dataset = datasetFacts('maps', ['berlin-disk'], { copies: 1, ...policy }, more);
    return explainIn(fleetOf({ targets: on, datasets: [dataset], ...parts }), 'berlin-disk').hold;
  };
  const archiveAt = (price: number, more = {}) =>
    targets.map((target) => (target.targetId === 'boston-archive' ? { ...target, prices: prices(price, more) } : target));

  test('a way there that is not paid back in time', () => {
    expect(held({ objects: 100_000 })).toEqual({
      by: 'way',
      text: 'a move to boston-archive would save $0.16 a month and cost $2.01 once, the time of copying included: paid back after 383 days, at most 30 count',
    });
  });

  test('a saving below the margin', () => {
    expect(held({}, {}, archiveAt(0.0184))).toEqual({
      by: 'margin',
      text: 'a move to boston-archive would save 2.7 % of what the dataset costs once it is paid ($0.0059 a month), the policy asks for 5 %',
    });
  });

  test('its rest, a person, an uncertain forecast, a job and an agent that is late', () => {
    const sure = { lastAccessAtMs: null };
    expect(held({ lastMovedAtMs: nowMs - defaultDecisionSettings.placement.dwellMs + 60_000 })).toMatchObject({
      by: 'rest',
      text: expect.stringContaining('1 min'),
    });
    expect(held(sure, { mode: 'advisory' })).toMatchObject({ by: 'advisory' });
    expect(held({ windows: windowsOf(0.5), lastAccessAtMs: nowMs - 12 * 3_600_000 }, { probabilityCutoff: 1 })).toMatchObject({ by: 'certainty' });
    const dataset = datasetFacts('maps', ['berlin-disk'], { copies: 1 });
    expect(held({}, {}, targets, { jobs: [jobFacts(dataset, 'copy', { toTargetId: 'paris-disk' as TargetId })] })).toMatchObject({ by: 'work' });
    expect(held({}, {}, targets, { nodes: [nodeFacts('berlin', { agentState: 'late' })] })).toEqual({ by: 'place', text: 'the agent of berlin is late' });
    expect(held(sure)).toBeNull();
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
