import { type FileSample, isSampled, type SampledFile } from '@data-in-motion/shared/domain/file-sample';
import { type Random, randomInt, seededRandom } from '@data-in-motion/shared/random';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SharedFiles } from './shared-files.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

/** Files by name; each has a hash that nothing is known of, and a size. */
function someFiles(random: Random, count: number): SampledFile[] {
  return Array.from({ length: count }, () => ({ hash: Math.floor(random.next() * 2 ** 52), sizeBytes: Math.ceil(2 ** (random.next() * 20)) }));
}

function versionsOf(random: Random, files: readonly SampledFile[], versions: number): SampledFile[][] {
  return Array.from({ length: versions }, () => {
    const share = random.next() ** 2;
    return files.filter(() => random.next() < share);
  });
}

function sampleOf(files: readonly SampledFile[], level: number, completeFromBytes: number): FileSample {
  return { level, completeFromBytes, files: files.filter(({ hash, sizeBytes }) => sizeBytes >= completeFromBytes || isSampled(hash, level)) };
}

/** Bytes too many, counted over all files. */
function truth(versions: readonly (readonly SampledFile[])[]): number {
  const times = new Map<SampledFile, number>();
  for (const file of versions.flat()) times.set(file, (times.get(file) ?? 0) + 1);
  return [...times].reduce((sum, [file, n]) => sum + (n - 1) * file.sizeBytes, 0);
}

function counted(samples: readonly FileSample[], most?: number) {
  const shared = new SharedFiles<number>(most);
  const found = [...samples].sort((a, b) => a.level - b.level).flatMap((sample, at) => shared.add(at, sample) ?? []);
  return {
    bytes: found.reduce((sum, one) => sum + one.bytes, 0),
    exactBytes: found.reduce((sum, one) => sum + one.exactBytes, 0),
    errorBytes: shared.errorBytes,
  };
}

describe('bytes that several versions have in common', () => {
  test('are counted exactly where every sample is whole', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = seededRandom(seed);
        const versions = versionsOf(random, someFiles(random, 200), randomInt(random, 1, 6));
        const { bytes, exactBytes, errorBytes } = counted(versions.map((files) => sampleOf(files, 0, 0)));
        expect([bytes, exactBytes, errorBytes]).toEqual([truth(versions), truth(versions), 0]);
      }),
    );
  });

  test('what is called exact is, whatever the samples lack', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = seededRandom(seed);
        const versions = versionsOf(random, someFiles(random, 200), 4);
        const cut = 2 ** 12;
        const { bytes, exactBytes } = counted(versions.map((files) => sampleOf(files, 40, cut)));
        // At this level no small file is in a sample.
        expect(bytes).toBe(exactBytes);
        expect(exactBytes).toBe(truth(versions.map((files) => files.filter(({ sizeBytes }) => sizeBytes >= cut))));
      }),
    );
  });

  test.each([
    ['of different levels', undefined],
    ['of which only some can be remembered', 3_000],
  ] as const)('are right on the average from samples %s, and within the told error in nineteen of twenty cases', (_, most) => {
    let [within, sum, expected] = [0, 0, 0];
    const runs = 300;
    for (let seed = 1; seed <= runs; seed++) {
      const random = seededRandom(seed);
      const versions = versionsOf(random, someFiles(random, 4_000), 4);
      const samples = versions.map((files) => sampleOf(files, randomInt(random, 0, 4), 2 ** randomInt(random, 17, 20)));
      const wanted = truth(versions);
      const { bytes, errorBytes } = counted(samples, most);
      sum += bytes;
      expected += wanted;
      if (Math.abs(bytes - wanted) <= errorBytes) within++;
    }
    expect(sum / expected).toBeGreaterThan(0.98);
    expect(sum / expected).toBeLessThan(1.02);
    expect(within / runs).toBeGreaterThan(0.9);
  });

  test('of each version are told with the one that has most of them', () => {
    const [a, b, c] = [1, 2, 3].map((hash) => ({ hash, sizeBytes: hash * 100 })) as [SampledFile, SampledFile, SampledFile];
    const shared = new SharedFiles<string>();
    expect(shared.add('first', sampleOf([a, b], 0, 0))).toBeNull();
    expect(shared.add('second', sampleOf([c], 0, 0))).toBeNull();
    expect(shared.add('third', sampleOf([a, b, c], 0, 0))).toMatchObject({ files: 3, bytes: 600, exactBytes: 600, errorBytes: 0, mostWith: 'first' });
  });
});
