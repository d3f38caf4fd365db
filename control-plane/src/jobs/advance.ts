import type { ErrorClass } from '@data-in-motion/shared/domain/error-class';
import type { ReplicaId } from '@data-in-motion/shared/domain/ids';
import { type JobEvent, type JobPurpose, type JobState, jobMachine } from '@data-in-motion/shared/domain/job';
import { step } from '@data-in-motion/shared/machine';
import type { JobRecord } from '@data-in-motion/shared/protocol/records';
import type { Random } from '@data-in-motion/shared/random';
import { backoffMs } from '@data-in-motion/shared/retry';
import { type Guards, protocolGuards } from './guards.ts';

/** What a report is judged against: the job, and the version it carries once that is known. */
export interface JobStanding {
  readonly purpose: JobPurpose;
  readonly state: JobState;
  readonly epoch: number;
  readonly toReplicaId: ReplicaId | null;
  readonly fromReplicaId: ReplicaId | null;
  readonly switchRev: number | null;
  readonly version: { readonly root: string; readonly objects: number; readonly sizeBytes: number } | null;
}

export type ReportAnswer =
  /** Take these steps of the job's table in order; none for a report that only leaves a mark (activated, rechecked). */
  | { readonly kind: 'apply'; readonly events: readonly JobEvent[]; readonly state: JobState }
  /** Told before, or overtaken: nothing to do. */
  | { readonly kind: 'known' }
  | { readonly kind: 'refused'; readonly because: string };

type Path = Partial<Record<JobState, readonly JobEvent[]>>;
type Report = Exclude<JobRecord['event'], 'failed' | 'started'> | `started-${'scan' | 'copy' | 'verify' | 'retire'}`;

/** The reports of a copy arrive in any order, since batches do; each implies the steps before it. */
const copying = {
  'started-copy': { leased: ['copy'] },
  copied: { leased: ['copy', 'copied'], copying: ['copied'] },
  'started-verify': { leased: ['copy', 'copied', 'verify'], copying: ['copied', 'verify'], copied: ['verify'] },
  verified: {
    leased: ['copy', 'copied', 'verify', 'matched'],
    copying: ['copied', 'verify', 'matched'],
    copied: ['verify', 'matched'],
    verifying: ['matched'],
    grace: [],
  },
  mismatched: { leased: ['copy'], copying: [], copied: ['verify', 'mismatched'], verifying: ['mismatched'], grace: ['kept'] },
  activated: { switched: [] },
  witnessed: { switched: [] },
} as const satisfies Partial<Record<Report, Path>>;
const leaving = {
  'started-retire': { retiring: [] },
  trashed: { retiring: ['trashed'] },
  purged: { trashed: ['purged', 'finish'] },
  kept: { retiring: ['kept'], trashed: [] },
  conflict: { retiring: ['differs'], trashed: ['differs'] },
} as const satisfies Partial<Record<Report, Path>>;

/** For each purpose and report: the way from every state in which the report means something. */
const paths: Readonly<Record<JobPurpose, Partial<Record<Report, Path>>>> = {
  import: { ...copying, 'started-scan': { leased: ['scan'] }, manifest: { leased: ['scan', 'manifest'], scanning: ['manifest'] } },
  copy: copying,
  move: { ...copying, ...leaving },
  verify: {
    'started-verify': { leased: ['verify'] },
    verified: { leased: ['verify', 'matched', 'finish'], verifying: ['matched', 'finish'] },
    mismatched: { leased: ['verify', 'finish'], verifying: ['finish'] },
  },
  retire: leaving,
};

/** A promotion reads a copy that is there already, so its reports skip the copying. */
const promoting: Partial<Record<Report, Path>> = {
  'started-verify': { leased: ['verify'] },
  verified: { leased: ['verify', 'matched'], verifying: ['matched'] },
  mismatched: { leased: ['verify', 'finish'], verifying: ['finish'] },
  activated: { switched: [] },
  witnessed: { switched: [] },
};

/** How far along a state is; a report that leads to a state already passed is an old one. */
const order: readonly JobState[] = [
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
];
const reachedBy: Readonly<Record<Report, JobState>> = {
  'started-scan': 'scanning',
  manifest: 'copying',
  'started-copy': 'copying',
  copied: 'copied',
  'started-verify': 'verifying',
  verified: 'verified',
  mismatched: 'copying',
  activated: 'switched',
  witnessed: 'switched',
  'started-retire': 'retiring',
  trashed: 'trashed',
  purged: 'purged',
  kept: 'done',
  conflict: 'done',
};

/** A copy job whose source and destination are one replica makes that replica the primary; no bytes travel. */
export function isPromotion(job: { purpose: JobPurpose; fromReplicaId: string | null; toReplicaId: string | null }): boolean {
  return job.purpose === 'copy' && job.toReplicaId !== null && job.fromReplicaId === job.toReplicaId;
}

/**
 * What a report does to a job. Total: every report in every state has an answer. Failures are answered by `answerFailure`.
 * A report of an older lease is refused (fence); one that leads where the job has been is `known`.
 */
export function answerReport(job: JobStanding, record: Exclude<JobRecord, { event: 'failed' }>, guards: Guards = protocolGuards): ReportAnswer {
  const report: Report = record.event === 'started' ? `started-${record.step}` : record.event;
  const path = (isPromotion(job) ? promoting : paths[job.purpose])[report];
  if (path === undefined) return { kind: 'refused', because: `a ${job.purpose} job has no "${report}"` };
  const stale = guards.fence({ epoch: record.epoch, currentEpoch: job.epoch });
  if (stale !== null) return isPast(job.state, report) && record.epoch < job.epoch ? { kind: 'known' } : { kind: 'refused', because: stale };
  const wrong = objectionToContent(job, record, guards);
  if (wrong !== null) return { kind: 'refused', because: wrong };
  const events = path[job.state];
  if (events === undefined)
    return isPast(job.state, report) ? { kind: 'known' } : { kind: 'refused', because: `"${report}" is not possible in "${job.state}"` };
  return walk(job.state, events);
}

/** Take several steps of the job's table; the first that is not possible refuses them all. */
export function walk(from: JobState, events: readonly JobEvent[]): ReportAnswer {
  let state = from;
  for (const event of events) {
    const next = step(jobMachine, state, event);
    if (!next.ok) return { kind: 'refused', because: next.reason };
    state = next.state;
  }
  return { kind: 'apply', events, state };
}

function isPast(state: JobState, report: Report): boolean {
  return order.indexOf(state) >= order.indexOf(reachedBy[report]);
}

/** Reports name what they are about; one about something else is refused whatever the state. */
function objectionToContent(job: JobStanding, record: JobRecord, guards: Guards): string | null {
  switch (record.event) {
    case 'manifest':
      // T4: the same root again changes nothing; a version is never replaced by another under one lease.
      return job.version !== null && job.version.root !== record.root ? 'the version of this job is committed with another root' : null;
    case 'verified': {
      const expected = job.purpose === 'verify' ? job.fromReplicaId : job.toReplicaId;
      if (record.replicaId !== expected) return 'it is about another copy';
      if (job.version === null) return 'there is no version to compare with';
      if (record.level !== 'L2') return 'only a copy whose every leaf was read again counts';
      return guards.manifestMatch({ root: record.root, objects: record.objects, bytes: record.bytes, version: job.version });
    }
    case 'mismatched':
      return record.replicaId === (job.purpose === 'verify' ? job.fromReplicaId : job.toReplicaId) ? null : 'it is about another copy';
    case 'activated':
      return record.replicaId === job.toReplicaId && record.rev === job.switchRev ? null : 'it is about another switch';
    case 'witnessed':
      return record.rev === job.switchRev ? null : 'it is about another switch';
    case 'trashed':
    case 'purged':
    case 'kept':
    case 'conflict':
      return record.replicaId === job.fromReplicaId ? null : 'it is about another copy';
    default:
      return null;
  }
}

export interface RetryPolicy {
  /** After this many attempts the job is left to a person. */
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** How often a source may change under an import. */
  readonly sourceChanges: number;
  /** How long a full target is left alone. */
  readonly spaceDelayMs: number;
}
export const defaultRetryPolicy: RetryPolicy = { attempts: 8, firstDelayMs: 500, longestDelayMs: 60_000, sourceChanges: 3, spaceDelayMs: 30_000 };

export interface FailureAnswer {
  readonly event: 'retry-later' | 'out-of-space' | 'source-changed' | 'give-up';
  readonly delayMs: number;
  /** Whether it counts towards the attempts. */
  readonly counted: boolean;
  readonly waitingBecause: string;
  /** What a person can do; filled for a job that is given up. */
  readonly hint: string;
}

const hints: Readonly<Record<ErrorClass, string>> = {
  transient: 'Look whether both nodes and the way between them are well, then retry the job.',
  throttle: 'The other side asked for patience; retry the job when it has less to do.',
  clock: 'Set the clocks of both nodes, then retry the job; tokens are refused while they differ.',
  auth: 'Check that the agents trust this control plane (key and enrolment), then retry the job.',
  permanent:
    'One of the places does not give or take the data as it is; see the message, mend it or choose another place by policy, then retry or cancel the job.',
  'source-changed': 'Stop whoever writes to the source, or import a snapshot of it, then retry the job.',
  'file-growing': 'A file of the source is being written; retry the job when it is quiet, or cancel it.',
  space: 'Free space on the target or raise its capacity; the job goes on by itself.',
  integrity: 'Both sides disagree about the bytes; look at the drives and their readings, then retry the job.',
  device: 'The drive answers with errors; see its readings. Retry the job when it is replaced, or cancel it.',
  conflict: 'Somebody else changed the same thing; look at the dataset, then retry or cancel the job.',
  ambiguous: 'It is not known whether the last step happened; retrying looks first.',
};

/** What to do about a failure before the switch, by its class: the table of protocol section 6.12. Delays have full jitter; what the other side asks for is honoured. */
export function answerFailure(
  failure: { class: ErrorClass; retryAfterMs: number | null },
  job: { purpose: JobPurpose; attempt: number; sourceChanges: number },
  policy: RetryPolicy,
  random: Random,
): FailureAnswer {
  const hint = hints[failure.class];
  const delayMs = Math.max(failure.retryAfterMs ?? 0, backoffMs(job.attempt, policy, random));
  const giveUp: FailureAnswer = { event: 'give-up', delayMs: 0, counted: true, waitingBecause: '', hint };
  switch (failure.class) {
    case 'permanent':
      return giveUp;
    case 'auth':
      // The next lease brings fresh tokens; if these are refused too, more attempts change nothing.
      return job.attempt >= 1 ? giveUp : { event: 'retry-later', delayMs, counted: true, waitingBecause: 'fresh credentials are made', hint };
    case 'source-changed':
      // The source of a copy is another copy: it is doubted and the next lease reads a different one.
      if (job.purpose !== 'import') break;
      return job.sourceChanges >= policy.sourceChanges
        ? giveUp
        : { event: 'source-changed', delayMs, counted: false, waitingBecause: 'the source changed while it was read', hint };
    case 'file-growing':
      return { event: 'retry-later', delayMs, counted: false, waitingBecause: 'file_growing', hint };
    case 'space':
      return { event: 'out-of-space', delayMs: Math.max(delayMs, policy.spaceDelayMs), counted: false, waitingBecause: 'the target is full', hint };
    case 'throttle':
      return { event: 'retry-later', delayMs, counted: false, waitingBecause: 'the other side asked for patience', hint };
  }
  if (job.attempt + 1 >= policy.attempts) return giveUp;
  return { event: 'retry-later', delayMs, counted: true, waitingBecause: `tried ${job.attempt + 1} of ${policy.attempts} times`, hint };
}
