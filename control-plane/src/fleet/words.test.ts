import { expect, test } from 'vitest';
import { bytesText, dollarsText, msText, priceText } from './words.ts';

test('only nothing costs $0.00, and no amount is told with more digits than it has', () => {
  expect([0, 12, 0.1, -0.1, 0.004, 0.0000111, 1e-9].map(dollarsText)).toEqual([
    '$0.00',
    '$12.00',
    '$0.10',
    '-$0.10',
    '$0.0040',
    '$0.000011',
    '$0.000001 at most',
  ]);
  expect([0.023, 0.1 + 0.2].map(priceText)).toEqual(['$0.023', '$0.3']);
});

test('sizes are decimal, times have two digits', () => {
  expect([0, 999, 1_000, 119_400_000, 2e15].map(bytesText)).toEqual(['0 B', '999 B', '1.0 kB', '119 MB', '2.0 PB']);
  expect([0.1234, 3.456, 12.3456, 1234.5].map(msText)).toEqual(['0.12 ms', '3.5 ms', '12 ms', '1235 ms']);
});
