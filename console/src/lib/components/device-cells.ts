/** What the map of drives needs to know of one drive. */
export interface CellDevice {
  readonly deviceId: string;
  readonly siteId: string;
  readonly nodeId: string;
  readonly capacityBytes: number;
  readonly level: string;
}

export interface Cell {
  readonly device: CellDevice;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface CellLabel {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly strong: boolean;
}

export interface CellMap {
  readonly cells: readonly Cell[];
  readonly labels: readonly CellLabel[];
  readonly height: number;
}

const columnGap = 24;
const leastColumn = 170;
const labelHeight = 18;
const gap = 2;

/**
 * Where each drive stands: a column per site, under it a block per node, in it a cell per drive, wider the more it holds.
 *
 * @param width of the canvas, CSS pixels
 */
export function layOutCells(devices: readonly CellDevice[], width: number): CellMap {
  const cellHeight = devices.length > 3000 ? 8 : devices.length > 600 ? 12 : devices.length > 120 ? 18 : 26;
  const greatest = devices.reduce((most, device) => Math.max(most, device.capacityBytes), 1);
  const sites = groupBy(devices, (device) => device.siteId);
  const columns = Math.max(1, Math.min(sites.length, Math.floor((width + columnGap) / (leastColumn + columnGap))));
  const columnWidth = (width - columnGap * (columns - 1)) / columns;
  const bottoms = new Array<number>(columns).fill(0);
  const cells: Cell[] = [];
  const labels: CellLabel[] = [];
  for (const [index, [siteId, inSite]] of sites.entries()) {
    const column = index % columns;
    const left = column * (columnWidth + columnGap);
    let y = bottoms[column]!;
    labels.push({ text: siteId, x: left, y: y + 12, strong: true });
    y += labelHeight + 2;
    for (const [nodeId, inNode] of groupBy(inSite, (device) => device.nodeId)) {
      labels.push({ text: nodeId, x: left, y: y + 12, strong: false });
      y += labelHeight;
      let x = left;
      for (const device of inNode) {
        const cellWidth = Math.max(cellHeight * 0.6, cellHeight * (0.5 + 1.6 * Math.sqrt(device.capacityBytes / greatest)));
        if (x > left && x + cellWidth > left + columnWidth) {
          x = left;
          y += cellHeight + gap;
        }
        cells.push({ device, x, y, width: cellWidth, height: cellHeight });
        x += cellWidth + gap;
      }
      y += cellHeight + 10;
    }
    bottoms[column] = y + 8;
  }
  return { cells, labels, height: Math.max(40, ...bottoms) };
}

/** The cell at a point, or undefined between cells. */
export function cellAt(cells: readonly Cell[], x: number, y: number): number | undefined {
  const found = cells.findIndex((cell) => x >= cell.x && x <= cell.x + cell.width + gap && y >= cell.y && y <= cell.y + cell.height + gap);
  return found === -1 ? undefined : found;
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): [string, Item[]][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}
