import { eq } from 'drizzle-orm';
import { agentTransitions } from '../health/agents.ts';
import type { Listening } from '../health/listening.ts';
import { applyAgentTransition, settleReturned } from '../store/agent-states.ts';
import { node, syncQueue } from '../store/schema.ts';
import { type LeaderWrite, type LoopParts, tolerate } from './parts.ts';

/**
 * Who is heard, late, lost or back, by the database's clock and by messages that were stored; then what that means for their copies.
 *
 * @param listening of this process, over all its passes
 */
export async function watchAgents(parts: LoopParts, listening: Listening, write: LeaderWrite): Promise<boolean> {
  const graces = parts.settings.decisions.agents;
  const nowMs = await parts.store.nowMs();
  const rows = await parts.store.db.select().from(node).orderBy(node.nodeId);
  const sinceMs = listening.since(rows, nowMs, graces.lateAfterMs);
  const changes = agentTransitions(rows, nowMs, graces, sinceMs).filter(({ event }) => event !== 'grace-over' || !listening.isDeaf);
  for (const change of changes) await tolerate(parts, () => write((tx, atMs) => applyAgentTransition(tx, change, atMs)));
  const owing = new Set(
    (await parts.store.db.selectDistinct({ nodeId: syncQueue.nodeId }).from(syncQueue).where(eq(syncQueue.state, 'pending'))).map((row) => row.nodeId),
  );
  // One that fell silent for a moment while its copies were read back is online again, and still owes the rest.
  for (const row of rows.filter(({ agentState, nodeId }) => agentState === 'returned' || (agentState === 'online' && owing.has(nodeId)))) {
    await tolerate(parts, () => write((tx, atMs) => settleReturned(tx, row.nodeId, atMs)));
  }
  return changes.length > 0;
}
