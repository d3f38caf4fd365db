import type { JobView } from '@data-in-motion/shared/api/decisions';
import { endedJobStates, hasNoPlace, type JobState, jobTracks } from '@data-in-motion/shared/domain/job';

export type JobGroup = 'running' | 'waiting' | 'failed' | 'ended';

const waiting: readonly JobState[] = ['planned', 'retry-wait', 'no-space', 'source-changed', 'paused'];
const failed: readonly JobState[] = ['conflict', 'dead-letter'];
const ended: readonly JobState[] = ['done', 'cancelled'];

export function jobGroup(job: JobView): JobGroup {
  if (failed.includes(job.state)) return 'failed';
  if (ended.includes(job.state)) return 'ended';
  return waiting.includes(job.state) || hasNoPlace(job) ? 'waiting' : 'running';
}

/** What keeps a job that has not ended from going on, also one that works otherwise, such as a grace time that is held back. */
export function heldBecause(job: JobView): string | null {
  return endedJobStates.includes(job.state) ? null : job.waitingBecause;
}

/** Which station of the track each state belongs to, for states that are no station of their own. */
const standsFor: Partial<Record<JobState, JobState>> = { leased: 'planned', copied: 'copying', verified: 'verifying', purged: 'trashed' };
const stepStation: Record<string, JobState> = { scan: 'scanning', copy: 'copying', verify: 'verifying', retire: 'retiring', purge: 'trashed' };

/** Where a job stands on the track of its purpose; a waiting or failed job stands where it last worked. */
export function trackOf(job: JobView): { stations: readonly JobState[]; at: number } {
  const stations: readonly JobState[] = jobTracks[job.purpose] ?? ['planned', 'done'];
  const direct = stations.indexOf(standsFor[job.state] ?? job.state);
  if (direct !== -1) return { stations, at: direct };
  const station = job.progress === null ? undefined : stepStation[job.progress.step];
  return { stations, at: Math.max(0, station === undefined ? 0 : stations.indexOf(station)) };
}

/** The progress of what the job does at this moment; what an earlier step told last is over and says nothing. */
export function progressNow(job: JobView): JobView['progress'] {
  if (job.progress === null || jobGroup(job) !== 'running') return null;
  const { stations, at } = trackOf(job);
  return stepStation[job.progress.step] === stations[at] ? job.progress : null;
}

/** Bytes that still have to be copied; none after the switch. */
export function bytesLeft(job: JobView): number {
  if (!canCancel(job) || job.purpose === 'retire') return 0;
  const progress = progressNow(job);
  return progress === null ? job.sizeBytes : Math.max(0, progress.bytesTotal - progress.bytesDone);
}

/** States before the switch: every byte of the source is still there, so the job can be taken back. */
export function canCancel(job: JobView): boolean {
  return !['switched', 'grace', 'retiring', 'trashed', 'purged', 'done', 'cancelled', 'conflict'].includes(job.state);
}
