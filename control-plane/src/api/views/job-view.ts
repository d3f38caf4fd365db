import type { JobView } from '@data-in-motion/shared/api/decisions';
import type { job } from '../../store/schema.ts';

/** A job row as people see it; the time left comes from the rate of the last progress report. */
export function jobView(row: typeof job.$inferSelect): JobView {
  const { progress } = row;
  const leftBytes = progress === null ? 0 : Math.max(0, progress.bytesTotal - progress.bytesDone);
  return {
    jobId: row.jobId,
    key: row.key,
    datasetId: row.datasetId,
    purpose: row.purpose,
    state: row.state,
    need: row.need,
    reason: row.reason,
    fromTargetId: row.fromTargetId,
    toTargetId: row.toTargetId,
    agentNodeId: row.moverNodeId,
    epoch: row.epoch,
    attempt: row.attempt,
    notBeforeMs: row.notBeforeMs,
    waitingBecause: row.waitingBecause,
    error: row.error,
    progress: progress === null ? null : { ...progress, remainingMs: progress.bytesPerSec > 0 ? (leftBytes / progress.bytesPerSec) * 1000 : null },
    sizeBytes: row.sizeBytes,
    movedBytes: row.movedBytes,
    createdAtMs: row.createdAtMs,
    startedAtMs: row.startedAtMs,
    endedAtMs: row.endedAtMs,
  };
}
