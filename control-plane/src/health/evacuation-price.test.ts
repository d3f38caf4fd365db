import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import { datasetFacts, deviceFacts, fleetOf, prices, targetFacts } from '../fleet/testdata/small-fleet.ts';
import { evacuationPays, priceEvacuation, stakeOf } from './evacuation-price.ts';

const settings = defaultDecisionSettings.evacuation;
const on = (name: string, more: Parameters<typeof targetFacts>[1] = {}) =>
  targetFacts(name, { capacityBytes: 1e13, deviceIds: [`${name}-drive` as DeviceId], ...more });
const dying = deviceFacts('berlin-a-drive', { level: 'at-risk', judgeKind: 'model', probability: 0.2 });

/** A dataset of a TB on berlin-a and wherever else, with one empty place more. */
function stake(others: Parameters<typeof on>[], probabilities: Readonly<Record<string, number>> = {}) {
  const targets = [on('berlin-a'), ...others.map((place) => on(...place)), on('rome-free', { failureDomain: 'rome' })];
  const devices = targets.slice(1).map((target) => deviceFacts(target.deviceIds[0]!, { probability: probabilities[target.targetId] ?? 0 }));
  const dataset = datasetFacts('films', ['berlin-a', ...others.map(([name]) => name)], {}, { sizeBytes: 1e12 });
  return stakeOf(fleetOf({ targets, datasets: [dataset], devices: [dying, ...devices] }), dying, settings);
}
const loss = (...given: Parameters<typeof stake>): number => stake(...given).datasets[0]!.lossDollars;

describe('what is at stake', () => {
  test('the only copy is lost with its drive, at what a GB is worth; nothing can be made again', () => {
    const only = stake([]).datasets[0]!;
    expect(only.lossDollars).toBeCloseTo(1000 * settings.dollarsPerGbLost, 6);
    expect(only.others).toBe(0);
  });

  test('each copy more makes the loss smaller by the chance that it goes too before the repair is done', () => {
    const [none, one, two] = [loss([]), loss([['paris-a']]), loss([['paris-a'], ['rome-a']])];
    // A TB at 50 MB/s and an hour before: 6.56 hours, in which 2 % a year are 0.0015 %.
    const chance = 1 - (1 - settings.yearlyFailures) ** ((1e12 / 50e6 / 3600 + 1) / 24 / 365);
    expect(one).toBeCloseTo(none * chance, 9);
    expect(two).toBeCloseTo(none * chance ** 2, 9);
  });

  test('a copy on a drive that is at risk itself protects less, and one that looks well no more than any', () => {
    expect(loss([['paris-a']], { 'paris-a': 0.3 })).toBeGreaterThan(50 * loss([['paris-a']]));
    expect(loss([['paris-a']], { 'paris-a': 1e-9 })).toBe(loss([['paris-a']]));
  });

  test('a copy in the same rack protects less than one in another', () => {
    expect(loss([['berlin-b', { failureDomain: 'berlin-a' }]])).toBeGreaterThan(100 * loss([['paris-a']]));
  });

  test('two copies on one drive, and a copy on this drive, are no other copy', () => {
    const shared = { deviceIds: ['paris-drive' as DeviceId] };
    expect(
      stake([
        ['paris-a', shared],
        ['paris-b', shared],
      ]).datasets[0]!.others,
    ).toBe(1);
    expect(stake([['berlin-b', { deviceIds: [dying.deviceId] }]]).datasets[0]!.others).toBe(0);
  });

  test('moving costs egress, requests, wear, the time of two drives and the days that are left behind', () => {
    const from = on('berlin-a', { prices: prices(0.02, { egressPerGb: 0.05, minimumDays: 0 }) });
    const to = on('rome-free', { prices: prices(0.02, { writesPer1000: 0.01 }) });
    const fleet = fleetOf({ targets: [from, to], datasets: [datasetFacts('films', ['berlin-a'], {}, { sizeBytes: 1e12, objects: 2000 })], devices: [dying] });
    // 100 MB/s are measured in these fleets.
    expect(stakeOf(fleet, dying, settings).datasets[0]!.moveDollars).toBeCloseTo(50 + 0.02 + 0.1 + 1, 9);
  });

  test('the bytes come from another copy where there is one, at its prices', () => {
    const from = on('berlin-a', { prices: prices(0.02, { egressPerGb: 0.05 }) });
    const other = on('paris-a', { prices: prices(0.02, { egressPerGb: 0.01 }) });
    const films = datasetFacts('films', ['berlin-a', 'paris-a'], {}, { sizeBytes: 1e12, objects: 2000 });
    const fleet = fleetOf({ targets: [from, other, on('rome-free')], datasets: [films], devices: [dying] });
    expect(stakeOf(fleet, dying, settings).datasets[0]!.moveDollars).toBeCloseTo(10 + 0.1 + 1, 9);
  });
});

describe('the decision', () => {
  const pays = (probability: number, copies: number): boolean => {
    const price = priceEvacuation(
      stake([['paris-a'] as [string], ['oslo-a'] as [string]].slice(0, copies - 1)),
      { probability, horizonDays: 30 },
      settings,
      'new',
    );
    return evacuationPays(price, settings, 'new');
  };

  test('a drive like any other is never emptied; one with the only copy is at a small sign, one with others near it at a clear one', () => {
    expect([pays(0.001, 1), pays(0.02, 1)]).toEqual([false, true]);
    expect([pays(0.02, 2), pays(0.1, 2), pays(0.3, 2)]).toEqual([false, false, true]);
    expect([pays(0.02, 3), pays(0.3, 3)]).toEqual([false, true]);
  });

  test('both sums are numbers, whatever an agent says', () => {
    const share = fc.oneof(fc.constantFrom(0, 1, 1e-300), fc.double({ min: 0, max: 1, noNaN: true }));
    const days = fc.oneof(fc.constantFrom(1e-300, 1e300), fc.double({ min: 1e-9, max: 1e9, noNaN: true }));
    fc.assert(
      fc.property(share, days, (probability, horizonDays) => {
        const { leavingDollars, movingDollars } = priceEvacuation(
          stake([['paris-a']], { 'paris-a': probability }),
          { probability, horizonDays },
          settings,
          'new',
        );
        expect([Number.isFinite(leavingDollars), leavingDollars >= 0, Number.isFinite(movingDollars)]).toEqual([true, true, true]);
      }),
    );
  });

  test('what pays at some probability pays at every higher one, and goes on once it was begun', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 3 }), (a, b, copies) => {
        const one = stake([['paris-a'] as [string], ['oslo-a'] as [string]].slice(0, copies - 1));
        const price = (probability: number, stage: 'new' | 'begun') => priceEvacuation(one, { probability, horizonDays: 30 }, settings, stage);
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        if (evacuationPays(price(low, 'new'), settings, 'new')) {
          expect(evacuationPays(price(high, 'new'), settings, 'new')).toBe(true);
          expect(evacuationPays(price(low, 'begun'), settings, 'begun')).toBe(true);
        }
        expect(price(high, 'new').leavingDollars).toBeGreaterThanOrEqual(price(low, 'new').leavingDollars);
      }),
    );
  });
});
