import { expect, test } from 'vitest';
import { agentMachine } from './domain/agent-health.ts';
import { endedJobStates, jobMachine, jobStates, jobTracks } from './domain/job.ts';
import { modelMachine, modelStates } from './domain/model-lifecycle.ts';
import { replicaMachine, replicaStates } from './domain/replica.ts';
import { isFinal, reachable, step } from './machine.ts';

test('every state of a job can be reached, and from every state it can end', () => {
  expect([...reachable(jobMachine)].sort()).toEqual([...jobStates].sort());
  for (const state of jobStates)
    expect(
      [...reachable(jobMachine, state)].some((end) => endedJobStates.includes(end)),
      state,
    ).toBe(true);
});

test('after the switch nothing cancels a job', () => {
  for (const state of ['switched', 'grace', 'retiring', 'trashed', 'purged'] as const) {
    expect(step(jobMachine, state, 'cancel')).toEqual({ ok: false, reason: `"cancel" is not possible in "${state}"` });
  }
});

test('bytes leave only by permit, after the switch or by a job of their own', () => {
  const before = jobStates.filter((state) => step(jobMachine, state, 'permit').ok);
  expect(before.sort()).toEqual(['grace', 'no-space', 'planned', 'retry-wait', 'source-changed']);
  expect(jobStates.filter((state) => step(jobMachine, state, 'trashed').ok)).toEqual(['retiring']);
  expect(jobStates.filter((state) => step(jobMachine, state, 'purged').ok)).toEqual(['trashed']);
});

test('a switch follows a verification and nothing else', () => {
  expect(jobStates.filter((state) => step(jobMachine, state, 'switch').ok)).toEqual(['verified']);
  expect(jobStates.filter((state) => step(jobMachine, state, 'matched').ok)).toEqual(['verifying']);
});

test('a corrupt copy is not mended in place: being verified is not an answer to being corrupt', () => {
  expect(step(replicaMachine, 'corrupt', 'verified').ok).toBe(false);
  expect([...reachable(replicaMachine)].sort()).toEqual([...replicaStates].sort());
  expect(isFinal(replicaMachine, 'purged')).toBe(true);
});

test('a lost agent that is heard again is not trusted at once', () => {
  expect(step(agentMachine, 'lost', 'heard')).toEqual({ ok: true, state: 'returned' });
});

test('every station of a track is a state on the way', () => {
  for (const [purpose, track] of Object.entries(jobTracks))
    for (const state of track) expect(reachable(jobMachine).has(state), `${purpose} ${state}`).toBe(true);
});

test('every state of a model can be reached; only a retired one comes back, and a rejected one never does', () => {
  expect([...reachable(modelMachine)].sort()).toEqual([...modelStates].sort());
  expect(modelStates.filter((state) => step(modelMachine, state, 'activate').ok)).toEqual(['candidate', 'shadow', 'retired']);
  expect(modelStates.filter((state) => isFinal(modelMachine, state))).toEqual(['rejected']);
});
