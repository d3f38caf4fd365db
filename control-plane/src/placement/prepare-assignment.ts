import { type Assignment, resources } from './assignment.ts';

/** The assignment as the inner loops want it: every rule's columns grouped by domain, one rule after another. */
export interface PreparedAssignment {
  readonly problem: Assignment;
  /** Most copies that any dataset wants. */
  readonly width: number;
  /** Above every number of a home that a column or a row has. */
  readonly homes: number;
  /** Most domains that any rule has. */
  readonly mostGroups: number;
  /** Rule r has the groups ruleGroups[r] to ruleGroups[r + 1], one a domain. */
  readonly ruleGroups: Int32Array;
  /** Group g has the members groupMembers[g] to groupMembers[g + 1]. */
  readonly groupMembers: Int32Array;
  /** Group of each member. */
  readonly groupOf: Int32Array;
  /** Column of each member, and whether the primary may be there. */
  readonly members: Int32Array;
  readonly serves: Uint8Array;
  /** Domain of a column in a rule at [rule · targets + column]; −1 where it is not allowed. */
  readonly domainOf: Int32Array;
  /** Whether the primary may be there, beside it. */
  readonly servesAt: Uint8Array;
  /** What each target has of each resource, resource after resource. */
  readonly limits: Float64Array;
  /** What a unit of each resource usually costs: prices are searched in steps of it. */
  readonly usual: Float64Array;
}

export function prepare(problem: Assignment): PreparedAssignment {
  const { targets, rules } = problem;
  const ruleGroups = [0];
  const groupMembers = [0];
  const groupOf: number[] = [];
  const members: number[] = [];
  const serves: number[] = [];
  const domainOf = new Int32Array(rules.length * targets.count).fill(-1);
  const servesAt = new Uint8Array(rules.length * targets.count);
  for (const [at, one] of rules.entries()) {
    for (const group of Map.groupBy(one.columns.keys(), (place) => one.domains[place]!).values()) {
      for (const place of group) {
        const column = one.columns[place]!;
        groupOf.push(groupMembers.length - 1);
        members.push(column);
        serves.push(one.serves[place]!);
        domainOf[at * targets.count + column] = one.domains[place]!;
        servesAt[at * targets.count + column] = one.serves[place]!;
      }
      groupMembers.push(members.length);
    }
    ruleGroups.push(groupMembers.length - 1);
  }
  return {
    problem,
    width: mostCopies(problem),
    homes: 1 + [targets.home, problem.datasets.nearHome].reduce((most, list) => list.reduce((highest, home) => Math.max(highest, home), most), 0),
    mostGroups: rules.reduce((most, _, at) => Math.max(most, ruleGroups[at + 1]! - ruleGroups[at]!), 0),
    ruleGroups: Int32Array.from(ruleGroups),
    groupMembers: Int32Array.from(groupMembers),
    groupOf: Int32Array.from(groupOf),
    members: Int32Array.from(members),
    serves: Uint8Array.from(serves),
    domainOf,
    servesAt,
    limits: Float64Array.of(...targets.roomBytes, ...targets.readBytesLimit, ...targets.requestsLimit),
    usual: usualCosts(problem),
  };
}

export function mostCopies({ datasets }: Assignment): number {
  return datasets.copies.reduce((most, copies) => Math.max(most, copies), 1);
}

/** What a byte costs at a target of the middle, with the use of it; a read byte and a request so much that all of them together cost as much as all bytes. */
function usualCosts({ datasets, targets }: Assignment): Float64Array {
  let bytes = 0;
  let readBytes = 0;
  let requests = 0;
  for (let row = 0; row < datasets.count; row++) {
    bytes += datasets.bytes[row]! * datasets.copies[row]!;
    readBytes += datasets.readBytes[row]! * datasets.hasPrimary[row]!;
    requests += datasets.requests[row]! * datasets.hasPrimary[row]!;
  }
  const mean = (list: Float64Array): number => list.reduce((total, one) => total + one, 0) / Math.max(1, targets.count);
  const each = mean(targets.holdPerByte) + mean(targets.arrivePerByte);
  const used = (mean(targets.readPerByte) * readBytes + mean(targets.perRequest) * requests) / Math.max(1, bytes);
  const ofByte = each + used;
  return Float64Array.of(ofByte, (ofByte * bytes) / Math.max(1, readBytes), (ofByte * bytes) / Math.max(1, requests));
}

/** Where a special of a row for a column is, in the lists of specials; −1 where there is none. */
export function specialAt({ datasets }: Assignment, row: number, column: number): number {
  for (let at = datasets.specialsFrom[row]!; at < datasets.specialsFrom[row + 1]!; at++) if (datasets.specialColumn[at] === column) return at;
  return -1;
}

/** Dollars less for a copy of a row in a column that its home is near to, where nothing is special. */
function nearCreditAt({ datasets, targets }: Assignment, row: number, column: number): number {
  const home = targets.home[column]!;
  for (let at = datasets.nearFrom[row]!; at < datasets.nearFrom[row + 1]!; at++) if (datasets.nearHome[at] === home) return datasets.nearCredit[at]!;
  return 0;
}

/** Dollars a month of one copy of a row in a column, as the problem says; what room for it is worth is not in it. Infinity where a special forbids it. */
export function costAt({ problem }: Pick<PreparedAssignment, 'problem'>, row: number, slot: number, column: number): number {
  const { datasets, targets } = problem;
  if (column === -1) return datasets.missing[row]!;
  const size = datasets.bytes[row]!;
  const objects = datasets.objects[row]!;
  let cost =
    Math.max(size, objects * targets.minimumObjectBytes[column]!) * targets.holdPerByte[column]! +
    datasets.atStake[row]! * targets.lost[column]! +
    size * targets.arrivePerByte[column]! +
    objects * targets.arrivePerObject[column]! +
    datasets.arrive[row]!;
  const asPrimary = isPrimary(problem, row, slot);
  if (asPrimary) cost += datasets.readBytes[row]! * targets.readPerByte[column]! + datasets.requests[row]! * targets.perRequest[column]!;
  const special = specialAt(problem, row, column);
  if (special === -1) return cost - nearCreditAt(problem, row, column);
  return cost - (asPrimary ? datasets.primaryCredit : datasets.copyCredit)[special]!;
}

export function isPrimary({ datasets }: Assignment, row: number, slot: number): boolean {
  return slot === 0 && datasets.hasPrimary[row] === 1;
}

/** How much of a resource (its place in `resources`) a copy takes up in a column. */
export function amountOf(problem: Assignment, row: number, slot: number, column: number, resource: number): number {
  const { datasets } = problem;
  if (resource > 0) return isPrimary(problem, row, slot) ? (resource === 1 ? datasets.readBytes : datasets.requests)[row]! : 0;
  const special = specialAt(problem, row, column);
  return special !== -1 && datasets.stays[special] === 1 ? 0 : datasets.bytes[row]!;
}

/** What the use of a column by a copy is worth at prices, dollars a month. */
export function paidAt({ problem }: Pick<PreparedAssignment, 'problem'>, prices: Float64Array, row: number, slot: number, column: number): number {
  if (column === -1) return 0;
  const { count } = problem.targets;
  let paid = 0;
  for (let resource = 0; resource < resources.length; resource++) {
    const price = prices[resource * count + column]!;
    if (price > 0) paid += price * amountOf(problem, row, slot, column, resource);
  }
  return paid;
}

/**
 * What a dataset's and a target's whims come from: the two together are a number from 0 to 1 (`whim` in `kernel/look-at-rows.ts`). Targets of one price are alike
 * to every copy, and whatever the prices of their room, all copies would want the same of them: a difference that is nothing in dollars spreads them.
 */
export function whimsOf(rowOrColumn: number): number {
  const mixed = Math.imul(rowOrColumn + 1, 0x9e3779b1);
  return Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
}
