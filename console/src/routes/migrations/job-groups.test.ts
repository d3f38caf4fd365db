import type { JobView } from '@data-in-motion/shared/api/decisions';
import { type JobPurpose, jobStates, jobTracks } from '@data-in-motion/shared/domain/job';
import { describe, expect, test } from 'vitest';
import { bytesLeft, canCancel, heldBecause, jobGroup, progressNow, trackOf } from './job-groups.ts';

const job = (more: Partial<JobView>): JobView => ({
  jobId: 'j',
  key: 'j',
  datasetId: 'd',
  purpose: 'move',
  state: 'copying',
  need: null,
  reason: '',
  fromTargetId: 'a',
  toTargetId: 'b',
  agentNodeId: 'n',
  epoch: 1,
  attempt: 1,
  notBeforeMs: null,
  waitingBecause: null,
  error: null,
  progress: null,
  sizeBytes: 100,
  movedBytes: 0,
  createdAtMs: 0,
  startedAtMs: 0,
  endedAtMs: null,
  ...more,
});
const progress = (step: string, bytesDone: number): JobView['progress'] => ({
  step,
  objectsDone: 1,
  objectsTotal: 2,
  bytesDone,
  bytesTotal: 100,
  bytesPerSec: 5,
  remainingMs: null,
  atMs: 0,
});

describe('where a job stands', () => {
  test('every state of every purpose has a place on its track', () => {
    for (const purpose of Object.keys(jobTracks) as JobPurpose[]) {
      for (const state of jobStates) {
        const { stations, at } = trackOf(job({ purpose, state }));
        expect(at).toBeGreaterThanOrEqual(0);
        expect(at).toBeLessThan(stations.length);
      }
    }
  });
  test('a job that waits stands where it last worked', () => {
    const { stations, at } = trackOf(job({ state: 'retry-wait', progress: progress('verify', 40) }));
    expect(stations[at]).toBe('verifying');
  });
  test('a state that the console does not know is still running, at the start', () => {
    const strange = job({ state: 'levitating' as JobView['state'] });
    expect([jobGroup(strange), trackOf(strange).at]).toEqual(['running', 0]);
  });
});

describe('why a job does not go on', () => {
  const because = { waitingBecause: 'no place is allowed' };
  test('an import that no place may hold waits, though its state is copying', () => {
    expect([
      jobGroup(job({ purpose: 'import', toTargetId: null, ...because })),
      jobGroup(job({ purpose: 'import', toTargetId: null })),
      jobGroup(job(because)),
    ]).toEqual(['waiting', 'running', 'running']);
  });
  test('the reason is told in every state until the job has ended', () => {
    expect((['planned', 'copying', 'grace', 'retiring', 'trashed'] as const).map((state) => heldBecause(job({ state, ...because })))).toEqual(
      new Array(5).fill('no place is allowed'),
    );
    expect((['done', 'cancelled', 'dead-letter'] as const).map((state) => heldBecause(job({ state, ...because })))).toEqual([null, null, null]);
  });
});

describe('what is left to do', () => {
  test('the progress of an earlier step is not shown for a later one', () => {
    expect(progressNow(job({ state: 'copying', progress: progress('copy', 40) }))?.bytesDone).toBe(40);
    expect(progressNow(job({ state: 'trashed', progress: progress('copy', 40) }))).toBeNull();
  });
  test('a job that has switched has nothing left to copy, and can not be taken back', () => {
    expect([bytesLeft(job({ progress: progress('copy', 40) })), bytesLeft(job({ state: 'planned' })), bytesLeft(job({ state: 'grace' }))]).toEqual([
      60, 100, 0,
    ]);
    expect([canCancel(job({ state: 'verifying' })), canCancel(job({ state: 'switched' })), canCancel(job({ state: 'done' }))]).toEqual([true, false, false]);
  });
});
