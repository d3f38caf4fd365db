import { describe, expect, test } from 'vitest';
import { explainScore } from './explain-score.ts';
import { deviceFeatures } from './features.ts';
import { days, life, seagate } from './testdata/lives.ts';

const features = deviceFeatures(life([...days(20), ...days(3, { smart: { 5: 16, 187: 2, 189: 4 } })]));
const explain = (pushes: Record<string, number>): string[] =>
  explainScore(
    Object.entries(pushes).map(([feature, by]) => ({ feature, by })),
    features,
    seagate,
  ).map(({ text }) => text);

describe('why a model scores a drive as it does', () => {
  test('is told counter by counter, whose features are summed, strongest first', () => {
    expect(explain({ smart5: 0.2, 'smart5.change7': 0.3, 'smart187.change30': 0.4, smart189: 1 })).toEqual([
      '4 high fly writes, up by 4 within 7 days',
      '16 reallocated sectors, up by 16 within 7 days',
      '2 reported uncorrectable errors, up by 2 within 7 days',
    ]);
  });

  test('leaves out what pushed down, what hardly pushed, and counters with nothing to see', () => {
    expect(explain({ smart5: 1, 'smart5.change7': -2, smart187: 0.01, smart197: 3, smart196: 3, changes30: 3 })).toEqual([]);
  });

  test('shares what counts all damage together among the counters that show some', () => {
    expect(explain({ 'damage.kinds': 0.4 })).toEqual([
      '16 reallocated sectors, up by 16 within 7 days',
      '2 reported uncorrectable errors, up by 2 within 7 days',
    ]);
  });

  test('names age and kind of the drive, which are no damage', () => {
    expect(explain({ powerOnHours: 0.2, capacityTb: 0.4, 'maker.seagate': 0.4 })).toEqual([
      'Seagate drives of 4 TB failed more often than others in what the model learned from',
      '20,000 hours of operation',
    ]);
  });
});
