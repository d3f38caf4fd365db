import type { DatasetId, JobId } from '@data-in-motion/shared/domain/ids';
import { endedJobStates, type JobEvent, type JobState, jobMachine } from '@data-in-motion/shared/domain/job';
import { Failure } from '@data-in-motion/shared/failure';
import { step } from '@data-in-motion/shared/machine';
import { eq } from 'drizzle-orm';
import { endAlert, raiseAlert } from './alerts.ts';
import type { Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { abandonReplica } from './replicas.ts';
import { dataset, job, jobTransition } from './schema.ts';

export type JobRow = typeof job.$inferSelect;
type JobPatch = Partial<Omit<JobRow, 'jobId' | 'key' | 'purpose' | 'state' | 'active'>>;

/** States in which an agent holds a lease and does the work. */
export const workingStates: readonly JobState[] = ['leased', 'scanning', 'copying', 'copied', 'verifying'];
/** States that a lease may begin from. */
export const waitingStates: readonly JobState[] = ['planned', 'retry-wait', 'no-space', 'source-changed'];

/**
 * Lock the dataset of a job, then the job: always in this order, so that two transactions that decide about one dataset wait for each other
 * instead of both seeing what neither has changed yet (write skew).
 */
export async function lockJob(tx: Tx, jobId: JobId): Promise<JobRow | undefined> {
  const [known] = await tx.select({ datasetId: job.datasetId }).from(job).where(eq(job.jobId, jobId));
  if (known === undefined) return undefined;
  await lockDataset(tx, known.datasetId);
  const [row] = await tx.select().from(job).where(eq(job.jobId, jobId)).for('update');
  return row;
}

/** Nothing about the copies of a dataset is decided without its row. False when there is no such dataset. */
export async function lockDataset(tx: Tx, datasetId: DatasetId): Promise<boolean> {
  const rows = await tx.select({ datasetId: dataset.datasetId }).from(dataset).where(eq(dataset.datasetId, datasetId)).for('update');
  return rows.length > 0;
}

/** Take steps of the job's table and write them down; the row must be locked. A step that is not in the table is our own defect. */
export async function changeJob(
  tx: Tx,
  row: JobRow,
  events: readonly JobEvent[],
  patch: JobPatch,
  nowMs: number,
  detail: Readonly<Record<string, string | number>> = {},
): Promise<JobRow> {
  let state = row.state;
  for (const event of events) {
    const next = step(jobMachine, state, event);
    if (!next.ok) throw new Failure('defect', { code: 'job.impossible-step', message: next.reason, ids: { jobId: row.jobId } });
    await tx.insert(jobTransition).values({ jobId: row.jobId, from: state, event, to: next.state, atMs: nowMs, detail });
    await appendEvents(tx, nowMs, [transitionEvent(row, state, event, next.state, detail)]);
    state = next.state;
  }
  const ended = endedJobStates.includes(state);
  const changed: JobRow = { ...row, ...patch, state, active: !ended, endedAtMs: ended ? (row.endedAtMs ?? nowMs) : null };
  if (changed.startedAtMs === null && state !== 'planned' && !ended) changed.startedAtMs = nowMs;
  await tx.update(job).set(changed).where(eq(job.jobId, row.jobId));
  if (state !== row.state) await afterStep(tx, changed, nowMs);
  return changed;
}

function transitionEvent(row: JobRow, from: JobState, event: JobEvent, to: JobState, detail: Readonly<Record<string, string | number>>) {
  const severity =
    to === 'dead-letter' || to === 'conflict'
      ? ('error' as const)
      : ['retry-wait', 'no-space', 'source-changed'].includes(to)
        ? ('warning' as const)
        : ('info' as const);
  return {
    type: 'job.transition',
    severity,
    text: `${row.purpose} of ${row.datasetId}: ${from} to ${to}`,
    ids: { jobId: row.jobId, datasetId: row.datasetId, from, event, to, ...(row.toTargetId === null ? {} : { targetId: row.toTargetId }), ...detail },
    by: 'control-plane',
  };
}

/** What the end of a job means for the copy it was making and for the people who watch. */
async function afterStep(tx: Tx, row: JobRow, nowMs: number): Promise<void> {
  if (row.state === 'cancelled' || row.state === 'dead-letter') {
    if (row.toReplicaId !== null && row.toReplicaId !== row.fromReplicaId) await abandonReplica(tx, row.toReplicaId, nowMs);
  }
  if (row.state === 'dead-letter' || row.state === 'conflict') {
    const text =
      row.state === 'conflict'
        ? `${row.datasetId}: a copy that was to leave differs from its manifest and is kept`
        : `${row.purpose} of ${row.datasetId} was given up: ${row.error?.message ?? row.reason}`;
    // What is given up may be planned again, as another job of the same key: one alert for all of them, which the one that succeeds ends.
    const subject = row.state === 'conflict' ? row.jobId : row.key;
    await raiseAlert(tx, nowMs, { rule: `job.${row.state}`, subject, severity: 'error', text, ids: { jobId: row.jobId, datasetId: row.datasetId } });
  }
  if (['grace', 'retiring', 'trashed', 'done', 'conflict'].includes(row.state)) await endAlert(tx, nowMs, 'job.stuck', row.jobId);
  if (row.state === 'done' || row.state === 'cancelled' || row.state === 'planned') {
    await endAlert(tx, nowMs, 'job.dead-letter', row.key);
    await endAlert(tx, nowMs, 'job.conflict', row.jobId);
    await endAlert(tx, nowMs, 'import.no-place', row.jobId);
  }
}
