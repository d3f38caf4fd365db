import { type AgentEvent, type AgentState, agentMachine } from '@data-in-motion/shared/domain/agent-health';
import type { NodeId } from '@data-in-motion/shared/domain/ids';
import { step } from '@data-in-motion/shared/machine';
import type { AgentGraces } from '../fleet/decision-settings.ts';
import type { NodeFacts } from '../fleet/snapshot.ts';

/** An agent in one of these states is heard: it can be given work, and what it has can be read. */
export const heardStates: readonly AgentState[] = ['online', 'returned'];

export interface AgentTransition {
  readonly nodeId: NodeId;
  readonly from: AgentState;
  readonly event: AgentEvent;
  readonly to: AgentState;
  readonly reason: string;
}

/**
 * Which agents change their state at `nowMs`, by how long ago each was heard. Only changes are told, at most one for each agent in a pass:
 * an agent is late before it is lost. `returned` becomes `online` by the event `verified`, which is for who verifies its copies to say.
 *
 * @param nowMs by the same clock that wrote `lastHeardAtMs`; an agent heard in the future counts as heard now
 * @param listeningSinceMs when we began to hear agents, see `Listening`: silence before that is ours and not theirs
 */
export function agentTransitions(
  nodes: readonly NodeFacts[],
  nowMs: number,
  settings: AgentGraces,
  listeningSinceMs = Number.NEGATIVE_INFINITY,
): AgentTransition[] {
  return nodes.flatMap((node) => {
    const heard = whatIsHeard(node, nowMs, settings, listeningSinceMs);
    if (heard === null) return [];
    const next = step(agentMachine, node.agentState, heard.event);
    if (!next.ok || next.state === node.agentState) return [];
    return [{ nodeId: node.nodeId, from: node.agentState, event: heard.event, to: next.state, reason: heard.reason }];
  });
}

function whatIsHeard(node: NodeFacts, nowMs: number, settings: AgentGraces, listeningSinceMs: number): { event: AgentEvent; reason: string } | null {
  if (node.lastHeardAtMs === null) return null;
  if (nowMs - node.lastHeardAtMs < settings.lateAfterMs) return { event: 'heard', reason: `${node.nodeId} is heard` };
  const silentMs = nowMs - Math.max(node.lastHeardAtMs, listeningSinceMs);
  if (silentMs < settings.lateAfterMs) return null;
  const silence = `${node.nodeId} has said nothing for ${Math.round(silentMs / 1000)} s`;
  if (silentMs >= settings.lostAfterMs && node.agentState === 'late') return { event: 'grace-over', reason: `${silence}: its copies no longer count` };
  return { event: 'silent', reason: silence };
}
