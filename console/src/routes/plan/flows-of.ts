import type { MoveView } from '@data-in-motion/shared/api/decisions';
import type { TargetView } from '@data-in-motion/shared/api/fleet';
import { type NeedGroup, needGroup, needGroups } from './need-group.ts';

/** A place or tier in one of the four columns: tier and place now, place and tier after. */
export interface FlowNode {
  readonly id: string;
  readonly name: string;
  readonly tier: string;
  readonly column: 0 | 1 | 2 | 3;
  readonly moveIds: readonly string[];
}

/** Bytes of one group of needs between two nodes. */
export interface Flow {
  readonly key: string;
  readonly from: string;
  readonly to: string;
  readonly group: NeedGroup;
  readonly sizeBytes: number;
  readonly changePerMonth: number;
  readonly moveIds: readonly string[];
}

export interface FlowGraph {
  readonly nodes: readonly FlowNode[];
  readonly flows: readonly Flow[];
}

/** So many places of a column have a name of their own; the smallest beyond that are one. */
const namedPlaces = 9;

interface Place {
  readonly name: string;
  readonly tier: string;
}

/**
 * Moves added up to flows between places. With `tiers`, the tiers stand outside of the places, before and after. What has no source is new, what has no
 * destination leaves; neither has a tier.
 */
export function flowsOf(moves: readonly MoveView[], targets: readonly TargetView[], show: 'places' | 'tiers'): FlowGraph {
  const tiers = new Map(targets.map((target) => [target.targetId, target.tier as string]));
  const places = (column: 'fromTargetId' | 'toTargetId', otherwise: string): ((move: MoveView) => Place) => {
    const named = largest(moves, column);
    return (move) => {
      const targetId = move[column];
      if (targetId === null) return { name: otherwise, tier: '' };
      const tier = tiers.get(targetId) ?? '';
      return named.has(targetId) ? { name: targetId, tier } : { name: `smaller places${tier === '' ? '' : `, ${tier}`}`, tier };
    };
  };
  const [fromOf, toOf] = [places('fromTargetId', 'new copies'), places('toTargetId', 'leave')];
  const graph = new Graph();
  for (const move of moves) {
    const [from, to] = [fromOf(move), toOf(move)];
    graph.add({ ...from, column: 1 }, { ...to, column: 2 }, move);
    if (show === 'places') continue;
    if (from.tier !== '') graph.add({ name: from.tier, tier: from.tier, column: 0 }, { ...from, column: 1 }, move);
    if (to.tier !== '') graph.add({ ...to, column: 2 }, { name: to.tier, tier: to.tier, column: 3 }, move);
  }
  return graph.made();
}

/** The places of one side that most bytes go through. */
function largest(moves: readonly MoveView[], column: 'fromTargetId' | 'toTargetId'): ReadonlySet<string> {
  const bytes = new Map<string, number>();
  for (const move of moves) {
    const targetId = move[column];
    if (targetId !== null) bytes.set(targetId, (bytes.get(targetId) ?? 0) + move.sizeBytes);
  }
  const sorted = [...bytes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return new Set(sorted.slice(0, sorted.length <= namedPlaces + 1 ? namedPlaces + 1 : namedPlaces).map(([targetId]) => targetId));
}

type End = Place & Pick<FlowNode, 'column'>;

class Graph {
  readonly #nodes = new Map<string, FlowNode & { moveIds: string[] }>();
  readonly #flows = new Map<string, { -readonly [Field in keyof Flow]: Flow[Field] } & { moveIds: string[] }>();

  add(from: End, to: End, move: MoveView): void {
    const [source, target] = [this.#node(from, move), this.#node(to, move)];
    const group = needGroup(move.need);
    const key = `${source}>${target}>${group}`;
    const known = this.#flows.get(key) ?? { key, from: source, to: target, group, sizeBytes: 0, changePerMonth: 0, moveIds: [] };
    known.sizeBytes += move.sizeBytes;
    known.changePerMonth += move.changePerMonth;
    known.moveIds.push(move.moveId);
    this.#flows.set(key, known);
  }

  #node({ name, tier, column }: End, move: MoveView): string {
    const id = `${column} ${name}`;
    const known = this.#nodes.get(id) ?? { id, name, tier, column, moveIds: [] };
    if (!known.moveIds.includes(move.moveId)) known.moveIds.push(move.moveId);
    this.#nodes.set(id, known);
    return id;
  }

  made(): FlowGraph {
    const rank = (flow: Flow): number => needGroups.indexOf(flow.group);
    return { nodes: [...this.#nodes.values()], flows: [...this.#flows.values()].sort((a, b) => rank(a) - rank(b) || b.sizeBytes - a.sizeBytes) };
  }
}

/** What applying a plan sets in motion: every move that is not a job yet. */
export function consequence(moves: readonly MoveView[]): {
  moves: number;
  sizeBytes: number;
  migrationOnce: number;
  changePerMonth: number;
  expectedMs: number | null;
  leastConfidence: number;
} {
  const open = moves.filter((move) => move.jobId === null && move.progress === undefined);
  const times = open.map((move) => move.expectedMs).filter((ms) => ms !== null);
  const sum = (of: (move: MoveView) => number): number => open.reduce((total, move) => total + of(move), 0);
  return {
    moves: open.length,
    sizeBytes: sum((move) => (move.action === 'retire' ? 0 : move.sizeBytes)),
    migrationOnce: sum((move) => move.migrationOnce),
    changePerMonth: sum((move) => move.changePerMonth),
    expectedMs: times.length === 0 ? null : times.reduce((total, ms) => total + ms, 0),
    leastConfidence: open.reduce((least, move) => Math.min(least, move.confidence), 1),
  };
}
