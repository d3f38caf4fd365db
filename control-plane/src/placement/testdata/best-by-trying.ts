import type { Assignment } from '../assignment.ts';

/** The optimum of a problem with a handful of datasets, by trying every placement; costs as its definition says. */
export function bestByTrying({ datasets, targets, rules, missingPerCopy, missingPerByte }: Assignment): { objective: number; bytesIn: Float64Array } {
  const wholes = [...Array(datasets.count).keys()].map((row) => {
    const rule = rules[datasets.rule[row]!]!;
    const size = datasets.bytes[row]!;
    const sets: { columns: number[]; domains: number[]; cost: number }[] = [{ columns: [], domains: [], cost: 0 }];
    for (const [at, column] of rule.columns.entries()) {
      let cost = size * (targets.holdPerByte[column]! + targets.arrivePerByte[column]!);
      cost += datasets.readBytes[row]! * targets.readPerByte[column]! + datasets.requests[row]! * targets.perRequest[column]!;
      const held = datasets.held.subarray(row * datasets.heldWidth, (row + 1) * datasets.heldWidth).indexOf(column);
      if (held !== -1) cost -= datasets.stayCredit[row * datasets.heldWidth + held]!;
      for (const set of [...sets])
        if (set.columns.length < datasets.copies[row]! && !set.domains.includes(rule.domains[at]!))
          sets.push({ columns: [...set.columns, column], domains: [...set.domains, rule.domains[at]!], cost: set.cost + cost });
    }
    const leftOut = missingPerCopy + size * missingPerByte;
    return sets.map(({ columns, cost }) => ({ columns, size, cost: cost + leftOut * (datasets.copies[row]! - columns.length) })).sort((a, b) => a.cost - b.cost);
  });
  const cheapestFrom = new Float64Array(datasets.count + 1);
  for (let row = datasets.count - 1; row >= 0; row--) cheapestFrom[row] = cheapestFrom[row + 1]! + wholes[row]![0]!.cost;
  const room = Float64Array.from(targets.capacityBytes);
  let objective = Infinity;
  let bytesIn = new Float64Array(targets.count);
  const tryFrom = (row: number, spent: number): void => {
    if (spent + cheapestFrom[row]! >= objective) return;
    if (row === datasets.count) {
      objective = spent;
      bytesIn = targets.capacityBytes.map((bytes, column) => bytes - room[column]!) as Float64Array<ArrayBuffer>;
      return;
    }
    for (const { columns, size, cost } of wholes[row]!) {
      if (columns.some((column) => size > room[column]!)) continue;
      for (const column of columns) room[column]! -= size;
      tryFrom(row + 1, spent + cost);
      for (const column of columns) room[column]! += size;
    }
  };
  tryFrom(0, 0);
  return { objective, bytesIn };
}
