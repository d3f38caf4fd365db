import { agentTransitions } from '../health/agents.ts';
import { applyAgentTransition, settleReturned } from '../store/agent-states.ts';
import { node } from '../store/schema.ts';
import { type LeaderWrite, type LoopParts, tolerate } from './parts.ts';

/** Who is heard, late, lost or back, by the database's clock and by messages that were stored; then what that means for their copies. */
export async function watchAgents(parts: LoopParts, write: LeaderWrite): Promise<boolean> {
  const nowMs = await parts.store.nowMs();
  const rows = await parts.store.db.select().from(node).orderBy(node.nodeId);
  const changes = agentTransitions(rows, nowMs, parts.settings.decisions.agents);
  for (const change of changes) await tolerate(parts, () => write((tx, atMs) => applyAgentTransition(tx, change, atMs)));
  for (const row of rows.filter(({ agentState }) => agentState === 'returned')) {
    await tolerate(parts, () => write((tx, atMs) => settleReturned(tx, row.nodeId, atMs)));
  }
  return changes.length > 0;
}
