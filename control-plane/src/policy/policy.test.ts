import type { TargetId } from '@data-in-motion/shared/domain/ids';
import { defaultPolicy, type Policy } from '@data-in-motion/shared/domain/policy';
import { describe, expect, test } from 'vitest';
import type { ReplicaFacts, TargetFacts } from '../fleet/snapshot.ts';
import { datasetFacts, deviceFacts, fleetOf, nodeFacts, nowMs, prices, targetFacts } from '../fleet/testdata/small-fleet.ts';
import { targetHealth } from '../health/target-health.ts';
import { allowedTargets, clashingRules, judgeTargets } from './allowed-targets.ts';
import { policyFindings, type Remedy } from './findings.ts';
import { type CopyRole, violationsOfExistingCopy, violationsOfNewCopy } from './violations.ts';

const target = (more: Partial<TargetFacts> = {}) => targetFacts('berlin-disk', more);
const usable = [...targetHealth(fleetOf({ targets: [target()] })).values()][0]!;
const rulesOf = (policy: Partial<Policy>, more: Partial<TargetFacts> = {}, role: CopyRole = 'primary', sizeBytes = 1e9) =>
  violationsOfNewCopy({ ...defaultPolicy, ...policy }, target(more), role, usable, sizeBytes).map((violation) => violation.rule);

describe('a new copy', () => {
  test('may go where nothing forbids it', () => {
    expect(rulesOf({})).toEqual([]);
  });

  test('each field of the policy keeps it out, and only its own', () => {
    expect(rulesOf({ regions: ['us'] })).toEqual(['region']);
    expect(rulesOf({ encryptionRequired: true }, { encryptedAtRest: false })).toEqual(['encryption']);
    expect(rulesOf({ forbiddenTargets: ['berlin-disk' as TargetId] })).toEqual(['forbidden-target']);
    expect(rulesOf({ copies: 1, pinnedTargets: ['paris-disk' as TargetId] })).toEqual(['pinned-targets']);
    expect(rulesOf({ copies: 2, pinnedTargets: ['paris-disk' as TargetId] })).toEqual([]);
    expect(rulesOf({ maxCostPerGbMonth: 0.01 })).toEqual(['max-cost']);
    expect(rulesOf({ maxCostPerGbMonth: 0.02 })).toEqual([]);
  });

  test('the latency SLO is owed by the primary only, and an unmeasured place does not keep it', () => {
    expect(rulesOf({ latencySloMs: 9 })).toEqual(['latency-slo']);
    expect(rulesOf({ latencySloMs: 10 })).toEqual([]);
    expect(rulesOf({ latencySloMs: 9 }, {}, 'copy')).toEqual([]);
    expect(rulesOf({ latencySloMs: 9 }, { latencyP95Ms: null })).toEqual(['latency-slo']);
    expect(rulesOf({}, { latencyP95Ms: null })).toEqual([]);
  });

  test('an unknown price, a risky device, a lost node and a lack of room keep it out', () => {
    expect(rulesOf({}, { prices: null })).toEqual(['price-unknown']);
    expect(rulesOf({}, { usedBytes: 50e9, reserveBytes: 30e9, reservedBytes: 19.5e9 })).toEqual(['capacity']);
    const risky = fleetOf({ targets: [target({ deviceIds: [deviceFacts('sda').deviceId] })], devices: [deviceFacts('sda', { level: 'at-risk' })] });
    const lost = fleetOf({ targets: [target()], nodes: [nodeFacts('berlin', { agentState: 'lost' })] });
    const of = (fleet: typeof risky) =>
      violationsOfNewCopy(defaultPolicy, fleet.targets[0]!, 'copy', targetHealth(fleet).get(fleet.targets[0]!.targetId), 1).map((violation) => violation.rule);
    expect(of(risky)).toEqual(['risky-device']);
    expect(of(lost)).toEqual(['not-usable']);
    const neverMeasured = fleetOf({ targets: [target({ capacityBytes: 0, usedBytes: 0, state: 'lost' })], nodes: [nodeFacts('berlin')] });
    expect(of(neverMeasured)).toEqual(['not-usable']);
  });

  test('an existing copy is not driven away by what is not known', () => {
    const of = (policy: Partial<Policy>, more: Partial<TargetFacts>) => violationsOfExistingCopy({ ...defaultPolicy, ...policy }, target(more), 'primary');
    expect(of({ latencySloMs: 9, maxCostPerGbMonth: 0.01 }, { latencyP95Ms: null, prices: null, usedBytes: 100e9 })).toEqual([]);
    expect(of({ latencySloMs: 9 }, {})[0]!.text).toBe('berlin-disk answers within 10 ms (p95), promised are 9 ms');
  });
});

describe('a clash', () => {
  const places = [targetFacts('berlin-disk', { region: 'de' }), targetFacts('paris-disk', { region: 'fr', encryptedAtRest: false })];
  const clashOf = (policy: Partial<Policy>, taken: readonly string[] = []) => {
    const dataset = datasetFacts('maps', [], policy);
    const fleet = fleetOf({ targets: places, datasets: [dataset] });
    return clashingRules(judgeTargets(fleet, dataset, 'primary', targetHealth(fleet)), new Set(taken), dataset).sort();
  };

  test('names the rules that together leave no place, and no rule beside them', () => {
    expect(clashOf({})).toEqual([]);
    expect(clashOf({ regions: ['fr'], encryptionRequired: true })).toEqual(['encryption', 'region']);
    expect(clashOf({ latencySloMs: 1, regions: ['fr'], encryptionRequired: true })).toHaveLength(1);
    expect(clashOf({ encryptionRequired: true }, ['berlin'])).toEqual(['encryption', 'spread']);
  });

  test('targets that are allowed are listed', () => {
    const dataset = datasetFacts('maps', [], { encryptionRequired: true });
    const fleet = fleetOf({ targets: places, datasets: [dataset] });
    expect(allowedTargets(fleet, dataset, 'copy', targetHealth(fleet)).map((each) => each.targetId)).toEqual(['berlin-disk']);
  });
});

describe('findings', () => {
  const targets = [
    targetFacts('berlin-disk'),
    targetFacts('paris-disk', { prices: prices(0.05) }),
    targetFacts('rome-disk', { prices: prices(0.03) }),
    targetFacts('boston-disk', { region: 'us' }),
  ];
  const elsewhere = (leaving: ReplicaFacts | null): string => `elsewhere for ${leaving?.targetId ?? 'one more'}`;
  const of = (places: readonly string[], policy: Partial<Policy> = {}, more: Partial<Parameters<typeof fleetOf>[0]> = {}, remedy: Remedy = elsewhere) => {
    const dataset = datasetFacts('maps', places, policy);
    const fleet = fleetOf({ targets, datasets: [dataset], ...more });
    return policyFindings(fleet, dataset, targetHealth(fleet), remedy);
  };

  test('nothing is found where everything is as it should be, or not there yet', () => {
    expect(of(['berlin-disk', 'paris-disk'])).toEqual([]);
    const empty = datasetFacts('new', [], {}, { versionId: null });
    const fleet = fleetOf({ targets, datasets: [empty] });
    expect(policyFindings(fleet, empty, targetHealth(fleet), elsewhere)).toEqual([]);
  });

  test('a copy in a forbidden region is an error with what is said to help that copy', () => {
    expect(of(['berlin-disk', 'boston-disk'], { regions: ['eu'] })).toMatchObject([
      { rule: 'region', severity: 'error', targetId: 'boston-disk', remedy: 'elsewhere for boston-disk' },
    ]);
    expect(of(['berlin-disk'])).toMatchObject([{ rule: 'copies', remedy: 'elsewhere for one more' }]);
  });

  test('too few copies say how many stand, and none at all is an error', () => {
    expect(of(['berlin-disk'])).toMatchObject([{ rule: 'copies', severity: 'warning', text: '1 of 2 wanted copies are verified in places that count' }]);
    expect(of([])).toMatchObject([{ rule: 'copies', severity: 'error' }]);
  });

  test('copies at one site are found by a policy that wants distinct sites', () => {
    const crowded = [...targets, targetFacts('berlin-nvme')];
    expect(of(['berlin-disk', 'berlin-nvme'], {}, { targets: crowded })).toMatchObject([{ rule: 'spread', severity: 'error' }]);
    // One more than wanted, and the wanted ones are apart.
    expect(of(['berlin-disk', 'berlin-nvme', 'paris-disk'], {}, { targets: crowded })).toMatchObject([{ rule: 'spread', severity: 'info' }]);
    expect(of(['berlin-disk', 'berlin-nvme', 'paris-disk'], { copies: 3 }, { targets: crowded })).toMatchObject([{ rule: 'spread', severity: 'error' }]);
  });

  test('a copy at another site that can not be used does not keep the others apart', () => {
    const away = [targetFacts('berlin-disk'), targetFacts('berlin-nvme'), targetFacts('paris-disk', { state: 'lost' })];
    expect(of(['berlin-disk', 'berlin-nvme', 'paris-disk'], {}, { targets: away })).toMatchObject([
      { rule: 'not-usable', severity: 'warning' },
      { rule: 'spread', severity: 'error' },
    ]);
  });

  test('a copy on a drive that is watched is told and breaks nothing, one on a drive that is emptied is an error', () => {
    const sda = deviceFacts('sda').deviceId;
    const risky = targets.map((target) => (target.targetId === 'berlin-disk' ? { ...target, deviceIds: [sda] } : target));
    const levelSinceMs = nowMs - 7_200_000;
    const on = (probability: number) =>
      of(
        ['berlin-disk', 'paris-disk'],
        {},
        { targets: risky, devices: [deviceFacts('sda', { level: 'at-risk', judgeKind: 'model', probability, levelSinceMs })] },
      );
    expect(on(0.05)).toMatchObject([
      { rule: 'risky-device', severity: 'info', text: expect.stringContaining('it stays, watched'), targetId: 'berlin-disk', sinceMs: levelSinceMs },
    ]);
    expect(on(0.9).map(({ rule, severity }) => [rule, severity])).toEqual([
      ['copies', 'warning'],
      ['risky-device', 'error'],
    ]);
  });

  test('when no place is left the remedy names the rules that clash', () => {
    expect(of(['berlin-disk'], { regions: ['mars'] }, {}, () => null).map((finding) => finding.remedy)).toContainEqual(
      expect.stringContaining('change region'),
    );
  });
});
