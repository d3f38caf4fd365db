import { agentMachine } from '@data-in-motion/shared/domain/agent-health';
import type { NodeId } from '@data-in-motion/shared/domain/ids';
import { step } from '@data-in-motion/shared/machine';
import { and, eq } from 'drizzle-orm';
import type { AgentTransition } from '../health/agents.ts';
import { endAlert, raiseAlert } from './alerts.ts';
import type { Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { changeReplica, replicasOnNode } from './replicas.ts';
import { node, target } from './schema.ts';
import { oweVerification, settleVerifications } from './sync-queue.ts';
import { nameUnnamed } from './unnamed-copies.ts';

const agentLost = 'its agent is lost';

/** Write an agent's change of state, and what it means for its targets and copies. Another control plane may have been faster: then nothing happens. */
export async function applyAgentTransition(tx: Tx, change: AgentTransition, nowMs: number): Promise<void> {
  const { nodeId, from, to } = change;
  const changed = await tx
    .update(node)
    .set({ agentState: to })
    .where(and(eq(node.nodeId, nodeId), eq(node.agentState, from)))
    .returning({ nodeId: node.nodeId });
  if (changed.length === 0) return;
  const severity = to === 'lost' ? ('error' as const) : to === 'late' ? ('warning' as const) : ('info' as const);
  await appendEvents(tx, nowMs, [
    { type: 'agent.state-changed', severity, text: `The agent of ${nodeId} is ${to}: ${change.reason}`, ids: { nodeId, from, to }, by: 'control-plane' },
  ]);
  if (to === 'lost') await raiseAlert(tx, nowMs, { rule: 'agent-lost', subject: nodeId, severity: 'error', text: change.reason, ids: { nodeId } });
  if (to === 'lost' || to === 'revoked') await lose(tx, nodeId, nowMs);
  if (to === 'returned') await welcomeBack(tx, nodeId, nowMs);
  if (to === 'online' || to === 'revoked') await endAlert(tx, nowMs, 'agent-lost', nodeId);
}

/** Nothing on the node counts until it is read back; repair is planned from what is left. */
async function lose(tx: Tx, nodeId: NodeId, nowMs: number): Promise<void> {
  await tx
    .update(target)
    .set({ state: 'lost', stateReason: agentLost })
    .where(and(eq(target.nodeId, nodeId), eq(target.state, 'ok')));
  for (const row of await replicasOnNode(tx, nodeId, ['verified'])) await changeReplica(tx, row.replicaId, 'doubted', {}, nowMs, 'its node is lost');
}

/** What a person decides about an agent: its identity is taken away, or given again. False when there is no such node, or nothing to decide about it. */
export async function decideAgent(tx: Tx, nodeId: NodeId, event: 'revoke' | 'enrol', reason: string, nowMs: number): Promise<boolean> {
  const [row] = await tx.select({ state: node.agentState }).from(node).where(eq(node.nodeId, nodeId)).for('update');
  const next = row === undefined ? undefined : step(agentMachine, row.state, event);
  if (row === undefined || next?.ok !== true) return false;
  await applyAgentTransition(tx, { nodeId, from: row.state, event, to: next.state, reason }, nowMs);
  return true;
}

/** The copies of a node that was away are verified before they count again. */
async function welcomeBack(tx: Tx, nodeId: NodeId, nowMs: number): Promise<void> {
  await tx
    .update(target)
    .set({ state: 'ok', stateReason: null })
    .where(and(eq(target.nodeId, nodeId), eq(target.state, 'lost'), eq(target.stateReason, agentLost)));
  for (const row of await replicasOnNode(tx, nodeId, ['suspect', 'missing'])) {
    await oweVerification(tx, { replicaId: row.replicaId, datasetId: row.datasetId, nodeId }, nowMs);
  }
  await nameUnnamed(tx, { nodeId }, nowMs);
}

/** Work off what is owed on a node; one that came back is online again once none of its copies is in doubt. */
export async function settleReturned(tx: Tx, nodeId: NodeId, nowMs: number): Promise<boolean> {
  if ((await settleVerifications(tx, nodeId, nowMs)) > 0) return false;
  const [row] = await tx.select({ state: node.agentState }).from(node).where(eq(node.nodeId, nodeId)).for('update');
  const next = row === undefined ? undefined : step(agentMachine, row.state, 'verified');
  if (row?.state !== 'returned' || next?.ok !== true) return false;
  await applyAgentTransition(tx, { nodeId, from: 'returned', event: 'verified', to: next.state, reason: `every copy on ${nodeId} was looked at` }, nowMs);
  return true;
}
