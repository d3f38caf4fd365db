import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DuplicateCount } from './duplicate-count.ts';

const hashOf = (content: string): string => createHash('sha256').update(content).digest('hex');

test('files with the same bytes as one before are counted with what they hold, however many there are', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3_000), { maxLength: 5_000 }), (contents) => {
      const count = new DuplicateCount();
      const seen = new Set<number>();
      let [objects, bytes] = [0, 0];
      for (const content of contents) {
        count.saw(hashOf(String(content)), content);
        if (content > 0 && seen.has(content)) {
          objects++;
          bytes += content;
        }
        seen.add(content);
      }
      expect({ objects: count.objects, bytes: count.bytes, isExact: count.isExact }).toEqual({ objects, bytes, isExact: true });
    }),
    { numRuns: 50 },
  );
});

test('where more different files come than are remembered, it counts no file that is none, and says that there may be more', () => {
  const count = new DuplicateCount(2_048);
  for (let file = 0; file < 3_000; file++) count.saw(hashOf(String(file)), 10);
  expect({ objects: count.objects, isExact: count.isExact }).toEqual({ objects: 0, isExact: false });
  for (let file = 0; file < 3_000; file++) count.saw(hashOf(String(file)), 10);
  expect(count).toMatchObject({ objects: 1_536, bytes: 15_360 });
});
