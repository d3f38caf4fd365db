import { expect, test } from 'vitest';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import type { NodeFacts } from '../fleet/snapshot.ts';
import { nodeFacts } from '../fleet/testdata/small-fleet.ts';
import { agentTransitions } from './agents.ts';
import { Listening } from './listening.ts';

const { agents: graces } = defaultDecisionSettings;
const everyMs = 2_000;

/** A fleet whose control plane looks every two seconds; `heard` are the agents that speak before each look. */
class Watched {
  nowMs = 1_000_000;
  listening = new Listening();
  nodes: NodeFacts[] = ['berlin', 'frankfurt', 'virginia'].map((nodeId) => nodeFacts(nodeId, { lastHeardAtMs: this.nowMs, agentState: 'online' }));

  look(heard: readonly string[]): void {
    this.nowMs += everyMs;
    this.nodes = this.nodes.map((node) => (heard.includes(node.nodeId) ? { ...node, lastHeardAtMs: this.nowMs } : node));
    const sinceMs = this.listening.since(this.nodes, this.nowMs, graces.lateAfterMs);
    const changes = agentTransitions(this.nodes, this.nowMs, graces, sinceMs).filter(({ event }) => event !== 'grace-over' || !this.listening.isDeaf);
    this.nodes = this.nodes.map((node) => ({ ...node, agentState: changes.find(({ nodeId }) => nodeId === node.nodeId)?.to ?? node.agentState }));
  }

  lookFor(ms: number, heard: readonly string[]): void {
    for (const untilMs = this.nowMs + ms; this.nowMs < untilMs; ) this.look(heard);
  }

  /** The process ends; another begins later. */
  restartAfter(ms: number): void {
    this.nowMs += ms;
    this.listening = new Listening();
  }

  get states(): string[] {
    return this.nodes.map((node) => node.agentState);
  }
}
const all = ['berlin', 'frankfurt', 'virginia'];

test('after a night in which nothing ran, every agent has the whole grace time to be heard', () => {
  const fleet = new Watched();
  fleet.lookFor(60_000, all);
  fleet.restartAfter(12 * 3_600_000);
  fleet.lookFor(graces.lateAfterMs - everyMs, []);
  expect(fleet.states).toEqual(['online', 'online', 'online']);
  fleet.lookFor(graces.lostAfterMs, ['berlin', 'frankfurt']);
  expect(fleet.states).toEqual(['online', 'online', 'late']);
  fleet.lookFor(4 * everyMs, ['berlin', 'frankfurt']);
  expect(fleet.states).toEqual(['online', 'online', 'lost']);
});

test('a control plane that did not look for long, because another led or its database was away, begins anew', () => {
  const fleet = new Watched();
  fleet.lookFor(60_000, all);
  fleet.nowMs += graces.lostAfterMs * 3;
  fleet.look([]);
  expect(fleet.states).toEqual(['online', 'online', 'online']);
  fleet.look(all);
  expect(fleet.states).toEqual(['online', 'online', 'online']);
});

test('a broker that was away makes everybody late and nobody lost, and who connects last afterwards is not lost either', () => {
  const fleet = new Watched();
  fleet.lookFor(60_000, all);
  fleet.lookFor(graces.lostAfterMs * 2, []);
  expect(fleet.states).toEqual(['late', 'late', 'late']);
  fleet.lookFor(30_000, ['berlin']);
  expect(fleet.states).toEqual(['online', 'late', 'late']);
  fleet.lookFor(30_000, all);
  expect(fleet.states).toEqual(['online', 'online', 'online']);
});

test('an agent that is silent while others are heard is lost after the grace time, and returns when it is heard', () => {
  const fleet = new Watched();
  fleet.lookFor(graces.lostAfterMs + 2 * everyMs, ['berlin', 'virginia']);
  expect(fleet.states).toEqual(['online', 'lost', 'online']);
  fleet.restartAfter(3_600_000);
  fleet.look(all);
  expect(fleet.states).toEqual(['online', 'returned', 'online']);
});
