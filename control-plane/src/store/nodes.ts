import { chainStart } from '@data-in-motion/shared/chain';
import type { NodeId, SiteId } from '@data-in-motion/shared/domain/ids';
import type { BootMessage } from '@data-in-motion/shared/protocol/messages';
import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import type { PayloadOf } from '@data-in-motion/shared/protocol/topics';
import { and, eq, inArray, lt, lte, sql } from 'drizzle-orm';
import type { Db, Tx } from './database.ts';
import type { Told } from './devices.ts';
import { appendEvents } from './events.ts';
import { agentStream, node } from './schema.ts';

export interface BootOutcome {
  /** False when a person took the agent's identity away: it is not welcomed. */
  readonly isWelcome: boolean;
  /** False for a repetition of a start that is known. */
  readonly isNew: boolean;
  readonly incarnation: number;
  /** The life of the agent that ended with this start; null when the message was a repetition, or the first. */
  readonly endedIncarnation: number | null;
  /** Of the agent's last incarnation that we know: stored up to here without a hole. */
  readonly watermark: number;
}

/**
 * What the agent still has of the life that ended it tells anew under the next one, so nothing is missing of that life any more. Where its journal was lost
 * or set back, it does not remember that life, or not as much of it as was seen: then what is missing stays missing.
 */
export async function closeStream(tx: Tx, { nodeId, lastIncarnation, lastSeq }: BootMessage): Promise<void> {
  await tx
    .update(agentStream)
    .set({ highestSeen: sql`${agentStream.watermark}` })
    .where(and(eq(agentStream.nodeId, nodeId), eq(agentStream.incarnation, lastIncarnation), lte(agentStream.highestSeen, lastSeq)));
}

async function watermarkOf(tx: Db, nodeId: NodeId, incarnation: number): Promise<number> {
  const [stream] = await tx
    .select({ watermark: agentStream.watermark })
    .from(agentStream)
    .where(and(eq(agentStream.nodeId, nodeId), eq(agentStream.incarnation, incarnation)));
  return stream?.watermark ?? 0;
}

/**
 * An agent process started. A repeated `bootUid` gets the incarnation it got before; a new one gets the next, which is also above
 * any that the agent remembers: a store that was set back must not give a number twice.
 */
export async function bootNode(tx: Tx, nowMs: number, boot: BootMessage): Promise<BootOutcome> {
  const { nodeId, siteId, host, agentVersion, transferUrl, importRoots, faultsAllowed, modelVersion } = boot;
  await tx.insert(node).values({ nodeId, siteId }).onConflictDoNothing();
  const [before] = await tx.select().from(node).where(eq(node.nodeId, nodeId)).for('update');
  const watermark = await watermarkOf(tx, nodeId, boot.lastIncarnation);
  const known = { isNew: false, incarnation: before!.incarnation, endedIncarnation: null, watermark };
  if (before!.agentState === 'revoked') return { ...known, isWelcome: false };
  if (before!.bootUid === boot.bootUid) {
    await tx.update(node).set({ lastHeardAtMs: nowMs }).where(eq(node.nodeId, nodeId));
    return { ...known, isWelcome: true };
  }
  const incarnation = Math.max(before!.incarnation, boot.lastIncarnation) + 1;
  await tx
    .update(node)
    .set({ siteId, host, agentVersion, transferUrl, importRoots, faultsAllowed, modelVersion, bootUid: boot.bootUid, incarnation, lastHeardAtMs: nowMs })
    .where(eq(node.nodeId, nodeId));
  await tx.insert(agentStream).values({ nodeId, incarnation, chain: chainStart }).onConflictDoNothing();
  const ids = { nodeId, incarnation };
  await appendEvents(tx, nowMs, [
    { type: 'agent.started', severity: 'info', text: `The agent on ${nodeId} started (version ${agentVersion}).`, ids, by: `agent ${nodeId}` },
  ]);
  return { isWelcome: true, isNew: true, incarnation, endedIncarnation: before!.incarnation === 0 ? null : before!.incarnation, watermark };
}

/**
 * Which of these agents may tell something: not the revoked. One that is not known, because the store was set back to before its
 * enrolment, is taken in without a place until it starts again.
 */
export async function knownNodes(tx: Tx, nodeIds: readonly NodeId[]): Promise<ReadonlySet<NodeId>> {
  const asked = [...new Set(nodeIds)].sort();
  if (asked.length === 0) return new Set();
  const rows = await tx.select({ nodeId: node.nodeId, agentState: node.agentState }).from(node).where(inArray(node.nodeId, asked));
  const missing = asked.filter((nodeId) => !rows.some((row) => row.nodeId === nodeId));
  if (missing.length > 0)
    await tx
      .insert(node)
      .values(missing.map((nodeId) => ({ nodeId, siteId: 'unknown' as SiteId })))
      .onConflictDoNothing();
  const revoked = new Set(rows.filter((row) => row.agentState === 'revoked').map((row) => row.nodeId));
  return new Set(asked.filter((nodeId) => !revoked.has(nodeId)));
}

/** Agents judge by another failure model than before. */
export async function storeRunningModels(tx: Tx, told: readonly Told<RecordOf<'model-running'>>[]): Promise<void> {
  for (const { nodeId, isLate, record } of told) {
    const isNews = isLate ? sql`coalesce(${node.modelToldAtMs}, 0) <= ${record.atMs}` : undefined;
    await tx
      .update(node)
      .set({ modelVersion: record.version, modelToldAtMs: record.atMs })
      .where(and(eq(node.nodeId, nodeId), isNews));
  }
}

/** Batches, questions and starts show that an agent lives; a retained message does not. */
export async function markHeard(tx: Db, nowMs: number, nodeIds: readonly NodeId[]): Promise<void> {
  if (nodeIds.length === 0) return;
  await tx
    .update(node)
    .set({ lastHeardAtMs: sql`greatest(coalesce(last_heard_at_ms, 0), ${nowMs})` })
    .where(inArray(node.nodeId, [...nodeIds]));
}

/**
 * Whether the agent is connected, by its session number and never by arrival: a last will may overtake the next session's birth,
 * and within one session `offline` is the last word.
 */
export async function recordConnection(tx: Tx, nodeId: NodeId, message: PayloadOf<'state'>): Promise<void> {
  const mine = eq(node.nodeId, nodeId);
  if (message.state === 'online') {
    await tx
      .update(node)
      .set({ session: message.session, connected: true })
      .where(and(mine, lt(node.session, message.session)));
    return;
  }
  await tx
    .update(node)
    .set({ session: message.session, connected: false })
    .where(and(mine, sql`${node.session} <= ${message.session}`));
}

/** The newest rev of its desired document that the agent says it has. */
export async function recordObservedRev(tx: Db, nowMs: number, nodeId: NodeId, observedRev: number): Promise<void> {
  await tx
    .update(node)
    .set({ observedRev, lastHeardAtMs: sql`greatest(coalesce(last_heard_at_ms, 0), ${nowMs})` })
    .where(eq(node.nodeId, nodeId));
}
