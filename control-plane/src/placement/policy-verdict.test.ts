import type { TargetId } from '@data-in-motion/shared/domain/ids';
import type { Policy } from '@data-in-motion/shared/domain/policy';
import { describe, expect, test } from 'vitest';
import type { DatasetFacts, TargetFacts } from '../fleet/snapshot.ts';
import { datasetFacts, fleetOf, nodeFacts, prices, targetFacts } from '../fleet/testdata/small-fleet.ts';
import { targetHealth } from '../health/target-health.ts';
import { policyVerdict } from './policy-verdict.ts';

const targets = [
  targetFacts('berlin-nvme', { prices: prices(0.1), latencyP95Ms: 1 }),
  targetFacts('berlin-disk', { prices: prices(0.02), latencyP95Ms: 10 }),
  targetFacts('boston-archive', { prices: prices(0.004), latencyP95Ms: 60, region: 'us', encryptedAtRest: false }),
];
const named = (...names: string[]) => names as TargetId[];

function verdictOf(
  policy: Partial<Policy>,
  places: readonly string[] = [],
  more: Partial<DatasetFacts> = {},
  on: readonly TargetFacts[] = targets,
  nodes = [] as ReturnType<typeof nodeFacts>[],
) {
  const dataset = datasetFacts('maps', places, policy, more);
  const fleet = fleetOf({ targets: on, datasets: [dataset], nodes });
  return policyVerdict(fleet, dataset, targetHealth(fleet), undefined);
}

describe('a policy that no fleet of these targets can meet', () => {
  test.each<[string, Partial<Policy>, string[], RegExp]>([
    ['more copies than sites', { copies: 3 }, ['spread'], /^ask for less distance between copies than "site", so that boston-archive may hold another/],
    ['more copies than targets', { copies: 4, spread: 'target' }, ['spread'], /^want fewer than 4 copies/],
    [
      'a latency that nothing keeps',
      { copies: 1, latencySloMs: 0.5 },
      ['latency-slo'],
      /^allow a latency of 60 ms, which boston-archive keeps: \$0\.04 a month there$/,
    ],
    ['a price below all', { copies: 1, maxCostPerGbMonth: 0.001 }, ['max-cost'], /^allow \$0\.004 per GB and month, the price of boston-archive/],
    [
      'encryption in a region without it',
      { copies: 1, regions: ['us'], encryptionRequired: true },
      ['encryption', 'region'],
      /^(encrypt boston-archive|allow the region eu)/,
    ],
    [
      'a pin to what is forbidden',
      { copies: 1, pinnedTargets: named('berlin-disk'), forbiddenTargets: named('berlin-disk') },
      ['pinned-targets', 'forbidden-target'],
      /^no longer forbid berlin-disk/,
    ],
    [
      'two pins at one site',
      { copies: 2, pinnedTargets: named('berlin-disk', 'berlin-nvme') },
      ['pinned-targets', 'spread'],
      /one of berlin-nvme and berlin-disk only|one of berlin-disk and berlin-nvme only/,
    ],
    [
      'more pins than copies',
      { copies: 1, pinnedTargets: named('berlin-disk', 'boston-archive') },
      ['pinned-targets', 'copies'],
      /^want 2 copies, or pin 1 only$/,
    ],
  ])('%s', (_, policy, rules, way) => {
    const verdict = verdictOf(policy);
    expect(verdict).toMatchObject({ when: 'never', cheapestWayOut: expect.stringMatching(way) });
    expect([...verdict!.rules].sort()).toEqual([...rules].sort());
  });

  test('is not one that a place may keep that was never measured, or that the fleet is too young to judge', () => {
    const unmeasured = targets.map((target) => ({ ...target, latencyP95Ms: null }));
    expect(verdictOf({ copies: 1, latencySloMs: 0.5 }, [], {}, unmeasured)).toMatchObject({ when: 'now', rules: ['latency-slo'] });
    expect(verdictOf({ copies: 9 }, [], {}, [])).toBeNull();
  });
});

describe('a policy that can be met, only not now', () => {
  test('for want of room, unless the copies stand already', () => {
    const large = { sizeBytes: 150e9 };
    expect(verdictOf({ copies: 1 }, [], large)).toMatchObject({
      when: 'now',
      rules: ['capacity'],
      cheapestWayOut: expect.stringContaining('make room on boston-archive'),
    });
    expect(verdictOf({ copies: 2 }, ['berlin-disk', 'boston-archive'], large)).toBeNull();
    expect(verdictOf({ copies: 1, latencySloMs: 20 }, ['boston-archive'], large)).toMatchObject({ when: 'now' });
  });

  test('while a node is lost', () => {
    expect(verdictOf({ copies: 2 })).toBeNull();
    expect(verdictOf({ copies: 2 }, [], {}, targets, [nodeFacts('boston', { agentState: 'lost' })])).toMatchObject({ when: 'now' });
  });
});
