import { expect, test } from 'vitest';
import { bytes, duration, money, plain, unitPrice } from './figures.ts';
import { parseDuration, parseMoney, parseShare, parseSize } from './units.ts';

test('sizes and durations are read with their units', () => {
  expect([parseSize('200MB'), parseSize('1.5GiB'), parseSize('10 kb'), parseSize('7B')]).toEqual([200e6, 1.5 * 2 ** 30, 10e3, 7]);
  expect([parseDuration('50ms'), parseDuration('2s'), parseDuration('10m'), parseDuration('1.5h'), parseDuration('7d')]).toEqual([
    50, 2_000, 600_000, 5_400_000, 604_800_000,
  ]);
  expect([parseMoney('0.02'), parseMoney('$3'), parseShare('60%'), parseShare('0.05')]).toEqual([0.02, 3, 0.6, 0.05]);
});

test.each([['200'], ['MB'], ['-5MB'], ['1e3MB'], ['5 ms'], ['1,5GB'], ['']])('the size "%s" is refused', (text) => {
  expect(() => parseSize(text)).toThrow(/size such as/);
});

test.each([['50'], ['50MB'], ['-1s'], ['soon']])('the duration "%s" is refused', (text) => {
  expect(() => parseDuration(text)).toThrow(/duration such as/);
});

test.each([['0.02€'], ['cheap'], ['-1'], ['1,2']])('the amount "%s" is refused', (text) => {
  expect(() => parseMoney(text)).toThrow(/US dollars/);
});

test('small amounts of money keep four figures, sizes three, and nothing is a dash', () => {
  expect([money(0), money(12.345), money(0.0001236), money(-0.5), money(0.010349), money(0.999999), money(null)]).toEqual([
    '$0.00',
    '$12.35',
    '$0.0001236',
    '-$0.50',
    '$0.01035',
    '$1.00',
    '–',
  ]);
  expect([bytes(0), bytes(999), bytes(1_000), bytes(999_600), bytes(12_345_678), bytes(null)]).toEqual(['0 B', '999 B', '1.00 kB', '1.00 MB', '12.3 MB', '–']);
  expect([duration(0.42), duration(59_000), duration(61_000), duration(3_700_000), duration(200_000_000), duration(599_999), duration(9_960)]).toEqual([
    '0.4 ms',
    '59 s',
    '1 min 1 s',
    '1 h 2 min',
    '2 d',
    '10 min 0 s',
    '10 s',
  ]);
});

test('characters that steer a terminal are taken out', () => {
  expect(plain('a\u001b]0;x\u0007b\u202ec')).toBe('a?]0;x?b?c');
});

test('prices of one unit keep what tells them apart', () => {
  expect([unitPrice(0.011), unitPrice(0.0004), unitPrice(12), unitPrice(0), unitPrice(null)]).toEqual(['$0.011', '$0.0004', '$12', '$0', '–']);
});
