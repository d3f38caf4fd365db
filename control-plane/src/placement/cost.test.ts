import type { ReplicaId, VersionId } from '@data-in-motion/shared/domain/ids';
import { describe, expect, test } from 'vitest';
import { copyOnce, leaveOnce } from '../fleet/copy-cost.ts';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import { datasetFacts, fleetOf, nowMs, prices, replicaFacts, targetFacts, windowsOf } from '../fleet/testdata/small-fleet.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { datasetCost, fleetCost, paidCopies, perMonth, replicaCost, waitingPerMonth } from './cost.ts';
import { addParts, noParts, type ObjectiveParts, objectiveOf, partNames } from './objective.ts';

/** AWS us-east-1 list prices: S3 Standard, and S3 Glacier Instant Retrieval. */
const standard = prices(0.023, { readsPer1000: 0.0004, writesPer1000: 0.005, egressPerGb: 0.09 });
const glacier = prices(0.004, {
  readsPer1000: 0.01,
  writesPer1000: 0.02,
  egressPerGb: 0.09,
  retrievalPerGb: 0.03,
  minimumDays: 90,
  minimumObjectBytes: 131_072,
});
const cloud = targetFacts('virginia-standard', { prices: standard, provider: 'aws' });
const archive = targetFacts('virginia-archive', { prices: glacier, provider: 'aws' });
const own = targetFacts('berlin-disk', { prices: prices(0.02) });
const use = { readsPerMonth: 2_000_000, readBytesPerMonth: 50e9 };
const half = { sizeBytes: 500e9, objects: 100_000 };
const dayMs = 86_400_000;

test('the objective counts each of its parts once', () => {
  const ones = Object.fromEntries(partNames.map((name) => [name, 1])) as unknown as ObjectiveParts;
  expect(objectiveOf(ones)).toBe(partNames.length);
  const sum = { ...noParts };
  addParts(sum, ones, 1);
  expect(sum).toEqual(ones);
});

describe('what a copy costs', () => {
  test('a primary of 500 GB in S3 Standard that is read 2 million times and 50 GB a month', () => {
    // 500 × 0.023 = 11.50 · 2000 × 0.0004 = 0.80 · 50 × 0.09 = 4.50
    const cost = replicaCost(cloud, 'primary', half, use);
    expect(cost).toEqual({
      storagePerMonth: expect.closeTo(11.5, 9),
      requestsPerMonth: expect.closeTo(0.8, 9),
      retrievalPerMonth: 0,
      egressPerMonth: expect.closeTo(4.5, 9),
      migrationOnce: 0,
    });
    expect(perMonth(cost)).toBeCloseTo(16.8, 9);
  });

  test('a primary in Glacier Instant Retrieval pays for what is read out of the class, besides requests and egress', () => {
    // 500 × 0.004 = 2.00 · 2000 × 0.01 = 20.00 · 50 × 0.03 = 1.50 · 50 × 0.09 = 4.50
    const cost = replicaCost(archive, 'primary', half, use);
    expect(cost).toEqual({
      storagePerMonth: expect.closeTo(2, 9),
      requestsPerMonth: expect.closeTo(20, 9),
      retrievalPerMonth: expect.closeTo(1.5, 9),
      egressPerMonth: expect.closeTo(4.5, 9),
      migrationOnce: 0,
    });
    expect(perMonth(cost)).toBeCloseTo(28, 9);
    expect(replicaCost(archive, 'copy', half, use).retrievalPerMonth).toBe(0);
  });

  test('small objects are billed as the least size of the class: a million of 10 kB as 131 GB instead of 10', () => {
    const small = { sizeBytes: 10e9, objects: 1_000_000 };
    // 131.072 × 0.004 = 0.524288, which is more than the 0.23 of S3 Standard
    expect(replicaCost(archive, 'copy', small, use).storagePerMonth).toBeCloseTo(0.524288, 9);
    expect(replicaCost(cloud, 'copy', small, use).storagePerMonth).toBeCloseTo(0.23, 9);
  });

  test('readers use the primary: another copy pays for its bytes only', () => {
    expect(perMonth(replicaCost(cloud, 'copy', half, use))).toBeCloseTo(11.5, 9);
  });

  test('a place without a known price is not billed', () => {
    expect(perMonth(replicaCost(targetFacts('berlin-x', { prices: null }), 'primary', half, use))).toBe(0);
  });

  test('a move out of the cloud pays egress for every byte and a read for every object', () => {
    // 100 × 0.09 = 9.00 · 20000 / 1000 × 0.0004 = 0.008 · writes at home are free
    expect(copyOnce(cloud, own, { sizeBytes: 100e9, objects: 20_000 })).toBeCloseTo(9.008, 9);
  });

  test('a move within a site and provider pays requests only', () => {
    // 20 × (0.0004 + 0.02) = 0.408
    expect(copyOnce(cloud, archive, { sizeBytes: 100e9, objects: 20_000 })).toBeCloseTo(0.408, 9);
  });

  test('a move out of an infrequent class pays retrieval for every byte, also when it stays with the provider', () => {
    // 100 × 0.03 = 3.00 · 20 × (0.01 + 0.005) = 0.30
    expect(copyOnce(archive, cloud, { sizeBytes: 100e9, objects: 20_000 })).toBeCloseTo(3.3, 9);
    // and 100 × 0.09 = 9.00 of egress when it leaves; writes at home are free, so that 20 × 0.01 = 0.20
    expect(copyOnce(archive, own, { sizeBytes: 100e9, objects: 20_000 })).toBeCloseTo(12.2, 9);
  });

  test('a copy that leaves before its minimum time pays the rest of it', () => {
    const young = replicaFacts('maps', 'virginia-archive', { createdAtMs: nowMs - 30 * dayMs });
    // 60 of 30.41667 days × 100 GB × 0.004 = 0.789041
    expect(leaveOnce(archive, young, { sizeBytes: 100e9, objects: 1 }, nowMs)).toBeCloseTo((60 / (730 / 24)) * 0.4, 9);
    expect(leaveOnce(archive, replicaFacts('maps', 'virginia-archive', { createdAtMs: nowMs - 91 * dayMs }), { sizeBytes: 100e9, objects: 1 }, nowMs)).toBe(0);
    // and by what is billed: 10 GB in a million objects are 131.072 GB
    expect(leaveOnce(archive, young, { sizeBytes: 10e9, objects: 1_000_000 }, nowMs)).toBeCloseTo((60 / (730 / 24)) * 0.524288, 9);
  });

  test("readers' waiting is reads × latency × what a second is worth", () => {
    expect(waitingPerMonth(targetFacts('berlin-disk', { latencyP95Ms: 12 }), 'primary', use, 0.0001)).toBeCloseTo(2_000_000 * 0.012 * 0.0001, 12);
    expect(waitingPerMonth(own, 'copy', use, 0.0001)).toBe(0);
  });
});

describe('what a fleet costs', () => {
  const datasets = [
    datasetFacts('maps', ['berlin-disk', 'virginia-standard'], {}, { sizeBytes: 200e9, owner: 'lab', windows: windowsOf(100, 1e6), lastAccessAtMs: nowMs }),
    datasetFacts('logs', ['virginia-archive', 'berlin-disk'], {}, { sizeBytes: 50e9, owner: 'ops' }),
  ];
  const fleet = fleetOf({ targets: [own, cloud, archive], datasets });
  const heats = fleetHeats(fleet, defaultDecisionSettings.heat);

  test('the whole is the sum of its datasets, whichever way it is divided', () => {
    const cost = fleetCost(fleet, heats);
    // maps: 200 × 0.02 + 200 × 0.023 = 8.60 · logs: 50 × 0.004 + 50 × 0.02 = 1.20
    expect(cost.perMonth).toBeCloseTo(9.8, 9);
    expect(cost.byOwner).toEqual({ lab: expect.closeTo(8.6, 9), ops: expect.closeTo(1.2, 9) });
    expect(cost.byTarget).toEqual({
      'berlin-disk': expect.closeTo(5, 9),
      'virginia-standard': expect.closeTo(4.6, 9),
      'virginia-archive': expect.closeTo(0.2, 9),
    });
    expect(Object.values(cost.byTier).reduce((a, b) => a + b, 0)).toBeCloseTo(cost.perMonth, 9);
    expect(datasets.map((dataset) => perMonth(datasetCost(fleet, dataset, heats.get(dataset.datasetId)))).reduce((a, b) => a + b, 0)).toBeCloseTo(
      cost.perMonth,
      9,
    );
  });

  test('a copy of an old version is billed at its own size and objects, until it leaves', () => {
    const replicas = [
      replicaFacts('maps', 'berlin-disk'),
      replicaFacts('maps', 'virginia-archive', { replicaId: 'maps-old' as ReplicaId, versionId: 'maps-v0' as VersionId }),
    ];
    const otherVersions = [{ versionId: 'maps-v0' as VersionId, objects: 1_000_000, sizeBytes: 10e9 }];
    const grown = datasetFacts('maps', [], {}, { sizeBytes: 200e9, objects: 1_000, replicas, otherVersions, primaryReplicaId: replicas[0]!.replicaId });
    const twoVersions = fleetOf({ targets: [own, archive], datasets: [grown] });
    // 200 × 0.02 = 4.00 · a million objects of 10 kB are billed as 131.072 GB × 0.004 = 0.524288
    expect(fleetCost(twoVersions, new Map()).byTarget).toEqual({ 'berlin-disk': expect.closeTo(4, 9), 'virginia-archive': expect.closeTo(0.524288, 9) });
    expect(perMonth(datasetCost(twoVersions, grown, undefined))).toBeCloseTo(4.524288, 9);
    expect(paidCopies(twoVersions, grown, undefined).map(({ sizeBytes }) => sizeBytes)).toEqual([200e9, 10e9]);
  });

  test('bytes that are still there are billed, whatever they are good for', () => {
    const withState = (state: 'trashed' | 'corrupt' | 'missing') =>
      fleetCost(
        fleetOf({ targets: [own], datasets: [datasetFacts('maps', [], {}, { sizeBytes: 100e9, replicas: [replicaFacts('maps', 'berlin-disk', { state })] })] }),
        new Map(),
      ).perMonth;
    expect(withState('trashed')).toBeCloseTo(2, 9);
    expect(withState('corrupt')).toBeCloseTo(2, 9);
    expect(withState('missing')).toBe(0);
  });
});
