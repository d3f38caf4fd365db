import type { Flow, FlowGraph, FlowNode } from './flows-of.ts';

export interface LaidNode extends FlowNode {
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly sizeBytes: number;
}

export interface LaidFlow extends Flow {
  readonly source: LaidNode;
  readonly target: LaidNode;
  /** Of the line, in pixels. */
  readonly width: number;
  /** Its middle, from edge to edge. */
  readonly path: string;
}

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly top: number;
  readonly nodeWidth: number;
  /** Between two nodes of a column. */
  readonly gap: number;
}

/** Bytes of a move of nothing: it still has to be seen. */
const leastBytes = 1;
/** Each look at the neighbours sorts a column again; after four nothing changes any more in fleets that were tried. */
const sweeps = 4;
const tierRank = ['hot', 'warm', 'cold'];

/** Nodes in their columns and flows between them, as wide as the bytes, with few crossings. A column that has no node takes no room. */
export function layFlows({ nodes, flows }: FlowGraph, frame: Frame): { nodes: LaidNode[]; flows: LaidFlow[] } {
  const sizes = new Map(nodes.map((node) => [node.id, sizeOf(node, flows)]));
  const columns = ordered(nodes, flows, sizes);
  const room = frame.height - frame.top;
  const scale = Math.min(
    ...columns.map((column) => Math.max(1, room - frame.gap * (column.length - 1)) / column.reduce((sum, node) => sum + sizes.get(node.id)!, 0)),
  );
  const laid = new Map<string, LaidNode>();
  for (const [i, column] of columns.entries()) {
    const heights = column.map((node) => Math.max(2, sizes.get(node.id)! * scale));
    let y = frame.top + (room - heights.reduce((sum, height) => sum + height, frame.gap * (column.length - 1))) / 2;
    for (const [place, node] of column.entries()) {
      const x = columns.length === 1 ? 0 : (i / (columns.length - 1)) * (frame.width - frame.nodeWidth);
      laid.set(node.id, { ...node, x, y, height: heights[place]!, sizeBytes: sizes.get(node.id)! });
      y += heights[place]! + frame.gap;
    }
  }
  return { nodes: [...laid.values()], flows: drawFlows(flows, laid, scale, frame.nodeWidth) };
}

function sizeOf(node: FlowNode, flows: readonly Flow[]): number {
  const sum = (end: 'from' | 'to'): number => flows.reduce((total, flow) => total + (flow[end] === node.id ? Math.max(leastBytes, flow.sizeBytes) : 0), 0);
  return Math.max(sum('from'), sum('to'));
}

/** Columns from left to right, each by tier and size first, then by where its neighbours stand. */
function ordered(nodes: readonly FlowNode[], flows: readonly Flow[], sizes: ReadonlyMap<string, number>): FlowNode[][] {
  const rank = (node: FlowNode): number => (tierRank.includes(node.tier) ? tierRank.indexOf(node.tier) : tierRank.length);
  const columns = ([0, 1, 2, 3] as const)
    .map((column) => nodes.filter((node) => node.column === column).sort((a, b) => rank(a) - rank(b) || sizes.get(b.id)! - sizes.get(a.id)!))
    .filter((column) => column.length > 0);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const order = sweep % 2 === 0 ? columns.slice(1) : columns.slice(0, -1).reverse();
    for (const column of order) sortByNeighbours(column, sweep % 2 === 0 ? 'from' : 'to', columns, flows);
  }
  return columns;
}

function sortByNeighbours(column: FlowNode[], side: 'from' | 'to', columns: readonly FlowNode[][], flows: readonly Flow[]): void {
  const other = side === 'from' ? 'to' : 'from';
  const middles = new Map(columns.flatMap((each) => each.map((node, place) => [node.id, (place + 0.5) / each.length] as const)));
  const wanted = new Map(
    column.map((node) => {
      const near = flows.filter((flow) => flow[other] === node.id);
      const bytes = near.reduce((sum, flow) => sum + Math.max(leastBytes, flow.sizeBytes), 0);
      return [
        node.id,
        near.length === 0
          ? middles.get(node.id)!
          : near.reduce((sum, flow) => sum + middles.get(flow[side])! * Math.max(leastBytes, flow.sizeBytes), 0) / bytes,
      ];
    }),
  );
  column.sort((a, b) => wanted.get(a.id)! - wanted.get(b.id)!);
}

/** At each end the flows lie on each other in the order in which their other ends stand. */
function drawFlows(flows: readonly Flow[], nodes: ReadonlyMap<string, LaidNode>, scale: number, nodeWidth: number): LaidFlow[] {
  const widths = new Map(flows.map((flow) => [flow.key, Math.max(leastBytes, flow.sizeBytes) * scale]));
  const [out, into] = [offsets(flows, nodes, widths, 'from', 'to'), offsets(flows, nodes, widths, 'to', 'from')];
  return flows.map((flow) => {
    const [source, target] = [nodes.get(flow.from)!, nodes.get(flow.to)!];
    const [x0, x1] = [source.x + nodeWidth, target.x];
    const [y0, y1] = [out.get(flow.key)!, into.get(flow.key)!];
    const half = (x0 + x1) / 2;
    return { ...flow, source, target, width: widths.get(flow.key)!, path: `M${x0},${y0}C${half},${y0} ${half},${y1} ${x1},${y1}` };
  });
}

function offsets(
  flows: readonly Flow[],
  nodes: ReadonlyMap<string, LaidNode>,
  widths: ReadonlyMap<string, number>,
  end: 'from' | 'to',
  other: 'from' | 'to',
): Map<string, number> {
  const middles = new Map<string, number>();
  for (const node of nodes.values()) {
    const here = flows.filter((flow) => flow[end] === node.id).sort((a, b) => nodes.get(a[other])!.y - nodes.get(b[other])!.y);
    let y = node.y + (node.height - here.reduce((sum, flow) => sum + widths.get(flow.key)!, 0)) / 2;
    for (const flow of here) {
      middles.set(flow.key, y + widths.get(flow.key)! / 2);
      y += widths.get(flow.key)!;
    }
  }
  return middles;
}
