import type { Assignment } from '../assignment.ts';

interface Whole {
  /** The first is the primary's, or null. */
  readonly primary: number | null;
  readonly columns: readonly number[];
  readonly cost: number;
}

/** The optimum of a problem with a handful of datasets, by trying every placement; costs as its definition says. */
export function bestByTrying(problem: Assignment): { objective: number; bytesIn: Float64Array } {
  const { datasets, targets } = problem;
  const wholes = [...Array(datasets.count).keys()].map((row) => wholesOf(problem, row).sort((a, b) => a.cost - b.cost));
  const cheapestFrom = new Float64Array(datasets.count + 1);
  for (let row = datasets.count - 1; row >= 0; row--) cheapestFrom[row] = cheapestFrom[row + 1]! + wholes[row]![0]!.cost;
  const room = Float64Array.from(targets.roomBytes);
  const reads = Float64Array.from(targets.readBytesLimit);
  const requests = Float64Array.from(targets.requestsLimit);
  const isThere = (row: number, column: number): boolean => special(problem, row, column)?.stays === 1;
  let objective = Infinity;
  let bytesIn = new Float64Array(targets.count);
  const take = (row: number, { columns, primary }: Whole, sign: 1 | -1): void => {
    for (const column of columns) if (!isThere(row, column)) room[column]! -= sign * datasets.bytes[row]!;
    if (primary === null) return;
    reads[primary]! -= sign * datasets.readBytes[row]!;
    requests[primary]! -= sign * datasets.requests[row]!;
  };
  const tryFrom = (row: number, spent: number): void => {
    if (spent + cheapestFrom[row]! >= objective) return;
    if (row === datasets.count) {
      objective = spent;
      bytesIn = targets.roomBytes.map((bytes, column) => bytes - room[column]!) as Float64Array<ArrayBuffer>;
      return;
    }
    for (const whole of wholes[row]!) {
      if (whole.columns.some((column) => !isThere(row, column) && datasets.bytes[row]! > room[column]!)) continue;
      if (whole.primary !== null && (datasets.readBytes[row]! > reads[whole.primary]! + 1e-9 || datasets.requests[row]! > requests[whole.primary]! + 1e-9))
        continue;
      take(row, whole, 1);
      tryFrom(row + 1, spent + whole.cost);
      take(row, whole, -1);
    }
  };
  tryFrom(0, 0);
  return { objective, bytesIn };
}

/** Every set of places for one dataset that its rule allows, with those that are left out paid for. */
function wholesOf(problem: Assignment, row: number): Whole[] {
  const { datasets, rules } = problem;
  const rule = rules[datasets.rule[row]!]!;
  const others = datasets.copies[row]! - datasets.hasPrimary[row]!;
  const starts: { domains: number[]; columns: number[]; primary: number | null; cost: number }[] = [{ domains: [], columns: [], primary: null, cost: 0 }];
  if (datasets.hasPrimary[row] === 1) {
    starts[0]!.cost = datasets.missing[row]!;
    for (const [at, column] of rule.columns.entries())
      if (rule.serves[at] === 1)
        starts.push({ domains: [rule.domains[at]!], columns: [column], primary: column, cost: costOf(problem, row, column, 'primary') });
  }
  return starts.flatMap((start) => {
    const sets = [{ ...start, copies: 0 }];
    for (const [at, column] of rule.columns.entries()) {
      const cost = costOf(problem, row, column, 'copy');
      for (const set of [...sets])
        if (set.copies < others && !set.domains.includes(rule.domains[at]!))
          sets.push({
            domains: [...set.domains, rule.domains[at]!],
            columns: [...set.columns, column],
            primary: set.primary,
            cost: set.cost + cost,
            copies: set.copies + 1,
          });
    }
    return sets
      .map(({ columns, primary, cost, copies }) => ({ columns, primary, cost: cost + datasets.missing[row]! * (others - copies) }))
      .filter(({ cost }) => cost < Infinity);
  });
}

function special({ datasets }: Assignment, row: number, column: number): { copy: number; primary: number; stays: number } | undefined {
  for (let at = datasets.specialsFrom[row]!; at < datasets.specialsFrom[row + 1]!; at++)
    if (datasets.specialColumn[at] === column) return { copy: datasets.copyCredit[at]!, primary: datasets.primaryCredit[at]!, stays: datasets.stays[at]! };
  return undefined;
}

/** Dollars of one copy in one column, from the definition alone. */
export function costOf(problem: Assignment, row: number, column: number, role: 'copy' | 'primary'): number {
  const { datasets, targets } = problem;
  const size = datasets.bytes[row]!;
  const billed = Math.max(size, datasets.objects[row]! * targets.minimumObjectBytes[column]!);
  const comes = size * targets.arrivePerByte[column]! + datasets.objects[row]! * targets.arrivePerObject[column]! + datasets.arrive[row]!;
  const use = datasets.readBytes[row]! * targets.readPerByte[column]! + datasets.requests[row]! * targets.perRequest[column]!;
  const less = special(problem, row, column)?.[role] ?? near(problem, row, targets.home[column]!);
  return billed * targets.holdPerByte[column]! + datasets.atStake[row]! * targets.lost[column]! + comes + (role === 'primary' ? use : 0) - less;
}

function near({ datasets }: Assignment, row: number, home: number): number {
  for (let at = datasets.nearFrom[row]!; at < datasets.nearFrom[row + 1]!; at++) if (datasets.nearHome[at] === home) return datasets.nearCredit[at]!;
  return 0;
}
