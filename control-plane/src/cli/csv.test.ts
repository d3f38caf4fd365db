import { expect, test } from 'vitest';
import { csv } from './csv.ts';

test('cells with commas, quotes and line breaks stay one cell, and numbers keep all their digits', () => {
  expect(csv(['owner', 'per month'], [['Smith, "Al"\nand sons', 0.1 + 0.2]])).toBe('owner,per month\r\n"Smith, ""Al""\nand sons",0.30000000000000004');
});

test('a name is never a formula, a negative number stays a number, and what is not known is empty', () => {
  expect(csv(['name', 'change', 'after'], [['=HYPERLINK("x")', -1.5, null]])).toBe('name,change,after\r\n"\'=HYPERLINK(""x"")",-1.5,');
});
