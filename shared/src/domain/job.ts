import { defineMachine } from '../machine.ts';

/**
 * Why bytes move. `import` a directory or sample becomes a version · `copy` one more replica · `move` a replica goes to another target
 * and the old one leaves · `verify` every leaf of a replica is read again · `retire` a surplus, stale or corrupt replica leaves.
 */
export const jobPurposes = ['import', 'copy', 'move', 'verify', 'retire'] as const;
export type JobPurpose = (typeof jobPurposes)[number];

/**
 * `planned` admitted, waits for its turn · `leased` an agent has it, with an epoch · `scanning` the source becomes a manifest ·
 * `copying` leaves travel into staging · `copied` all are on stable storage · `verifying` all are read back · `verified` equal to the manifest ·
 * `switched` the control plane counts on the copy, for a primary the pointer moved · `grace` readers of the old copy drain ·
 * `retiring` the old copy may leave, by permit · `trashed` it is renamed away · `purged` its bytes are gone · `done`.
 * Waiting: `retry-wait`, `no-space`, `source-changed`, `paused`. For a person: `conflict`, `dead-letter`. `cancelled` before any switch.
 */
export const jobStates = [
  'planned',
  'leased',
  'scanning',
  'copying',
  'copied',
  'verifying',
  'verified',
  'switched',
  'grace',
  'retiring',
  'trashed',
  'purged',
  'done',
  'retry-wait',
  'no-space',
  'source-changed',
  'paused',
  'conflict',
  'dead-letter',
  'cancelled',
] as const;
export type JobState = (typeof jobStates)[number];

export const jobEvents = [
  'lease',
  'release',
  'scan',
  'copy',
  'manifest',
  'copied',
  'verify',
  'matched',
  'mismatched',
  'switch',
  'durable',
  'permit',
  'trashed',
  'kept',
  'purged',
  'finish',
  'retry-later',
  'out-of-space',
  'source-changed',
  'pause',
  'resume',
  'differs',
  'cancel',
  'give-up',
  'resolve',
  'retry',
] as const;
export type JobEvent = (typeof jobEvents)[number];

/** What can end or delay any step before the switch: the source keeps every byte, so all of it can be undone. */
const beforeSwitch = {
  release: 'planned',
  cancel: 'cancelled',
  'give-up': 'dead-letter',
  'retry-later': 'retry-wait',
  'out-of-space': 'no-space',
  'source-changed': 'source-changed',
  pause: 'paused',
} as const;
const waiting = { lease: 'leased', cancel: 'cancelled', 'give-up': 'dead-letter', permit: 'retiring', release: 'planned' } as const;

export const jobMachine = defineMachine<JobState, JobEvent>({
  initial: 'planned',
  states: {
    planned: { lease: 'leased', permit: 'retiring', cancel: 'cancelled', 'give-up': 'dead-letter', pause: 'paused', 'retry-later': 'retry-wait' },
    leased: { ...beforeSwitch, scan: 'scanning', copy: 'copying', verify: 'verifying' },
    scanning: { ...beforeSwitch, manifest: 'copying' },
    copying: { ...beforeSwitch, copied: 'copied' },
    copied: { ...beforeSwitch, verify: 'verifying' },
    verifying: { ...beforeSwitch, matched: 'verified', mismatched: 'copying', finish: 'done' },
    // A lost compare-and-set cancels here; a copy of a version that is no longer wanted ends here.
    verified: { switch: 'switched', finish: 'done', cancel: 'cancelled', 'give-up': 'dead-letter' },
    // From here on nothing is cancelled: it is finished, or rolled back by a new job.
    switched: { durable: 'grace', finish: 'done' },
    grace: { permit: 'retiring', kept: 'done' },
    retiring: { trashed: 'trashed', kept: 'done', differs: 'conflict' },
    // `kept`: its node is lost; what lies in the trash there is seen to by a new job when it returns.
    trashed: { purged: 'purged', differs: 'conflict', kept: 'done' },
    purged: { finish: 'done' },
    'retry-wait': waiting,
    'no-space': waiting,
    'source-changed': waiting,
    paused: { resume: 'planned', cancel: 'cancelled' },
    conflict: { resolve: 'done' },
    'dead-letter': { retry: 'planned', cancel: 'cancelled' },
    done: {},
    cancelled: {},
  },
});

/** States in which nothing happens to the job any more unless a person acts. */
export const endedJobStates: readonly JobState[] = ['done', 'cancelled', 'conflict', 'dead-letter'];

/** Scanned, and no place is allowed to take it: a person has to change the policy or the fleet. */
export function hasNoPlace(job: { readonly state: JobState; readonly toTargetId: string | null; readonly waitingBecause: string | null }): boolean {
  return job.state === 'copying' && job.toTargetId === null && job.waitingBecause !== null;
}

/** The stations the console draws, in order, for each purpose. */
export const jobTracks: Readonly<Record<JobPurpose, readonly JobState[]>> = {
  import: ['planned', 'scanning', 'copying', 'verifying', 'switched', 'done'],
  copy: ['planned', 'copying', 'verifying', 'switched', 'done'],
  move: ['planned', 'copying', 'verifying', 'switched', 'grace', 'retiring', 'trashed', 'done'],
  verify: ['planned', 'verifying', 'done'],
  retire: ['planned', 'retiring', 'trashed', 'done'],
};
