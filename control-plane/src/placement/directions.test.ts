import type { Policy } from '@data-in-motion/shared/domain/policy';
import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings as settings } from '../fleet/decision-settings.ts';
import type { DatasetFacts, TargetFacts } from '../fleet/snapshot.ts';
import { burstOf, datasetFacts, fleetOf, nowMs, prices, targetFacts, windowsOf } from '../fleet/testdata/small-fleet.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { fleetNeeds } from '../reconcile/needs.ts';
import { placeExact } from './place-exact.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Three tiers at two sites: fast and dear, slow and cheap; in Berlin a little cheaper, so that one place is the best of its tier. */
const targets = (['berlin', 'paris'] as const).flatMap((site) => [
  targetFacts(`${site}-nvme`, { tier: 'hot', latencyP95Ms: 0.3, prices: prices(site === 'berlin' ? 0.12 : 0.13), region: site === 'berlin' ? 'de' : 'fr' }),
  targetFacts(`${site}-disk`, { tier: 'warm', latencyP95Ms: 12, prices: prices(site === 'berlin' ? 0.02 : 0.022), region: site === 'berlin' ? 'de' : 'fr' }),
  targetFacts(`${site}-archive`, {
    tier: 'cold',
    latencyP95Ms: 60,
    prices: prices(site === 'berlin' ? 0.004 : 0.0045),
    region: site === 'berlin' ? 'de' : 'fr',
  }),
]);
const rank: Record<string, number> = { archive: 0, disk: 1, nvme: 2 };
const tierRank = (targetId: string): number => rank[targetId.split('-')[1]!]!;

/** Where the only copy of the only dataset is recommended to be, from the heat of its accesses over the needs to the plan; always from the disk in Berlin. */
async function recommended(
  more: Partial<DatasetFacts>,
  policy: Partial<Policy> = {},
  fleet: readonly TargetFacts[] = targets,
  heat = settings.heat,
): Promise<string> {
  const dataset = datasetFacts('maps', ['berlin-disk'], { copies: 1, ...policy }, { sizeBytes: 1e9, ...more });
  const snapshot = fleetOf({ targets: fleet, datasets: [dataset] });
  const heats = fleetHeats(snapshot, heat);
  const plan = await placeExact(snapshot, fleetNeeds(snapshot, heats), heats, settings.placement);
  expect(plan.infeasible).toEqual([]);
  return plan.moves.find((move) => move.fromReplicaId === 'maps@berlin-disk')?.toTargetId ?? 'berlin-disk';
}

const inTurn = <Value>(values: readonly Value[], place: (value: Value) => Promise<string>): Promise<string[]> =>
  values.reduce(async (before, value) => [...(await before), await place(value)], Promise.resolve<string[]>([]));

describe('one input changes, everything else is the same, and the recommended place follows it', () => {
  test('only frequency: the more often it is read, the faster the place, from the archive to flash', async () => {
    const used = await inTurn([0.01, 10, 30, 1000, 10_000], (readsPerHour) =>
      recommended({ windows: windowsOf(readsPerHour), lastAccessAtMs: nowMs - minuteMs }),
    );
    expect(used).toEqual(['berlin-archive', 'berlin-disk', 'berlin-disk', 'berlin-nvme', 'berlin-nvme']);
  });

  test('only past use: the more it was read in the past month, the faster the place, though the last hours were the same; not where the forecast alone decides', async () => {
    const afterMonthsOf = (heat: typeof settings.heat) =>
      inTurn([0, 20_000, 20_000_000], (readsPerMonth) =>
        recommended({ windows: windowsOf(1), lastAccessAtMs: nowMs - minuteMs, pastUse: { readsPerMonth, readBytesPerMonth: 0, days: 30 } }, {}, targets, heat),
      );
    expect(await afterMonthsOf(settings.heat)).toEqual(['berlin-archive', 'berlin-disk', 'berlin-nvme']);
    expect(new Set(await afterMonthsOf({ ...settings.heat, forecastShare: 1 })).size).toBe(1);
  });

  test('only recency: of the same accesses, those that lie too far back count for nothing, and it goes to the archive', async () => {
    const coldAfter6h = { ...settings.heat, coldAfterMs: 6 * hourMs };
    const used = await inTurn([minuteMs, 2 * hourMs, 5 * hourMs, 6 * hourMs, 20 * hourMs], (agoMs) =>
      recommended({ windows: burstOf(3000), lastAccessAtMs: nowMs - agoMs }, {}, targets, coldAfter6h),
    );
    expect(used).toEqual(['berlin-nvme', 'berlin-nvme', 'berlin-nvme', 'berlin-archive', 'berlin-archive']);
  });

  test('only the latency that is promised: the stricter, the faster the place, whatever it costs', async () => {
    const promised = await inTurn([null, 100, 60, 59, 12, 11, 1], (latencySloMs) => recommended({}, { latencySloMs }));
    expect(promised).toEqual([...['berlin-archive', 'berlin-archive', 'berlin-archive'], ...['berlin-disk', 'berlin-disk'], ...['berlin-nvme', 'berlin-nvme']]);
    expect(promised.map(tierRank)).toEqual(promised.map(tierRank).sort((a, b) => a - b));
  });

  test('only a price: what becomes dearer is left, what becomes cheaper is gone to', async () => {
    const archiveAt = (price: number) =>
      recommended(
        {},
        {},
        targets.map((target) => (target.targetId === 'berlin-archive' ? { ...target, prices: prices(price) } : target)),
      );
    expect(await inTurn([0.001, 0.004, 0.0044, 0.0046, 0.1], archiveAt)).toEqual([
      ...['berlin-archive', 'berlin-archive', 'berlin-archive'],
      ...['paris-archive', 'paris-archive'],
    ]);
  });

  test('only the region: it goes to the cheapest place of the region that is allowed', async () => {
    const allowed = await inTurn([[], ['de'], ['fr'], ['de', 'fr']], (regions) => recommended({}, { regions }));
    expect(allowed).toEqual(['berlin-archive', 'berlin-archive', 'paris-archive', 'berlin-archive']);
  });
});
