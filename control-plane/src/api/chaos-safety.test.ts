import { expect, test } from 'vitest';
import { placeFault } from './chaos-safety.ts';

test('a parameter is one that the fault has, not one that every object has', () => {
  const request = { kind: 'link-cut', subject: 'n1', parameters: { constructor: 1 }, ttlMs: 1_000 } as const;
  expect(() => placeFault({} as never, request as never, [], true)).toThrow('link-cut has no parameter "constructor"');
});
