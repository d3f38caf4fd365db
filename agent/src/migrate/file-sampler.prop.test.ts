import { createHash } from 'node:crypto';
import { filesPattern, isSampled, readFiles, sampledHash, writeFiles } from '@data-in-motion/shared/domain/file-sample';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FileSampler } from './file-sampler.ts';

const hashOf = (content: number): string => createHash('sha256').update(String(content)).digest('hex');
const contents = fc.array(fc.nat(2_000), { maxLength: 3_000 });
/** Files of one content have one size. */
const sizeOf = (content: number): number => content % 97;

function sampled(list: readonly number[], mostSampled: number, mostLarge: number) {
  const sampler = new FileSampler(mostSampled, mostLarge);
  for (const content of list) sampler.saw(hashOf(content), sizeOf(content));
  return sampler.sample();
}

test('a sample holds every file from its size on and every file below its threshold, each once, and no other', () => {
  fc.assert(
    fc.property(contents, (list) => {
      const { level, completeFromBytes, files } = sampled(list, 50, 20);
      const all = [...new Set(list)]
        .filter((content) => sizeOf(content) > 0)
        .map((content) => ({ hash: sampledHash(hashOf(content)), sizeBytes: sizeOf(content) }));
      const wanted = all.filter(({ hash, sizeBytes }) => sizeBytes >= completeFromBytes || isSampled(hash, level));
      expect(files).toEqual(wanted.sort((a, b) => a.hash - b.hash));
      expect(all.filter(({ hash }) => isSampled(hash, level)).length).toBeLessThanOrEqual(50);
      expect(all.filter(({ sizeBytes }) => sizeBytes >= completeFromBytes).length).toBeLessThanOrEqual(20);
      // Not thinner than there is need to.
      if (level > 0) expect(all.filter(({ hash }) => isSampled(hash, level - 1)).length).toBeGreaterThan(50);
      if (all.length <= 20) expect(completeFromBytes).toBe(0);
    }),
    { numRuns: 100 },
  );
});

test('the order in which files are seen changes nothing, nor does writing them down', () => {
  fc.assert(
    fc.property(contents, (list) => {
      const sample = sampled(list, 50, 20);
      expect(sampled([...list].reverse(), 50, 20)).toEqual(sample);
      expect(writeFiles(sample.files)).toMatch(filesPattern);
      expect(readFiles(writeFiles(sample.files))).toEqual(sample.files);
    }),
    { numRuns: 50 },
  );
});
