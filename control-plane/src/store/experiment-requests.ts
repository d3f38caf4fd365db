import type { ExperimentView } from '@data-in-motion/shared/api/operations';
import type { FaultKind } from '@data-in-motion/shared/domain/fault-hooks';
import type { NodeId } from '@data-in-motion/shared/domain/ids';
import { and, eq, inArray, or } from 'drizzle-orm';
import type { Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { experiment } from './schema.ts';

export interface NewExperiment {
  readonly experimentId: string;
  readonly nodeId: NodeId;
  readonly kind: FaultKind;
  readonly subject: string;
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly ttlMs: number;
  readonly by: string;
}

/** A fault and what it is on. */
export interface Disturbance {
  readonly kind: FaultKind;
  readonly subject: string;
}

/** Faults that are out there or may be, until the transaction ends by this one alone: two that are asked for together see each other. */
export async function disturbances(tx: Tx): Promise<Disturbance[]> {
  await oneAtATime(tx, 'experiments');
  return (
    tx
      .select({ kind: experiment.kind, subject: experiment.subject })
      .from(experiment)
      // A byte stays turned until its agent has said that it is turned back.
      .where(or(inArray(experiment.state, ['sent', 'armed']), and(eq(experiment.state, 'expired'), eq(experiment.kind, 'flip-byte'))))
  );
}

/** Write a fault down before the agent hears of it. */
export async function startExperiment(tx: Tx, wanted: NewExperiment, nowMs: number): Promise<ExperimentView> {
  const row = {
    experimentId: wanted.experimentId,
    kind: wanted.kind,
    subject: wanted.subject,
    nodeId: wanted.nodeId,
    parameters: { ...wanted.parameters },
    state: 'sent' as const,
    detail: 'sent to the agent',
    startedAtMs: nowMs,
    endsAtMs: nowMs + wanted.ttlMs,
    endedAtMs: null,
  };
  await tx.insert(experiment).values(row);
  await appendEvents(tx, nowMs, [
    {
      type: 'chaos.requested',
      severity: 'warning',
      text: `${wanted.by} armed ${wanted.kind} on ${wanted.subject} for ${Math.round(wanted.ttlMs / 1000)} s.`,
      ids: { experimentId: wanted.experimentId, nodeId: wanted.nodeId },
      by: wanted.by,
    },
  ]);
  return row;
}

/** The faults that are still out there, one or all; their agents are to be told to undo them. */
export async function stopExperiments(tx: Tx, experimentId: string | null, nowMs: number): Promise<(typeof experiment.$inferSelect)[]> {
  const out = and(inArray(experiment.state, ['sent', 'armed']), experimentId === null ? undefined : eq(experiment.experimentId, experimentId));
  const rows = await tx.select().from(experiment).where(out);
  if (rows.length > 0)
    await appendEvents(tx, nowMs, [
      {
        type: 'chaos.stopping',
        severity: 'info',
        text: `${rows.length} ${rows.length === 1 ? 'fault is' : 'faults are'} being undone.`,
        ids: {},
        by: 'control-plane',
      },
    ]);
  return rows;
}
