import type { Assignment, PricedPlacement } from '../src/placement/assignment.ts';

/** What a placement is found to be by someone who did not make it. */
export interface CheckedPlacement {
  readonly objective: number;
  /** The dual value at the stated prices: below every placement, whatever these are, as long as none is negative. */
  readonly lowerBound: number;
  /** In words; none for a placement that holds. */
  readonly violations: readonly string[];
}

/**
 * Look at a placement from the problem's definition alone, a dataset at a time and by sorting rather than in the solver's way; nothing of the solver is used.
 * Violations are: a place that is not allowed, two copies in one domain, a target above its capacity, a copy too many, one that is missing and not named,
 * a negative price, an objective or a bound other than stated.
 */
export function checkAssignment(
  problem: Assignment,
  placement: Pick<PricedPlacement, 'places' | 'width' | 'prices' | 'objective' | 'lowerBound' | 'missing'>,
): CheckedPlacement {
  const { datasets, targets, rules } = problem;
  const violations: string[] = [];
  const filled = Array.from({ length: targets.count }, () => 0n);
  const named = new Map(placement.missing.map((one) => [one.row, one.copies]));
  const costs: number[] = Array.from({ length: targets.count }, () => 0);
  let objective = 0;
  let datasetsAlone = 0;
  let missingRows = 0;

  for (let row = 0; row < datasets.count; row++) {
    const size = datasets.bytes[row]!;
    const rule = rules[datasets.rule[row]!]!;
    const leftOut = problem.missingPerCopy + problem.missingPerByte * size;
    for (const column of rule.columns) {
      costs[column] =
        size * targets.holdPerByte[column]! +
        size * targets.arrivePerByte[column]! +
        datasets.readBytes[row]! * targets.readPerByte[column]! +
        datasets.requests[row]! * targets.perRequest[column]!;
    }
    for (let one = 0; one < datasets.heldWidth; one++) {
      const column = datasets.held[row * datasets.heldWidth + one]!;
      if (column >= 0 && rule.columns.includes(column)) costs[column]! -= datasets.stayCredit[row * datasets.heldWidth + one]!;
    }

    const seen: number[] = [];
    let absent = 0;
    for (let slot = 0; slot < placement.width; slot++) {
      const column = placement.places[row * placement.width + slot]!;
      if (slot >= datasets.copies[row]!) {
        if (column !== -1) violations.push(`dataset ${row} has a copy too many`);
        continue;
      }
      if (column === -1) {
        absent++;
        objective += leftOut;
        continue;
      }
      const at = rule.columns.indexOf(column);
      if (at === -1) violations.push(`dataset ${row} may not be on target ${column}`);
      else if (seen.includes(rule.domains[at]!)) violations.push(`dataset ${row} has two copies in domain ${rule.domains[at]}`);
      else seen.push(rule.domains[at]!);
      filled[column]! += BigInt(size);
      objective += costs[column]!;
    }
    if (absent > 0) missingRows++;
    if ((named.get(row) ?? 0) !== absent) violations.push(`dataset ${row} misses ${absent} copies, ${named.get(row) ?? 0} are named`);

    // A target smaller than the dataset can hold it in no answer, so its price for it does not count.
    const perDomain = new Map<number, number>();
    for (const [at, column] of rule.columns.entries()) {
      if (size > targets.capacityBytes[column]!) continue;
      const paid = costs[column]! + size * placement.prices[column]!;
      const domain = rule.domains[at]!;
      if (paid < (perDomain.get(domain) ?? leftOut)) perDomain.set(domain, paid);
    }
    const cheapest = [...perDomain.values()].sort((a, b) => a - b).slice(0, datasets.copies[row]!);
    datasetsAlone += cheapest.reduce((sum, paid) => sum + paid, 0) + leftOut * (datasets.copies[row]! - cheapest.length);
  }

  let paidForRoom = 0;
  for (let column = 0; column < targets.count; column++) {
    paidForRoom += placement.prices[column]! * targets.capacityBytes[column]!;
    if (!(placement.prices[column]! >= 0)) violations.push(`target ${column} has the price ${placement.prices[column]}`);
    if (filled[column]! > BigInt(Math.floor(targets.capacityBytes[column]!)))
      violations.push(`target ${column} holds ${filled[column]} bytes of ${targets.capacityBytes[column]}`);
  }
  if (missingRows !== placement.missing.length) violations.push(`${missingRows} datasets miss copies, ${placement.missing.length} are named`);
  const lowerBound = datasetsAlone - paidForRoom;
  const tolerance = 1e-9 * (Math.abs(datasetsAlone) + paidForRoom + Math.abs(objective));
  if (Math.abs(objective - placement.objective) > tolerance) violations.push(`the objective is ${objective}, stated is ${placement.objective}`);
  if (placement.lowerBound > lowerBound + tolerance || placement.lowerBound < lowerBound - tolerance)
    violations.push(`the bound is ${lowerBound}, stated is ${placement.lowerBound}`);
  return { objective, lowerBound, violations };
}
