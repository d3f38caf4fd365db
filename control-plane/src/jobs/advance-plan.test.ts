import type { JobId, PlanId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import type { JobState } from '@data-in-motion/shared/domain/job';
import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { datasetFacts, fleetOf, nowMs, prices, targetFacts } from '../fleet/testdata/small-fleet.ts';
import type { Move } from '../placement/plan.ts';
import { planBasisOf } from '../placement/plan-basis.ts';
import { planMove } from '../placement/testdata/plan-move.ts';
import { advancePlan, longestStandstillMs, type PlanWork, type WorkMove } from './advance-plan.ts';

const targets = ['berlin-disk', 'paris-disk', 'rome-disk', 'oslo-disk'].map((name) => targetFacts(name));
const maps = datasetFacts('maps', ['berlin-disk', 'oslo-disk'], { copies: 1 });
const films = datasetFacts('films', ['berlin-disk'], { copies: 1 });
const fleet = fleetOf({ targets, datasets: [maps, films] });
const copyMaps = planMove(maps, 'berlin-disk', 'rome-disk');
const dropMaps = planMove(maps, 'oslo-disk', null, { need: 'drop-copy', priority: 4 });
const copyFilms = planMove(films, 'berlin-disk', 'rome-disk');
const filmsToParis = planMove(films, 'berlin-disk', 'paris-disk');

const job = (move: Move, state: JobState) => ({
  jobId: 'own' as JobId,
  purpose: move.action,
  state,
  fromReplicaId: move.action === 'copy' ? null : move.fromReplicaId,
  toReplicaId: 'new' as ReplicaId,
});
function workOf(moves: readonly Move[], states: Record<number, JobState> = {}, snapshot = fleet): PlanWork {
  const one = (move: Move, i: number): WorkMove => {
    const state = states[i];
    return { moveId: `m${i}`, move, stage: state === undefined ? 'waiting' : 'running', because: null, job: state === undefined ? null : job(move, state) };
  };
  const basis = planBasisOf(snapshot, new Map(), moves, defaultDecisionSettings);
  return { planId: 'p' as PlanId, basis, stopped: false, movedAtMs: nowMs, moves: moves.map(one) };
}
const limitsOf = (more: Partial<typeof defaultDecisionSettings.limits>) => ({
  ...defaultDecisionSettings,
  limits: { ...defaultDecisionSettings.limits, ...more },
});
function advance(work: PlanWork, snapshot: FleetSnapshot = fleet, settings = defaultDecisionSettings) {
  const { moves, start, differences } = advancePlan(snapshot, new Map(), work, settings);
  return { start: start.map(({ moveId }) => moveId), stages: moves.map(({ stage }) => stage), because: moves.map((each) => each.because), differences };
}
const dearRome = { ...fleet, targets: targets.map((target) => (target.targetId === 'rome-disk' ? { ...target, prices: prices(0.05) } : target)) };

describe('what begins', () => {
  test('all at once where nothing limits it', () => {
    expect(advance(workOf([copyMaps, copyFilms])).start).toEqual(['m0', 'm1']);
  });

  test('as much as the limits allow; the rest says what it waits for', () => {
    const { start, because } = advance(workOf([copyMaps, copyFilms]), fleet, limitsOf({ underWayPerNode: 1 }));
    expect([start, because[1]]).toEqual([['m0'], '1 jobs are under way on rome, 1 may be']);
  });

  test('what has its way free overtakes what waits for another node', () => {
    const busy = { ...fleet, jobs: [] };
    const twice = workOf([copyMaps, copyFilms, filmsToParis]);
    expect(advance(twice, busy, limitsOf({ underWayPerNode: 1 })).start).toEqual(['m0', 'm2']);
  });

  test('never in the room of one that waits before it', () => {
    const scans = datasetFacts('scans', ['oslo-disk'], { copies: 1 });
    const tight = fleetOf({ targets: targets.map((target) => ({ ...target, capacityBytes: 20e9 })), datasets: [maps, films, scans] });
    // Each fits alone with what runs, and the plan as a whole does not: the last one must not take what the second was promised.
    const moves = [copyFilms, planMove(scans, 'oslo-disk', 'rome-disk', { sizeBytes: 5e9 })];
    const work = workOf([copyMaps, ...moves], { 0: 'copying' }, tight);
    const measuredTwice = {
      ...tight,
      targets: tight.targets.map((target) => (target.targetId === 'rome-disk' ? { ...target, usedBytes: 3e9, reservedBytes: 10e9 } : target)),
    };
    expect(advance(work, measuredTwice)).toMatchObject({
      start: [],
      because: [null, expect.stringContaining('no room'), expect.stringContaining('no room')],
      differences: [],
    });
  });

  test('a drop, only when all copies of its dataset stand', () => {
    const enough = workOf([copyMaps, dropMaps]);
    expect(advance(enough, fleet, limitsOf({ underWayInFleet: 0 })).because[1]).toBe('the copies of maps come first');
    expect(advance(workOf([copyMaps, dropMaps], { 0: 'copying' })).because[1]).toBe('the copies of maps come first');
    expect(advance(workOf([copyMaps, dropMaps], { 0: 'done' })).start).toEqual(['m1']);
  });
});

describe('what ends', () => {
  const move = planMove(maps, 'berlin-disk', 'rome-disk', { action: 'move' });

  test.each<[JobState, string]>([
    ['copying', 'running'],
    ['switched', 'running'],
    ['grace', 'done'],
    ['retiring', 'done'],
    ['done', 'done'],
    ['dead-letter', 'failed'],
    ['cancelled', 'failed'],
  ])('a move whose job is %s is %s', (state, stage) => {
    expect(advance(workOf([move], { 0: state })).stages).toEqual([stage]);
  });

  test('a drop is done when the copy lies in the trash, not when its permit is out', () => {
    expect(advance(workOf([dropMaps], { 0: 'retiring' })).stages).toEqual(['running']);
    expect(advance(workOf([dropMaps], { 0: 'trashed' })).stages).toEqual(['done']);
  });

  test('after a failure the rest of its dataset is left out, other datasets go on', () => {
    expect(advance(workOf([copyMaps, copyFilms, dropMaps], { 0: 'dead-letter' }))).toMatchObject({
      start: ['m1'],
      stages: ['failed', 'waiting', 'left-out'],
      because: ['its job ended as dead-letter', null, 'an earlier move of maps failed'],
    });
  });
});

describe('where it stops', () => {
  test('before the first move whose grounds have changed: what comes before is begun, nothing after it', () => {
    const moves = [filmsToParis, copyMaps, dropMaps];
    expect(advance(workOf(moves), dearRome)).toMatchObject({
      start: ['m0'],
      stages: ['waiting', 'left-out', 'left-out'],
      because: [null, expect.stringContaining('storagePerGbMonth of rome-disk'), 'the plan has stopped'],
      differences: [{ kind: 'price', id: 'rome-disk', before: 0.02, after: 0.05 }],
    });
  });

  test('not yet while something before it still waits for its turn, and then nothing behind it begins either', () => {
    const scans = datasetFacts('scans', ['oslo-disk'], { copies: 1 });
    const more = { ...dearRome, datasets: [maps, films, scans] };
    const moves = [filmsToParis, copyMaps, planMove(scans, 'oslo-disk', 'berlin-disk')];
    const work = workOf(moves, {}, { ...fleet, datasets: more.datasets });
    const waits = advance(work, more, limitsOf({ underWayInFleet: 0 }));
    expect(waits).toMatchObject({ start: [], stages: ['waiting', 'waiting', 'waiting'], differences: [] });
    expect(waits.because[1]).toContain('the plan stops before it');
    expect(advance({ ...work, stopped: true }, more)).toMatchObject({ start: [], differences: [] });
  });

  test('when nothing of it could be begun for an hour', () => {
    const idle = { ...workOf([copyMaps]), movedAtMs: nowMs - longestStandstillMs };
    expect(advance(idle, fleet, limitsOf({ underWayInFleet: 0 }))).toMatchObject({ stages: ['left-out'], differences: [{ kind: 'plan', what: 'standstill' }] });
    expect(advance({ ...idle, movedAtMs: nowMs - longestStandstillMs + 1 }, fleet, limitsOf({ underWayInFleet: 0 })).differences).toEqual([]);
  });
});
