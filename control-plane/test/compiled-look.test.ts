import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compiledAt, compiledLook } from '../kernel/compile.ts';

test('what the control plane runs is what the source of its innermost loop compiles to', async () => {
  expect(readFileSync(compiledAt, 'utf8')).toBe(await compiledLook());
});
