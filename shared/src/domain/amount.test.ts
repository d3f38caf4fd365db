import { expect, test } from 'vitest';
import { amount } from './amount.ts';

test('amounts are written as the language does it', () => {
  const values = [0, 7, 999, 1_000, 1_975, 123_456, 1_234_567, 4_294_967_295, 2 ** 48, -1, -12, -123, -1_234, -123_456, 0.5, 3.125, 1_234.56, 14.0];
  expect(values.map(amount)).toEqual(values.map((value) => value.toLocaleString('en-GB')));
});
