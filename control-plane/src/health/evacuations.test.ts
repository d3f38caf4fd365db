import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import type { DeviceFacts } from '../fleet/snapshot.ts';
import { datasetFacts, deviceFacts, fleetOf, nowMs, targetFacts } from '../fleet/testdata/small-fleet.ts';
import { changedEvacuations, deviceEvacuations } from './evacuations.ts';
import { targetHealth } from './target-health.ts';

const judged = (probability: number, more: Partial<DeviceFacts> = {}): Partial<DeviceFacts> => ({
  level: 'at-risk',
  judge: 'trees 1',
  judgeKind: 'model',
  probability,
  ...more,
});

/** So many drives, each under a place of its own with one dataset whose only copy it is, unless said otherwise. */
function fleet(drives: readonly Partial<DeviceFacts>[], more: { readonly copies?: 1 | 2; readonly sizeBytes?: number; readonly domain?: string } = {}) {
  const names = drives.map((_, place) => `berlin-${place}`);
  const targets = [...names, 'paris-0'].map((name, place) =>
    targetFacts(name, { capacityBytes: 1e15, deviceIds: [`d${place}` as DeviceId], ...(more.domain === undefined ? {} : { failureDomain: more.domain }) }),
  );
  const datasets = names.map((name, place) =>
    datasetFacts(`set${place}`, more.copies === 2 ? [name, 'paris-0'] : [name], {}, { sizeBytes: more.sizeBytes ?? 1e12 }),
  );
  return fleetOf({ targets, datasets, devices: [...drives.map((drive, place) => deviceFacts(`d${place}`, drive)), deviceFacts(`d${drives.length}`)] });
}
const verdicts = (snapshot: ReturnType<typeof fleet>) => Object.fromEntries([...deviceEvacuations(snapshot)].map(([deviceId, one]) => [deviceId, one.verdict]));

describe('what is done about a device', () => {
  test('what a model expects is weighed: the only copy leaves, one of two stays and says both sums', () => {
    expect(verdicts(fleet([judged(0.1)]))).toEqual({ d0: 'evacuated' });
    const stays = fleet([judged(0.1)], { copies: 2 });
    expect(verdicts(stays)).toEqual({ d0: 'watched' });
    expect(deviceEvacuations(stays).get('d0' as DeviceId)!.reason).toMatch(
      /^device d0 is at-risk \(10 % within 30 days\); leaving it costs \$\d+\.\d\d in expectation, moving \$\d+\.\d\d: it stays, watched$/,
    );
    expect(targetHealth(stays).get(stays.targets[0]!.targetId)).toMatchObject({ takesData: false, counts: true, drain: false, mayLetGo: true });
  });

  test('a rule decides by its level, and failing decides whoever says it', () => {
    expect(verdicts(fleet([{ level: 'at-risk', probability: 0.01 }], { copies: 2 }))).toEqual({ d0: 'evacuated' });
    expect(verdicts(fleet([judged(0.01, { level: 'failing' })], { copies: 2 }))).toEqual({ d0: 'evacuated' });
  });

  test('a model that gives no probability is obeyed by its level', () => {
    expect(verdicts(fleet([{ ...judged(0), probability: null }], { copies: 2 }))).toEqual({ d0: 'evacuated' });
  });

  test('a drive that is judged healthy or can not be judged is left alone; one that is only watched leaves when that pays', () => {
    for (const level of ['healthy', 'unknown'] as const) expect(verdicts(fleet([judged(0.5, { level })]))).toEqual({});
    expect(verdicts(fleet([judged(0.05, { level: 'watch' })]))).toEqual({ d0: 'evacuated' });
    expect(verdicts(fleet([judged(0.05, { level: 'watch' })], { copies: 2 }))).toEqual({});
  });
});

describe('once begun', () => {
  const begun = { evacuatingSinceMs: nowMs - 1000 };

  test('it goes on until leaving is worth less than half of moving', () => {
    expect(verdicts(fleet([judged(0.1)], { copies: 2 }))).toEqual({ d0: 'watched' });
    expect(verdicts(fleet([judged(0.1, begun)], { copies: 2 }))).toEqual({ d0: 'evacuated' });
    expect(verdicts(fleet([judged(0.01, begun)], { copies: 2 }))).toEqual({ d0: 'watched' });
  });

  test('an emptied drive stays empty until it is judged healthy', () => {
    const empty = (level: DeviceFacts['level']) => ({ ...fleet([judged(0.05, { level, ...begun })]), datasets: [] });
    expect([verdicts(empty('watch')), verdicts(empty('healthy'))]).toEqual([{ d0: 'evacuated' }, {}]);
  });

  test('a judge that fell silent takes no alarm back', () => {
    expect(verdicts(fleet([{ ...judged(0, begun), level: 'unknown', probability: null }]))).toEqual({ d0: 'evacuated' });
  });

  test('what begins and what ends is told once, of drives that a model judges only', () => {
    expect(changedEvacuations(fleet([judged(0.1)]), defaultDecisionSettings)).toMatchObject([{ deviceId: 'd0', begins: true }]);
    expect(changedEvacuations(fleet([judged(0.1, begun)]), defaultDecisionSettings)).toEqual([]);
    expect(changedEvacuations(fleet([judged(0.001, begun)], { copies: 2 }), defaultDecisionSettings)).toMatchObject([{ begins: false }]);
    expect(changedEvacuations(fleet([{ level: 'failing' }]), defaultDecisionSettings)).toEqual([]);
  });
});

describe('how many at once', () => {
  test('the one that is dearest to leave first; the others wait and say why, what is under way goes on', () => {
    expect(verdicts(fleet([judged(0.1), judged(0.3), judged(0.2)]))).toEqual({ d0: 'waits', d1: 'evacuated', d2: 'waits' });
    expect(deviceEvacuations(fleet([judged(0.1), judged(0.3)])).get('d0' as DeviceId)!.reason).toContain('no more may be at once');
    expect(verdicts(fleet([judged(0.1, { evacuatingSinceMs: nowMs }), judged(0.3)]))).toEqual({ d0: 'evacuated', d1: 'waits' });
    const waits = fleet([judged(0.1), judged(0.3)]);
    expect(targetHealth(waits).get(waits.targets[0]!.targetId)).toMatchObject({ takesData: false, counts: true, drain: false });
  });

  test('failing drives do not wait, and take up the room', () => {
    expect(verdicts(fleet([judged(0.3), { level: 'failing' }, { level: 'failing' }]))).toEqual({ d0: 'waits', d1: 'evacuated', d2: 'evacuated' });
  });

  test('a share of the devices of a large fleet, and of their bytes', () => {
    const many = Array.from({ length: 60 }, (_, place) => judged(0.1 + place / 1000));
    const count = (snapshot: ReturnType<typeof fleet>) => [...deviceEvacuations(snapshot).values()].filter((one) => one.verdict === 'evacuated').length;
    expect(count(fleet(many))).toBe(3);
  });
});

describe('the observer', () => {
  const since = { levelSinceMs: nowMs, judgeSinceMs: nowMs - 3_600_000 };
  const sound = (count: number, more: Partial<DeviceFacts> = {}) => Array.from({ length: count }, () => more);

  test('many alarms in one failure domain are held, a few are not', () => {
    // A tenth of the fleet, all in one rack.
    const rack = (risky: number) => {
      const made = fleet([...Array.from({ length: risky }, () => judged(0.5, since)), ...sound(40)]);
      return { ...made, targets: made.targets.map((target, place) => (place < 5 ? { ...target, failureDomain: 'rack 7' } : target)) };
    };
    expect(new Set(Object.values(verdicts(rack(4))))).toEqual(new Set(['held']));
    expect(deviceEvacuations(rack(4)).get('d0' as DeviceId)!.reason).toContain('devices in rack 7 at berlin turned risky');
    expect(Object.values(verdicts(rack(2)))).not.toContain('held');
  });

  test('many alarms of a version that has just become active are held, those of one that has judged for long are not; what a drive says of itself never', () => {
    const byModel = (judgeSinceMs: number, more: Partial<DeviceFacts> = {}) => [
      ...Array.from({ length: 4 }, () => judged(0.5, { ...since, judgeSinceMs, ...more })),
      ...sound(40, { judge: 'trees 1', judgeKind: 'model', judgeSinceMs }),
    ];
    expect(new Set(Object.values(verdicts(fleet(byModel(nowMs - 3_600_000)))))).toEqual(new Set(['held']));
    expect(Object.values(verdicts(fleet(byModel(nowMs - 30 * 86_400_000))))).not.toContain('held');
    expect(new Set(Object.values(verdicts(fleet(byModel(nowMs - 3_600_000, { level: 'failing', saysItFails: true })))))).toEqual(new Set(['evacuated']));
  });

  test('a held drive keeps what was decided about it', () => {
    const held = fleet([...Array.from({ length: 4 }, () => judged(0.5, { ...since, evacuatingSinceMs: nowMs })), ...sound(4)]);
    expect(verdicts(held)).toMatchObject({ d0: 'held' });
    expect(changedEvacuations(held, defaultDecisionSettings)).toEqual([]);
  });
});
