import { errorClasses } from '@data-in-motion/shared/domain/error-class';
import type { JobId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import { type JobState, jobMachine, jobPurposes, jobStates } from '@data-in-motion/shared/domain/job';
import { step } from '@data-in-motion/shared/machine';
import type { JobRecord } from '@data-in-motion/shared/protocol/records';
import { seededRandom } from '@data-in-motion/shared/random';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerFailure, answerReport, defaultRetryPolicy, type JobStanding, walk } from './advance.ts';
import { protocolGuards } from './guards.ts';

const root = 'a'.repeat(64);
const job: JobStanding = {
  purpose: 'copy',
  state: 'leased',
  epoch: 3,
  toReplicaId: 'to' as ReplicaId,
  fromReplicaId: null,
  switchRev: 7,
  version: { root, objects: 2, sizeBytes: 10 },
};
const base = { type: 'job' as const, jobId: 'j' as JobId, epoch: 3, atMs: 0 };
type Told = Exclude<JobRecord, { event: 'failed' }>;
const verified: Told = { ...base, event: 'verified', replicaId: 'to' as ReplicaId, root, objects: 2, bytes: 10, level: 'L2', readFrom: 'cache' };
const copied: Told = { ...base, event: 'copied', bytes: 10, movedBytes: 10 };

describe('a report', () => {
  test('that overtook others brings the job as far as it says', () => {
    expect(answerReport(job, verified)).toEqual({ kind: 'apply', events: ['copy', 'copied', 'verify', 'matched'], state: 'verified' });
  });

  test('that was overtaken, or comes twice, changes nothing', () => {
    expect(answerReport({ ...job, state: 'verified' }, copied)).toEqual({ kind: 'known' });
    expect(answerReport({ ...job, state: 'switched' }, verified)).toEqual({ kind: 'known' });
  });

  test('of an older lease is refused, and without the fence it is taken', () => {
    const old = { ...verified, epoch: 2 };
    expect(answerReport(job, old).kind).toBe('refused');
    expect(answerReport(job, old, { ...protocolGuards, fence: () => null }).kind).toBe('apply');
  });

  test('of a newer lease than was given is refused', () => {
    expect(answerReport({ ...job, state: 'verified' }, { ...verified, epoch: 9 }).kind).toBe('refused');
  });

  test.each([{ root: 'b'.repeat(64) }, { objects: 3 }, { bytes: 11 }, { replicaId: 'other' as ReplicaId }, { level: 'L1' as const }])(
    'that read back something else does not make a copy count: %o',
    (wrong) => {
      expect(answerReport(job, { ...verified, ...wrong } as Told).kind).toBe('refused');
    },
  );

  test('without manifestMatch a copy that never matched would be switched to', () => {
    const wrong = { ...verified, root: 'b'.repeat(64) } as Told;
    expect(answerReport(job, wrong, { ...protocolGuards, manifestMatch: () => null }).kind).toBe('apply');
  });

  test('with the same root as the committed version is known, with another it is refused', () => {
    const imported: JobStanding = { ...job, purpose: 'import', state: 'copying' };
    const manifest: Told = { ...base, event: 'manifest', root, objects: 2, bytes: 10, unreadable: 0, notes: [] };
    expect(answerReport(imported, manifest).kind).toBe('known');
    expect(answerReport(imported, { ...manifest, root: 'c'.repeat(64) }).kind).toBe('refused');
  });

  test('of another switch is refused', () => {
    const activated: Told = { ...base, event: 'activated', replicaId: 'to' as ReplicaId, rev: 7 };
    expect(answerReport({ ...job, state: 'switched' }, activated)).toMatchObject({ kind: 'apply', events: [] });
    expect(answerReport({ ...job, state: 'switched' }, { ...activated, rev: 8 } as Told).kind).toBe('refused');
  });

  test('has an answer in every state of every purpose, and never leads off the table', () => {
    const replicaId = fc.constantFrom('to', 'from').map((name) => name as ReplicaId);
    const told = fc.oneof(
      fc
        .constantFrom('scan' as const, 'copy' as const, 'verify' as const, 'retire' as const)
        .map((stage): Told => ({ ...base, event: 'started', step: stage })),
      fc.constant<Told>({ ...base, event: 'manifest', root, objects: 2, bytes: 10, unreadable: 0, notes: [] }),
      fc.constant(copied),
      replicaId.map((id): Told => ({ ...verified, replicaId: id }) as Told),
      fc
        .tuple(replicaId, fc.constantFrom('corrupt' as const, 'missing' as const))
        .map(([id, found]): Told => ({ ...base, event: 'mismatched', replicaId: id, found, path: 'a', detail: '' })),
      replicaId.map((id): Told => ({ ...base, event: 'activated', replicaId: id, rev: 7 })),
      replicaId.map((id): Told => ({ ...base, event: 'trashed', replicaId: id })),
      replicaId.map((id): Told => ({ ...base, event: 'purged', replicaId: id, freedBytes: 1 })),
      replicaId.map((id): Told => ({ ...base, event: 'kept', replicaId: id, because: '' })),
      replicaId.map((id): Told => ({ ...base, event: 'conflict', replicaId: id, path: '', detail: '' })),
    );
    fc.assert(
      fc.property(fc.constantFrom(...jobPurposes), fc.constantFrom(...jobStates), told, (purpose, state, record) => {
        const answer = answerReport({ ...job, purpose, state, fromReplicaId: 'from' as ReplicaId }, record);
        if (answer.kind !== 'apply') return;
        let at: JobState = state;
        for (const event of answer.events) {
          const next = step(jobMachine, at, event);
          expect(next.ok).toBe(true);
          if (next.ok) at = next.state;
        }
        expect(at).toBe(answer.state);
        // Nothing an agent says makes a job switch: that is the control plane's own decision.
        expect(answer.events).not.toContain('switch');
        expect(answer.events).not.toContain('permit');
      }),
    );
  });

  test('that can not be walked is refused whole', () => {
    expect(walk('planned', ['lease', 'copied']).kind).toBe('refused');
  });
});

describe('a failure', () => {
  const random = seededRandom(1);
  const answer = (
    name: (typeof errorClasses)[number],
    more: { attempt?: number; sourceChanges?: number; retryAfterMs?: number; purpose?: 'import' | 'copy' } = {},
  ) =>
    answerFailure(
      { class: name, retryAfterMs: more.retryAfterMs ?? null },
      { purpose: more.purpose ?? 'import', attempt: more.attempt ?? 0, sourceChanges: more.sourceChanges ?? 0 },
      defaultRetryPolicy,
      random,
    );

  test('of a passing kind is tried again, the eighth time it is left to a person', () => {
    expect(answer('transient').event).toBe('retry-later');
    expect(answer('transient', { attempt: 7 })).toMatchObject({ event: 'give-up', hint: expect.stringContaining('retry') });
  });
  test('that can not pass is left to a person at once, with what to do', () => {
    expect(answer('permanent')).toMatchObject({ event: 'give-up', hint: expect.stringContaining('cancel') });
  });
  test('because the other side asks for patience waits as long as it asks, and does not count', () => {
    expect(answer('throttle', { attempt: 7, retryAfterMs: 90_000 })).toMatchObject({ event: 'retry-later', counted: false });
    expect(answer('throttle', { retryAfterMs: 90_000 }).delayMs).toBeGreaterThanOrEqual(90_000);
  });
  test('because a file grows says so', () => {
    expect(answer('file-growing', { retryAfterMs: 30_000 })).toMatchObject({ event: 'retry-later', waitingBecause: 'file_growing', counted: false });
  });
  test('because the source changed is scanned again three times', () => {
    expect(answer('source-changed', { sourceChanges: 2 }).event).toBe('source-changed');
    expect(answer('source-changed', { sourceChanges: 3 }).event).toBe('give-up');
    expect(answer('source-changed', { purpose: 'copy' }).event).toBe('retry-later');
  });
  test('because the target is full waits for room', () => {
    expect(answer('space').event).toBe('out-of-space');
  });
  test('of refused credentials is tried once more with fresh ones', () => {
    expect(answer('auth').event).toBe('retry-later');
    expect(answer('auth', { attempt: 1 }).event).toBe('give-up');
  });
  test.each(errorClasses)('of class %s leads to a step that the table has, and never waits longer than a minute unasked', (name) => {
    const given = answer(name);
    for (const state of ['leased', 'scanning', 'copying', 'copied', 'verifying'] as const) expect(step(jobMachine, state, given.event).ok).toBe(true);
    expect(given.delayMs).toBeLessThanOrEqual(60_000);
  });
});
