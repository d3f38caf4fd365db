import type { Assignment } from './assignment.ts';

/** The assignment as the inner loop wants it: every rule's columns grouped by domain, one rule after another. */
export interface PreparedAssignment {
  readonly problem: Assignment;
  /** Most copies that any dataset wants. */
  readonly width: number;
  /** Rule of each dataset, without the columns that are too small for it. */
  readonly rule: Uint32Array;
  /** Rule r has the groups ruleGroups[r] to ruleGroups[r + 1], one a domain. */
  readonly ruleGroups: Int32Array;
  /** Group g has the members groupMembers[g] to groupMembers[g + 1]. */
  readonly groupMembers: Int32Array;
  /** Column of each member. */
  readonly members: Int32Array;
  /** Domain of a column in a rule at [rule · targets + column]; −1 where it is not allowed. */
  readonly domainOf: Int32Array;
}

/** What the datasets cost at some prices, each at its best. */
export interface PassResult {
  /** Σ over datasets of the cheapest places, prices included. */
  value: number;
  /** Σ of the absolute amounts that `value` was added up from: what its rounding is measured by. */
  magnitude: number;
  readonly loadBytes: Float64Array;
}

/** A dataset that is larger than some target of its rule gets a rule without it: one such dataset would never fit, and the bound rises by what that costs. */
export function prepare(problem: Assignment): PreparedAssignment {
  const { datasets, targets } = problem;
  const rule = Uint32Array.from(datasets.rule);
  const rules = problem.rules.map((one) => [...one.columns.keys()].map((at) => ({ column: one.columns[at]!, domain: one.domains[at]! })));
  const smallest = rules.map((one) => Math.min(...one.map(({ column }) => targets.capacityBytes[column]!)));
  const narrowed = new Map<string, number>();
  let width = 1;
  for (let row = 0; row < datasets.count; row++) {
    width = Math.max(width, datasets.copies[row]!);
    const bytes = datasets.bytes[row]!;
    const own = datasets.rule[row]!;
    if (bytes <= smallest[own]!) continue;
    const fitting = rules[own]!.filter(({ column }) => bytes <= targets.capacityBytes[column]!);
    const key = `${own} ${fitting.length}`;
    if (!narrowed.has(key)) narrowed.set(key, rules.push(fitting) - 1);
    rule[row] = narrowed.get(key)!;
  }
  const ruleGroups = [0];
  const groupMembers = [0];
  const members: number[] = [];
  const domainOf = new Int32Array(rules.length * targets.count).fill(-1);
  for (const [at, one] of rules.entries()) {
    for (const group of Map.groupBy(one, ({ domain }) => domain).values()) {
      for (const { column, domain } of group) {
        members.push(column);
        domainOf[at * targets.count + column] = domain;
      }
      groupMembers.push(members.length);
    }
    ruleGroups.push(groupMembers.length - 1);
  }
  return {
    problem,
    width,
    rule,
    ruleGroups: Int32Array.from(ruleGroups),
    groupMembers: Int32Array.from(groupMembers),
    members: Int32Array.from(members),
    domainOf,
  };
}

/**
 * Every dataset at its cheapest places under prices: exact, since without capacities no dataset knows of another. The cheapest of each domain,
 * of these as many as copies are wanted; a place that costs more than leaving the copy out is left out.
 *
 * @param places filled with the choice where given, `width` entries a dataset
 * @param slackPerByte filled where given with how much prices may change for certain before the choice of a dataset does, dollars per byte
 */
export function pricePass(
  prepared: PreparedAssignment,
  prices: Float64Array,
  into: PassResult,
  places: Int16Array | null,
  slackPerByte: Float32Array | null,
): void {
  const { problem, width, rule, ruleGroups, groupMembers, members } = prepared;
  const { bytes, readBytes, requests, copies, held, stayCredit, heldWidth } = problem.datasets;
  const { holdPerByte, arrivePerByte, readPerByte, perRequest, count } = problem.targets;
  const { missingPerCopy, missingPerByte } = problem;
  const { loadBytes } = into;
  loadBytes.fill(0);
  const perByteOf = new Float64Array(members.length);
  const perReadOf = new Float64Array(members.length);
  const perRequestOf = new Float64Array(members.length);
  for (let at = 0; at < members.length; at++) {
    const column = members[at]!;
    perByteOf[at] = holdPerByte[column]! + arrivePerByte[column]! + prices[column]!;
    perReadOf[at] = readPerByte[column]!;
    perRequestOf[at] = perRequest[column]!;
  }
  const credit = new Float64Array(count);
  const bestCost = new Float64Array(width + 2);
  const bestColumn = new Int32Array(width + 2);
  const bestSlack = new Float64Array(width + 2);
  let sum = 0;
  let lost = 0;
  let magnitude = 0;

  for (let row = 0; row < problem.datasets.count; row++) {
    const size = bytes[row]!;
    const read = readBytes[row]!;
    const asked = requests[row]!;
    const wanted = copies[row]!;
    const ownRule = rule[row]!;
    const heldFrom = row * heldWidth;
    for (let one = heldFrom; one < heldFrom + heldWidth; one++) if (held[one]! >= 0) credit[held[one]!] = stayCredit[one]!;
    for (let one = 0; one <= wanted; one++) {
      bestCost[one] = Infinity;
      bestColumn[one] = -1;
    }
    const groupsEnd = ruleGroups[ownRule + 1]!;
    for (let group = ruleGroups[ownRule]!; group < groupsEnd; group++) {
      const end = groupMembers[group + 1]!;
      let cheapest = Infinity;
      let second = Infinity;
      let column = -1;
      for (let member = groupMembers[group]!; member < end; member++) {
        const cost = size * perByteOf[member]! + read * perReadOf[member]! + asked * perRequestOf[member]! - credit[members[member]!]!;
        if (cost < cheapest) {
          second = cheapest;
          cheapest = cost;
          column = members[member]!;
        } else if (cost < second) second = cost;
      }
      // One more than wanted is kept: by how much it is dearer tells how firm the choice is.
      if (cheapest >= bestCost[wanted]!) continue;
      let to = wanted;
      while (to > 0 && bestCost[to - 1]! > cheapest) {
        bestCost[to] = bestCost[to - 1]!;
        bestColumn[to] = bestColumn[to - 1]!;
        bestSlack[to] = bestSlack[to - 1]!;
        to--;
      }
      bestCost[to] = cheapest;
      bestColumn[to] = column;
      bestSlack[to] = second - cheapest;
    }
    for (let one = heldFrom; one < heldFrom + heldWidth; one++) if (held[one]! >= 0) credit[held[one]!] = 0;

    const missing = missingPerCopy + size * missingPerByte;
    let slack = Infinity;
    for (let one = 0; one < wanted; one++) {
      let cost = bestCost[one]!;
      if (cost <= missing) {
        loadBytes[bestColumn[one]!]! += size;
        slack = Math.min(slack, bestSlack[one]!, missing - cost, bestCost[wanted]! - cost);
        if (places !== null) places[row * width + one] = bestColumn[one]!;
      } else {
        slack = Math.min(slack, cost - missing);
        cost = missing;
        if (places !== null) places[row * width + one] = -1;
      }
      // Compensated: a million small amounts would lose as much as the gap that is certified.
      const next = cost - lost;
      const total = sum + next;
      lost = total - sum - next;
      sum = total;
      magnitude += Math.abs(cost);
    }
    if (slackPerByte !== null) slackPerByte[row] = size > 0 ? slack / (2 * size) : Infinity;
  }
  into.value = sum;
  into.magnitude = magnitude;
}
