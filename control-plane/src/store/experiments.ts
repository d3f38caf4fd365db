import type { NodeId } from '@data-in-motion/shared/domain/ids';
import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import type { Tx } from './database.ts';

/** Keep what an agent says about a fault that it was asked to make: armed, refused or undone. */
export async function applyFaultRecord(tx: Tx, nodeId: NodeId, record: RecordOf<'fault'>, nowMs: number): Promise<void> {}
