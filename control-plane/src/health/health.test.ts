import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import { deviceFacts, fleetOf, nodeFacts, nowMs, targetFacts } from '../fleet/testdata/small-fleet.ts';
import { agentTransitions } from './agents.ts';
import { observerFault } from './observer-fault.ts';
import { targetHealth } from './target-health.ts';

const { agents: graces, observer } = defaultDecisionSettings;
const sinceHeard = (ms: number, state: Parameters<typeof nodeFacts>[1] = {}) => nodeFacts('berlin', { lastHeardAtMs: nowMs - ms, ...state });

describe('agents', () => {
  test('an agent is late once it said nothing for the late time, and not before', () => {
    expect(agentTransitions([sinceHeard(graces.lateAfterMs - 1)], nowMs, graces)).toEqual([]);
    expect(agentTransitions([sinceHeard(graces.lateAfterMs)], nowMs, graces)).toMatchObject([{ from: 'online', to: 'late' }]);
  });

  test('a late agent is lost only when the grace is over, and an online one is late first', () => {
    expect(agentTransitions([sinceHeard(graces.lostAfterMs - 1, { agentState: 'late' })], nowMs, graces)).toEqual([]);
    expect(agentTransitions([sinceHeard(graces.lostAfterMs, { agentState: 'late' })], nowMs, graces)).toMatchObject([{ event: 'grace-over', to: 'lost' }]);
    expect(agentTransitions([sinceHeard(graces.lostAfterMs, { agentState: 'online' })], nowMs, graces)).toMatchObject([{ to: 'late' }]);
  });

  test('a lost agent that is heard again has returned, a late one is simply online', () => {
    expect(agentTransitions([sinceHeard(0, { agentState: 'lost' })], nowMs, graces)).toMatchObject([{ to: 'returned' }]);
    expect(agentTransitions([sinceHeard(0, { agentState: 'late' })], nowMs, graces)).toMatchObject([{ to: 'online' }]);
  });

  test('an agent that was never heard and one that was revoked stay what they are', () => {
    expect(
      agentTransitions(
        [nodeFacts('a', { agentState: 'expected', lastHeardAtMs: null }), sinceHeard(graces.lostAfterMs, { agentState: 'revoked' })],
        nowMs,
        graces,
      ),
    ).toEqual([]);
  });
});

describe('targets', () => {
  const on = (level: Parameters<typeof deviceFacts>[1]) =>
    fleetOf({ targets: [targetFacts('berlin-disk', { deviceIds: [deviceFacts('d').deviceId] })], devices: [deviceFacts('d', level)] });
  const healthOf = (fleet: ReturnType<typeof fleetOf>) => [...targetHealth(fleet).values()][0]!;

  test('a target over a healthy device takes data and counts', () => {
    expect(healthOf(on({}))).toMatchObject({ takesData: true, counts: true, drain: false, mayLetGo: true, reason: null });
  });

  test('over a device at risk nothing new is put, nothing counts and everything leaves, with the reading as the reason', () => {
    const health = healthOf(on({ level: 'at-risk', reasons: ['24 pending sectors'] }));
    expect(health).toMatchObject({ takesData: false, counts: false, drain: true, riskyDeviceId: 'd' });
    expect(health.reason).toContain('24 pending sectors');
  });

  test('a device that is only watched, or can not be judged, drives nothing away', () => {
    for (const level of ['watch', 'unknown'] as const) expect(healthOf(on({ level }))).toMatchObject({ takesData: true, drain: false });
  });

  test('targets of a lost node do not count, those of a late one count and take nothing new', () => {
    const of = (agentState: 'lost' | 'late' | 'returned') =>
      healthOf(fleetOf({ targets: [targetFacts('berlin-disk')], nodes: [nodeFacts('berlin', { agentState })] }));
    expect(of('lost')).toMatchObject({ takesData: false, counts: false, drain: false, mayLetGo: false });
    expect(of('late')).toMatchObject({ takesData: false, counts: true, mayLetGo: false });
    expect(of('returned')).toMatchObject({ takesData: false, counts: true });
  });

  test('a draining target counts until its copies have left, a frozen one changes in no way', () => {
    const of = (state: 'draining' | 'frozen' | 'lost') => healthOf(fleetOf({ targets: [targetFacts('berlin-disk', { state })] }));
    expect(of('draining')).toMatchObject({ takesData: false, counts: true, drain: true });
    expect(of('frozen')).toMatchObject({ takesData: false, counts: true, drain: false, mayLetGo: false });
    expect(of('lost')).toMatchObject({ takesData: false, counts: false });
  });
});

describe('the observer', () => {
  const fleetWith = (risky: number, total: number, sinceMs: (place: number) => number | null) =>
    fleetOf({
      targets: [targetFacts('berlin-disk', { deviceIds: [deviceFacts('d0').deviceId] })],
      devices: Array.from({ length: total }, (_, place) => deviceFacts(`d${place}`, place < risky ? { level: 'failing', levelSinceMs: sinceMs(place) } : {})),
    });

  test('many devices that turn risky at once hold the evacuation, and it says so', () => {
    const fleet = fleetWith(3, 10, (place) => nowMs - place * 60_000);
    expect(observerFault(fleet, observer)).toMatchObject({ holding: true });
    expect([...targetHealth(fleet).values()][0]).toMatchObject({ takesData: false, counts: true, drain: false, riskyDeviceId: 'd0' });
    expect([...targetHealth(fleet).values()][0]!.reason).toContain('the judge is the likelier fault');
  });

  test('one or two devices are never an observer fault, however small the fleet', () => {
    expect(
      observerFault(
        fleetWith(2, 2, () => nowMs),
        observer,
      ).holding,
    ).toBe(false);
  });

  test('the same number over a long time, or a small share of a large fleet, are drives that die', () => {
    expect(
      observerFault(
        fleetWith(3, 10, (place) => nowMs - place * observer.withinMs),
        observer,
      ).holding,
    ).toBe(false);
    expect(
      observerFault(
        fleetWith(3, 100, () => nowMs),
        observer,
      ).holding,
    ).toBe(false);
  });

  test('the hold ends', () => {
    expect(
      observerFault(
        fleetWith(3, 10, () => nowMs - observer.holdMs - 1),
        observer,
      ).holding,
    ).toBe(false);
  });
});
