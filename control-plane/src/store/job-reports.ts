import type { NodeId } from '@data-in-motion/shared/domain/ids';
import type { JobRecord, RecordOf } from '@data-in-motion/shared/protocol/records';
import type { Tx } from './database.ts';

/**
 * Apply what an agent says happened to a job, inside the transaction that stores its batch.
 * Repeated and late reports change nothing; impossible ones and those of an old epoch are refused and counted as `job.report-refused`.
 */
export async function applyJobRecord(tx: Tx, nodeId: NodeId, record: JobRecord, nowMs: number): Promise<void> {}

/** Keep the newest progress of a job; an older one, or one of another epoch, changes nothing. */
export async function applyProgress(tx: Tx, nodeId: NodeId, record: RecordOf<'progress'>, nowMs: number): Promise<void> {}

/** Compare a complete listing of one target with what is known: what should be there and is not is `missing` until it is verified. */
export async function applyInventory(tx: Tx, nodeId: NodeId, record: RecordOf<'inventory'>, nowMs: number): Promise<void> {}
