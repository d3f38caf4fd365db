import { expect, test } from 'vitest';
import { change, money } from './figures.ts';

test('money below a dollar has four figures that count, and what a few bytes cost is next to nothing', () => {
  expect([0, 4.1, 0.5, 0.012345678, 0.0000012346, 1.7e-10, -1.7e-10, null].map(money)).toEqual([
    '$0.00',
    '$4.10',
    '$0.50',
    '$0.01235',
    '$0.000001235',
    '<$0.000001',
    '-<$0.000001',
    '–',
  ]);
  expect([0.5, -0.5, 1.7e-10].map(change)).toEqual(['+$0.50', '-$0.50', '+<$0.000001']);
});
