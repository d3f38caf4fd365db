import { describe, expect, test } from 'vitest';
import { bytes, rate } from './bytes.ts';
import { money, moneyChange, moneyPerMonth, unitPrice } from './money.ts';
import { count, counted, parseBytes, percent, share } from './number.ts';
import { needWord, stateWord } from './state-words.ts';
import { age, duration, latency } from './time.ts';

describe('sizes', () => {
  test('a size has three digits and its unit, in powers of a thousand', () => {
    expect([0, 999, 1000, 1_240_000, 12_400_000, 999_600_000, 4e12].map(bytes)).toEqual([
      '0 B',
      '999 B',
      '1.00 kB',
      '1.24 MB',
      '12.4 MB',
      '1.00 GB',
      '4.00 TB',
    ]);
  });
  test('a size that is not known is a dash, not zero', () => {
    expect([bytes(null), bytes(undefined), bytes(Number.NaN), rate(null)]).toEqual(['–', '–', '–', '–']);
  });
  test('what a person types as a size is read in the same units', () => {
    expect(['200MB', '1.5 gb', '4096', '10 TiB', 'many', ''].map(parseBytes)).toEqual([200e6, 1.5e9, 4096, 10e12, undefined, undefined]);
  });
});

describe('money', () => {
  test('a price below a cent keeps four significant digits instead of reading zero', () => {
    expect([0.001234, 0.00099, 0.0000012346, 0].map(money)).toEqual(['$0.001234', '$0.00099', '$0.000001235', '$0']);
  });
  test('what a few bytes cost is told as next to nothing, not in a row of zeros', () => {
    expect([money(2.2e-11), money(-2.2e-11), moneyChange(2.2e-11), moneyPerMonth(9e-7)]).toEqual([
      '<$0.000001',
      '−<$0.000001',
      '+<$0.000001',
      '<$0.000001 / month',
    ]);
  });
  test('a price from a cent on has two decimals and its groups', () => {
    expect([0.01, 4.1, 1234.567].map(moneyPerMonth)).toEqual(['$0.01 / month', '$4.10 / month', '$1,234.57 / month']);
  });
  test('a price of one unit keeps the digits in which offers differ', () => {
    expect([0.018, 0.085, 0.1, 0.00099, 1.5, 0, 1e-14].map(unitPrice)).toEqual(['$0.018', '$0.085', '$0.10', '$0.00099', '$1.50', '$0', '<$0.000001']);
  });
  test('a difference says by its sign whether it is dearer', () => {
    expect([0.4, -1.2, 0].map(moneyChange)).toEqual(['+$0.40', '−$1.20', '$0']);
  });
});

describe('time', () => {
  test('a span is told in at most two units', () => {
    expect([840, 4200, 42_000, 240_000, 7_800_000, 273_600_000, 8_640_000_000_000].map(duration)).toEqual([
      '840 ms',
      '4.2 s',
      '42 s',
      '4 min',
      '2 h 10 min',
      '3 d 4 h',
      '100000 d',
    ]);
  });
  test('a moment is told by its age, and one to come by how soon', () => {
    expect([age(1000, 13_000), age(13_000, 1000), age(1000, 1000), age(null, 5)]).toEqual(['12 s ago', 'in 12 s', 'now', 'never']);
  });
  test('a latency below ten milliseconds keeps its fraction', () => {
    expect([0.42, 9, 12.4, 1200, null].map(latency)).toEqual(['0.42 ms', '9 ms', '12 ms', '1.2 s', '–']);
  });
});

describe('numbers', () => {
  test('a share that is nearly nothing or nearly all is not rounded to it', () => {
    expect([0, 0.0004, 0.034, 0.5, 0.9994, 0.99999, 1].map(percent)).toEqual(['0 %', '<0.1 %', '3.4 %', '50 %', '>99.9 %', '>99.9 %', '100 %']);
  });
  test('a count carries its noun in the right number', () => {
    expect([counted(1, 'dataset'), counted(12_480, 'dataset'), counted(2, 'copy', 'copies'), count(null)]).toEqual([
      '1 dataset',
      '12,480 datasets',
      '2 copies',
      '–',
    ]);
  });
  test('a share of nothing is zero, and none is above one', () => {
    expect([share(1, 0), share(3, 2), share(-1, 2)]).toEqual([0, 1, 0]);
  });
});

describe('state words', () => {
  test('a state that the console does not know is shown as it is', () => {
    expect(stateWord('job', 'levitating')).toEqual({ word: 'levitating', tone: 'idle', shape: 'ring', letter: '?' });
    expect(stateWord('risk', 'constructor').word).toBe('constructor');
    expect(needWord('toString')).toBe('toString');
  });
  test('levels of risk differ in shape, so that colour is not needed', () => {
    const shapes = ['healthy', 'watch', 'at-risk', 'failing', 'unknown'].map((level) => stateWord('risk', level).shape);
    expect(new Set(shapes).size).toBe(5);
  });
});
