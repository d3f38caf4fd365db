import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import type { DatasetFacts } from '../fleet/snapshot.ts';
import { burstOf, datasetFacts, nowMs, windowsOf } from '../fleet/testdata/small-fleet.ts';
import { classifyHeat } from './classify-heat.ts';

const settings = defaultDecisionSettings.heat;
const minuteMs = 60_000;
const heatOf = (more: Partial<DatasetFacts>, own = settings) => classifyHeat(datasetFacts('maps', [], {}, more), nowMs, own);

describe('heat', () => {
  test('hundreds of reads within minutes make a dataset hot', () => {
    const heat = heatOf({ windows: burstOf(300), lastAccessAtMs: nowMs - minuteMs, heatClass: 'cold' });
    expect(heat).toMatchObject({ class: 'hot' });
    expect(heat.confidence).toBeGreaterThan(0.9);
    expect(heat.reason).toContain('was cold, is now hot');
  });

  test('a dataset that nobody uses any more is cold after coldAfterMs, whatever its windows still hold', () => {
    const last = (agoMs: number) =>
      heatOf({ windows: burstOf(300), lastAccessAtMs: nowMs - agoMs, heatClass: 'hot' }, { ...settings, coldAfterMs: 5 * minuteMs });
    expect(last(minuteMs).class).toBe('hot');
    expect(last(5 * minuteMs)).toMatchObject({ class: 'cold', score: 0, confidence: 1 });
  });

  test('a dataset that was never used is cold, and one read now and then is warm', () => {
    expect(heatOf({})).toMatchObject({ class: 'cold', score: 0 });
    expect(heatOf({ windows: windowsOf(3), lastAccessAtMs: nowMs - 20 * minuteMs }).class).toBe('warm');
  });

  test('more frequent and more recent are never colder', () => {
    const byRate = [0.1, 1, 5, 20, 100, 1000].map((rate) => heatOf({ windows: windowsOf(rate), lastAccessAtMs: nowMs - minuteMs }).score);
    const byAge = [1, 30, 120, 600, 1400, 1500].map((minutes) => heatOf({ windows: windowsOf(5), lastAccessAtMs: nowMs - minutes * minuteMs }).score);
    expect(byRate).toEqual([...byRate].sort((a, b) => a - b));
    expect(byAge).toEqual([...byAge].sort((a, b) => b - a));
  });

  test('the moving average of an agent counts where the windows are empty, and fades with age', () => {
    const fresh = heatOf({ ewmaPerHour: 200, lastAccessAtMs: nowMs - minuteMs });
    expect(fresh.class).toBe('hot');
    expect(heatOf({ ewmaPerHour: 200, lastAccessAtMs: nowMs - 12 * 60 * minuteMs }).score).toBeLessThan(fresh.score);
  });

  test('at a threshold a dataset stays what it was', () => {
    const near = { windows: windowsOf(7.5), lastAccessAtMs: nowMs };
    const score = heatOf(near).score;
    expect(score).toBeGreaterThan(settings.hotFrom);
    const own = { ...settings, hotFrom: score + settings.hysteresis / 2 };
    expect(heatOf({ ...near, heatClass: 'hot' }, own).class).toBe('hot');
    expect(heatOf({ ...near, heatClass: 'warm' }, own).class).toBe('warm');
    expect(heatOf({ ...near, heatClass: null }, { ...settings, hotFrom: score }).confidence).toBe(0.5);
  });
});
