import type { NodeId } from '@data-in-motion/shared/domain/ids';
import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import { and, eq, inArray, lt } from 'drizzle-orm';
import type { Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { experiment } from './schema.ts';

/** Keep what an agent says about a fault that it was asked to make: armed, refused or undone. */
export async function applyFaultRecord(tx: Tx, nodeId: NodeId, record: RecordOf<'fault'>, nowMs: number): Promise<void> {
  const [row] = await tx
    .select()
    .from(experiment)
    .where(and(eq(experiment.experimentId, record.experimentId), eq(experiment.nodeId, nodeId)))
    .for('update');
  // An undone or refused fault stays so; a late "armed" says nothing new.
  if (row === undefined || row.state === 'undone' || row.state === 'refused' || row.state === record.state) return;
  const ended = record.state !== 'armed';
  await tx
    .update(experiment)
    .set({ state: record.state, detail: record.detail, endedAtMs: ended ? nowMs : null })
    .where(eq(experiment.experimentId, record.experimentId));
  const severity = record.state === 'refused' ? 'warning' : 'info';
  const text = `The fault ${row.kind} on ${row.subject} is ${record.state}${record.detail === '' ? '' : `: ${record.detail}`}`;
  await appendEvents(tx, nowMs, [
    { type: `fault.${record.state}`, severity, text, ids: { experimentId: record.experimentId, nodeId, subject: row.subject }, by: nodeId },
  ]);
}

/** How long an agent has after a fault's end to say that it is undone. */
const undoGraceMs = 10_000;

/** Faults whose time is over and whose agent has not said that they are undone. Agents undo them by themselves; this is only said. */
export async function expireExperiments(tx: Tx, nowMs: number): Promise<number> {
  const rows = await tx
    .update(experiment)
    .set({ state: 'expired', endedAtMs: nowMs, detail: 'its time is over; the agent has not said that it is undone' })
    .where(and(inArray(experiment.state, ['sent', 'armed']), lt(experiment.endsAtMs, nowMs - undoGraceMs)))
    .returning();
  await appendEvents(
    tx,
    nowMs,
    rows.map((row) => ({
      type: 'fault.expired',
      severity: 'warning' as const,
      text: `The fault ${row.kind} on ${row.subject} should be over; its agent has not said so`,
      ids: { experimentId: row.experimentId, nodeId: row.nodeId },
      by: 'control-plane',
    })),
  );
  return rows.length;
}
