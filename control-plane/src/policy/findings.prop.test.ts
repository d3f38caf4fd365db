import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { targetHealth } from '../health/target-health.ts';
import { policyBreaches, policyFindings } from './findings.ts';

const seldomRight = { targets: 7, datasets: 8, sites: 4, room: 4, trouble: 0.5 };

test('a policy is broken where a finding is an error, also when the same datasets are asked about after their places changed', () => {
  let broken = 0;
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (seed, otherSeed) => {
      const first = randomFleet(seed, seldomRight);
      const other = randomFleet(otherSeed, seldomRight);
      // The targets have the same names in both, with other states, drives and regions.
      const second: FleetSnapshot = { ...other, datasets: first.datasets };
      for (const snapshot of [first, second, first]) {
        const health = targetHealth(snapshot);
        const breaks = policyBreaches(snapshot, health);
        for (const dataset of snapshot.datasets) {
          const isError = policyFindings(snapshot, dataset, health, () => '').some((finding) => finding.severity === 'error');
          expect(breaks(dataset)).toBe(isError);
          if (isError) broken++;
        }
      }
    }),
    { numRuns: 300 },
  );
  expect(broken).toBeGreaterThan(100);
});
