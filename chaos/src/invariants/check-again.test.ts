import { expect, test } from 'vitest';
import { wrongTwice } from './check-again.ts';

/** A fleet that says one thing after another, and what is seen of each. */
function of(says: readonly (string | undefined)[], seen: Readonly<Record<string, string | undefined>>) {
  let asked = 0;
  return wrongTwice(
    async () => says[asked++],
    async (subject) => seen[subject],
  );
}

test('a copy that is still counted and wrong again is a violation', async () => {
  expect(await of(['copy', 'copy'], { copy: 'is missing' })).toBe('is missing');
});

test('a copy that left while it was read is none', async () => {
  expect(await of(['copy', undefined], { copy: 'is missing' })).toBeUndefined();
});

test('a copy that was put in place of the one that left is what counts', async () => {
  expect(await of(['old', 'new'], { old: 'is missing' })).toBeUndefined();
  expect(await of(['old', 'new'], { old: 'is missing', new: 'has other bytes' })).toBe('has other bytes');
});
