import { type Assignment, type PricedPlacement, resources } from '../src/placement/assignment.ts';

/** What a placement is found to be by someone who did not make it. */
export interface CheckedPlacement {
  readonly objective: number;
  /** The dual value at the stated prices: below every placement, whatever these are, as long as none is negative. */
  readonly lowerBound: number;
  /** In words; none for a placement that holds. */
  readonly violations: readonly string[];
}

type Checked = Pick<PricedPlacement, 'places' | 'width' | 'prices' | 'objective' | 'lowerBound' | 'missing' | 'state'>;

/**
 * Look at a placement from the problem's definition alone, a dataset at a time and by sorting rather than in the solver's way; nothing of the solver is used.
 * Violations are: a place that is not allowed, a primary where it may not serve, two copies in one domain, a target that holds or serves more than it can,
 * a copy too many, one that is missing and not named, a negative price, an objective or a bound other than stated.
 */
export function checkAssignment(problem: Assignment, placement: Checked): CheckedPlacement {
  const { datasets, targets, rules } = problem;
  const violations: string[] = [];
  const filled = Array.from({ length: targets.count }, () => 0n);
  const served = [new Float64Array(targets.count), new Float64Array(targets.count)] as const;
  const named = new Map(placement.missing.map((one) => [one.row, one.copies]));
  let objective = 0;
  let datasetsAlone = 0;
  let missingRows = 0;

  for (let row = 0; row < datasets.count; row++) {
    const rule = rules[datasets.rule[row]!]!;
    const offers = offersOf(problem, row);
    const domainAt = new Map([...rule.columns.keys()].map((at) => [rule.columns[at]!, rule.domains[at]!]));
    const seen = new Set<number>();
    let absent = 0;
    for (let slot = 0; slot < placement.width; slot++) {
      const column = placement.places[row * placement.width + slot]!;
      if (slot >= datasets.copies[row]!) {
        if (column !== -1) violations.push(`dataset ${row} has a copy too many`);
        continue;
      }
      const asPrimary = slot === 0 && datasets.hasPrimary[row] === 1;
      if (column === -1) {
        absent++;
        objective += datasets.missing[row]!;
        continue;
      }
      const offer = offers.find((one) => one.column === column);
      const cost = asPrimary ? offer?.primary : offer?.copy;
      if (offer === undefined || cost === undefined || cost === Infinity) {
        violations.push(`dataset ${row} may not be on target ${column}${asPrimary ? ' with its primary' : ''}`);
        continue;
      }
      if (seen.has(domainAt.get(column)!)) violations.push(`dataset ${row} has two copies in domain ${domainAt.get(column)}`);
      seen.add(domainAt.get(column)!);
      filled[column]! += BigInt(offer.takes);
      if (asPrimary) served[0][column]! += datasets.readBytes[row]!;
      if (asPrimary) served[1][column]! += datasets.requests[row]!;
      objective += cost;
    }
    if (absent > 0) missingRows++;
    if ((named.get(row) ?? 0) !== absent) violations.push(`dataset ${row} misses ${absent} copies, ${named.get(row) ?? 0} are named`);
    datasetsAlone += bestAlone(problem, placement.prices, row, offers);
  }

  if (missingRows !== placement.missing.length) violations.push(`${missingRows} datasets miss copies, ${placement.missing.length} are named`);
  const { worth, found } = limitsOf(problem, placement.prices, filled, served);
  violations.push(...found);
  const lowerBound = datasetsAlone - worth;
  const tolerance = 1e-9 * (Math.abs(datasetsAlone) + worth + Math.abs(objective));
  if (Math.abs(objective - placement.objective) > tolerance) violations.push(`the objective is ${objective}, stated is ${placement.objective}`);
  // The solver takes off what rounding may have added, also of datasets that have left since.
  const takenOff = 1e-12 * placement.state.valued.magnitude;
  if (placement.lowerBound > lowerBound + tolerance || placement.lowerBound < lowerBound - tolerance - takenOff)
    violations.push(`the bound is ${lowerBound}, stated is ${placement.lowerBound}`);
  return { objective, lowerBound, violations };
}

interface Offer {
  readonly column: number;
  readonly domain: number;
  /** Dollars; Infinity where it may not be. */
  readonly copy: number;
  readonly primary: number;
  /** Bytes of room. */
  readonly takes: number;
  /** Whether a single dataset like it fits there at all: where it does not, the price for it does not count. */
  readonly fits: boolean;
}

function offersOf({ datasets, targets, rules }: Assignment, row: number): Offer[] {
  const rule = rules[datasets.rule[row]!]!;
  const size = datasets.bytes[row]!;
  const parts = datasets.objects[row]!;
  const specials = new Map<number, number>();
  for (let at = datasets.specialsFrom[row]!; at < datasets.specialsFrom[row + 1]!; at++) specials.set(datasets.specialColumn[at]!, at);
  const near = new Map<number, number>();
  for (let at = datasets.nearFrom[row]!; at < datasets.nearFrom[row + 1]!; at++) near.set(datasets.nearHome[at]!, datasets.nearCredit[at]!);
  return [...rule.columns.keys()].map((at): Offer => {
    const column = rule.columns[at]!;
    const special = specials.get(column);
    const less = near.get(targets.home[column]!) ?? 0;
    const hold = targets.holdPerByte[column]! * Math.max(size, parts * targets.minimumObjectBytes[column]!) + targets.lost[column]! * datasets.atStake[row]!;
    const arrive = targets.arrivePerByte[column]! * size + targets.arrivePerObject[column]! * parts + datasets.arrive[row]!;
    const use = targets.readPerByte[column]! * datasets.readBytes[row]! + targets.perRequest[column]! * datasets.requests[row]!;
    const serves =
      rule.serves[at] === 1 && datasets.readBytes[row]! <= targets.readBytesLimit[column]! && datasets.requests[row]! <= targets.requestsLimit[column]!;
    const takes = special !== undefined && datasets.stays[special] === 1 ? 0 : size;
    return {
      column,
      domain: rule.domains[at]!,
      copy: hold + arrive - (special === undefined ? less : datasets.copyCredit[special]!),
      primary: serves ? hold + arrive + use - (special === undefined ? less : datasets.primaryCredit[special]!) : Infinity,
      takes,
      fits: takes <= targets.roomBytes[column]!,
    };
  });
}

/** The cheapest whole of one dataset at prices, found by trying every domain for the primary. */
function bestAlone({ datasets, targets }: Assignment, prices: Float64Array, row: number, offers: readonly Offer[]): number {
  const missing = datasets.missing[row]!;
  const copies = new Map<number, number>();
  const primaries = new Map<number, number>();
  const lower = (map: Map<number, number>, domain: number, cost: number): void => {
    if (cost < (map.get(domain) ?? missing)) map.set(domain, cost);
  };
  for (const { column, domain, copy, primary, takes, fits } of offers) {
    if (!fits) continue;
    const room = takes * prices[column]!;
    const reads = datasets.readBytes[row]! * prices[targets.count + column]! + datasets.requests[row]! * prices[2 * targets.count + column]!;
    lower(copies, domain, copy + room);
    lower(primaries, domain, primary + room + reads);
  }
  const others = datasets.copies[row]! - datasets.hasPrimary[row]!;
  const sorted = [...copies].sort((a, b) => a[1] - b[1]);
  const cheapest = (but: number | null): number => {
    const taken = sorted.filter(([domain]) => domain !== but).slice(0, others);
    return taken.reduce((sum, [, cost]) => sum + cost, 0) + missing * (others - taken.length);
  };
  if (datasets.hasPrimary[row] === 0) return cheapest(null);
  return Math.min(missing + cheapest(null), ...[...primaries].map(([domain, cost]) => cost + cheapest(domain)));
}

function limitsOf(
  { targets }: Assignment,
  prices: Float64Array,
  filled: readonly bigint[],
  served: readonly [Float64Array, Float64Array],
): { worth: number; found: string[] } {
  const found: string[] = [];
  let worth = 0;
  for (let column = 0; column < targets.count; column++) {
    const limits = [targets.roomBytes[column]!, targets.readBytesLimit[column]!, targets.requestsLimit[column]!];
    for (const [resource, limit] of limits.entries()) {
      const price = prices[resource * targets.count + column]!;
      if (!(price >= 0)) found.push(`target ${column} has the price ${price}`);
      if (price > 0) worth += price * limit;
    }
    if (filled[column]! > BigInt(Math.floor(limits[0]!))) found.push(`target ${column} takes ${filled[column]} bytes, it has room for ${limits[0]}`);
    for (const resource of [1, 2] as const)
      if (served[resource - 1]![column]! > limits[resource]! * (1 + 1e-9))
        found.push(`target ${column} serves ${served[resource - 1]![column]} ${resources[resource]}, it can serve ${limits[resource]}`);
  }
  return { worth, found };
}
