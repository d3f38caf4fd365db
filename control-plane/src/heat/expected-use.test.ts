import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import type { DatasetFacts } from '../fleet/snapshot.ts';
import { burstOf, datasetFacts, nowMs, windowsOf } from '../fleet/testdata/small-fleet.ts';
import { classifyHeat } from './classify-heat.ts';
import { expectedUse, forecastOf } from './expected-use.ts';

const settings = defaultDecisionSettings.heat;
const heatOf = (more: Partial<DatasetFacts>, forecastShare = settings.forecastShare) =>
  classifyHeat(datasetFacts('maps', [], {}, more), nowMs, { ...settings, forecastShare });

describe('the forecast', () => {
  test('lets steady reads go on for a month of 730 hours', () => {
    const use = forecastOf(heatOf({ windows: windowsOf(10, 1e6), lastAccessAtMs: nowMs }));
    expect(use.readsPerMonth).toBeCloseTo(7300, 6);
    expect(use.readBytesPerMonth).toBeCloseTo(7300e6, 0);
  });

  test('is nothing for what was left alone', () => {
    expect(forecastOf(heatOf({ windows: burstOf(300), lastAccessAtMs: nowMs - settings.coldAfterMs }))).toEqual({ readsPerMonth: 0, readBytesPerMonth: 0 });
    expect(forecastOf(undefined)).toEqual({ readsPerMonth: 0, readBytesPerMonth: 0 });
  });
});

describe('expected use', () => {
  const past = { readsPerMonth: 1000, readBytesPerMonth: 1e9, days: 30 };
  const used = { windows: windowsOf(10, 1e6), lastAccessAtMs: nowMs, pastUse: past };

  test('weighs what was counted against what is forecast', () => {
    const at = (share: number) => expectedUse(heatOf(used, share));
    expect(at(0)).toEqual({ readsPerMonth: 1000, readBytesPerMonth: 1e9 });
    expect(at(1)).toEqual(forecastOf(heatOf(used)));
    expect(at(0.3).readsPerMonth).toBeCloseTo(0.7 * 1000 + 0.3 * 7300, 6);
    expect(at(0.3).readBytesPerMonth).toBeCloseTo(0.7e9 + 0.3 * 7300e6, 0);
  });

  test('remembers what nobody reads today', () => {
    expect(expectedUse(heatOf({ pastUse: past })).readsPerMonth).toBeCloseTo(700, 6);
  });

  test('is the forecast alone where nothing is known of the past', () => {
    const heat = heatOf({ windows: windowsOf(10, 1e6), lastAccessAtMs: nowMs });
    expect(expectedUse(heat)).toEqual(forecastOf(heat));
  });
});
