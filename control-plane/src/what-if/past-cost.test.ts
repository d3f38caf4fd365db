import type { VersionId } from '@data-in-motion/shared/domain/ids';
import { defaultPolicy, type Policy, spreads } from '@data-in-motion/shared/domain/policy';
import { hoursPerMonth, type PriceEntry } from '@data-in-motion/shared/domain/price';
import { pick, randomInt, seededRandom } from '@data-in-motion/shared/random';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { domainOf } from '../fleet/lookup.ts';
import type { TargetFacts } from '../fleet/snapshot.ts';
import { prices, targetFacts } from '../fleet/testdata/small-fleet.ts';
import { type PastCopy, type PastDataset, type PastFacts, pastCosts, priceEras, totalOf } from './past-cost.ts';

const monthMs = hoursPerMonth * 3_600_000;
const dayMs = 86_400_000;
const fromMs = 1_000 * dayMs;
const untilMs = fromMs + monthMs;
const line = (priceClass: string, validFromMs: number, price: PriceEntry['prices']): PriceEntry => ({ priceClass, validFromMs, source: 'test', prices: price });

const targets = [
  targetFacts('berlin-disk'),
  targetFacts('paris-disk'),
  targetFacts('boston-cold', { region: 'us', provider: 'aws' }),
  targetFacts('tokyo-none', { priceClass: 'unknown' }),
];
const book = [
  line('berlin-disk', 0, prices(0.02)),
  line('paris-disk', 0, prices(0.03)),
  line('boston-cold', 0, prices(0.004, { readsPer1000: 0.01, egressPerGb: 0.09, retrievalPerGb: 0.03, writesPer1000: 0.02, minimumDays: 90 })),
];
const version = { versionId: 'v1' as VersionId, objects: 1_000, sizeBytes: 100e9, committedAtMs: 0 };
const copy = (targetId: string, more: Partial<PastCopy> = {}): PastCopy => ({
  targetId: targetId as PastCopy['targetId'],
  versionId: version.versionId,
  fromMs: 0,
  untilMs: null,
  copiedFrom: null,
  ...more,
});
const dataset = (copies: readonly PastCopy[], more: Partial<PastDataset> = {}, policy: Partial<Policy> = {}): PastDataset => ({
  datasetId: 'maps' as PastDataset['datasetId'],
  owner: 'lab',
  policy: { ...defaultPolicy, copies: 2, spread: 'site', ...policy },
  versions: [version],
  copies,
  reads: [],
  ...more,
});
const of = (one: PastDataset, more: Partial<PastFacts> = {}) => pastCosts({ fromMs, untilMs, targets, book, datasets: [one], ...more })[0]!;

describe('what was spent', () => {
  test('copies that stood for the whole month cost its storage; one that came in the middle half of it, and its making', () => {
    expect(of(dataset([copy('berlin-disk'), copy('paris-disk')])).spent).toMatchObject({ storage: expect.closeTo(5, 9), moving: 0 });
    const late = copy('boston-cold', { fromMs: fromMs + monthMs / 2, copiedFrom: 'berlin-disk' as PastCopy['targetId'] });
    // 2.00 + half of 0.40 · writes of 1,000 objects 0.02
    expect(of(dataset([copy('berlin-disk'), late])).spent).toMatchObject({ storage: expect.closeTo(2.2, 9), moving: expect.closeTo(0.02, 9) });
  });

  test('a copy that left before its minimum time pays the rest of it, and one that left before the span nothing', () => {
    const left = copy('boston-cold', { fromMs: fromMs - 20 * dayMs, untilMs: fromMs + 10 * dayMs });
    const spent = of(dataset([left])).spent;
    expect(spent.storage).toBeCloseTo(0.4 * (10 / (hoursPerMonth / 24)), 9);
    expect(spent.moving).toBeCloseTo(0.4 * (60 / (hoursPerMonth / 24)), 9);
    expect(totalOf(of(dataset([copy('boston-cold', { untilMs: fromMs - 1 })])).spent)).toBe(0);
  });

  test('what was read is paid where the primary was then', () => {
    const reads = [
      { targetId: 'berlin-disk' as PastCopy['targetId'], era: 0, reads: 1e6, bytes: 50e9 },
      { targetId: 'boston-cold' as PastCopy['targetId'], era: 0, reads: 1e5, bytes: 10e9 },
    ];
    // 100 × 0.01 · 10 × 0.03 · 10 × 0.09
    expect(of(dataset([], { reads })).spent).toEqual({
      storage: 0,
      requests: expect.closeTo(1, 9),
      retrieval: expect.closeTo(0.3, 9),
      egress: expect.closeTo(0.9, 9),
      moving: 0,
    });
  });

  test('a price that changes in the span counts from its day on', () => {
    const dearer = [...book, line('berlin-disk', fromMs + monthMs / 4, prices(0.06))];
    expect(priceEras(dearer, fromMs, untilMs)).toEqual([
      { fromMs, untilMs: fromMs + monthMs / 4 },
      { fromMs: fromMs + monthMs / 4, untilMs },
    ]);
    expect(of(dataset([copy('berlin-disk')]), { book: dearer }).spent.storage).toBeCloseTo(2 / 4 + (6 * 3) / 4, 9);
  });
});

describe('what it would have cost at the best places', () => {
  test('what nobody reads lies best on the two cheapest sites; what is read keeps its primary off the class that asks for reads', () => {
    expect(of(dataset([copy('berlin-disk'), copy('paris-disk')])).best).toMatchObject({ storage: expect.closeTo(2.4, 9), moving: 0 });
    const reads = [{ targetId: 'paris-disk' as PastCopy['targetId'], era: 0, reads: 0, bytes: 500e9 }];
    const read = of(dataset([copy('paris-disk')], { reads }));
    expect(read.bestTargets).toEqual(['berlin-disk', 'boston-cold']);
    expect(totalOf(read.best!)).toBeCloseTo(2.4, 9);
  });

  test('policy is kept: regions leave the dearer places, and too few places leave no best', () => {
    expect(of(dataset([]), {}).bestTargets).toHaveLength(2);
    expect(of(dataset([], {}, { regions: ['eu'] })).best).toMatchObject({ storage: expect.closeTo(5, 9) });
    expect(of(dataset([], {}, { regions: ['us'] })).best).toBeNull();
  });

  test('each version counts while it was the present one', () => {
    const versions = [version, { ...version, versionId: 'v2' as VersionId, sizeBytes: 200e9, committedAtMs: fromMs + monthMs / 2 }];
    expect(of(dataset([], { versions }, { copies: 1 })).best).toMatchObject({ storage: expect.closeTo(0.2 + 0.4, 9) });
  });

  test('no choice of allowed, distinct places is cheaper than the best, whatever is tried', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = seededRandom(seed);
        const places = Array.from(
          { length: randomInt(random, 1, 6) },
          (_, n): TargetFacts =>
            targetFacts(`${pick(random, ['berlin', 'paris', 'boston'])}-${n}`, { region: pick(random, ['eu', 'us']), provider: pick(random, ['own', 'aws']) }),
        );
        const lines = places.map(({ priceClass }) =>
          line(
            priceClass,
            0,
            prices(random.next(), {
              readsPer1000: random.next(),
              retrievalPerGb: random.next(),
              egressPerGb: random.next(),
              minimumObjectBytes: pick(random, [0, 1e9]),
            }),
          ),
        );
        const copies = randomInt(random, 1, 4);
        const policy = { copies, spread: pick(random, spreads), regions: pick(random, [[], ['eu']]) };
        const reads = [{ targetId: places[0]!.targetId, era: 0, reads: random.next() * 1e5, bytes: random.next() * 1e11 }];
        const one = dataset([], { reads }, policy);
        const { best } = of(one, { targets: places, book: lines });
        const tried = choices(places, copies).filter(
          (chosen) =>
            chosen.every((target) => policy.regions.length === 0 || policy.regions.includes(target.region)) &&
            new Set(chosen.map((target) => domainOf(target, policy.spread))).size === copies,
        );
        const costs = tried.map((chosen) => {
          const stood = chosen.map((target) => copy(target.targetId));
          return totalOf(of(dataset(stood, { reads: [{ ...reads[0]!, targetId: chosen[0]!.targetId }] }, policy), { targets: places, book: lines }).spent);
        });
        if (costs.length === 0) expect(best).toBeNull();
        else expect(totalOf(best!)).toBeCloseTo(Math.min(...costs), 6);
      }),
      { numRuns: 200 },
    );
  });
});

/** All ordered choices of so many different places. */
function choices(places: readonly TargetFacts[], many: number): TargetFacts[][] {
  if (many === 0) return [[]];
  return places.flatMap((place) =>
    choices(
      places.filter((other) => other !== place),
      many - 1,
    ).map((rest) => [place, ...rest]),
  );
}
