import { DomainBests } from './domain-bests.ts';
import { type PreparedAssignment, reachOf, whim } from './prepare-assignment.ts';

/** Where each dataset wants to be, `width` entries each, and how far prices may move for certain before it wants to be elsewhere: a share of the usual cost. */
export interface Choices {
  readonly places: Int16Array;
  readonly slack: Float32Array;
}

/**
 * Every dataset at its cheapest places under prices: exact, since without limits no dataset knows of another. What costs more than leaving the copy out
 * is left out; what is larger than all the room of a target is not put there at any price.
 *
 * @param rows which datasets; null for all
 * @param choices changed for these
 * @param whims how much a dataset's whims about targets may cost, as a share of the usual cost; 0: none, costs as the problem says
 */
export function pricePass(prepared: PreparedAssignment, prices: Float64Array, rows: Int32Array | null, choices: Choices, whims: number): void {
  const { problem, width, ruleGroups, groupMembers, members, serves } = prepared;
  const { bytes, objects, readBytes, requests, atStake, copies, hasPrimary, rule, arrive, missing, ...own } = problem.datasets;
  const { specialsFrom, specialColumn, copyCredit, primaryCredit, stays } = own;
  const { targets } = problem;
  const bests = new DomainBests(prepared.mostGroups, width);
  const terms = memberTerms(prepared, prices);
  const { perByte, perObject, lost, holdPerByte, minimumObjectBytes, perRead, perRequest, roomBytes, readLimit, requestsLimit } = terms;
  const { copyCost, copySecond, copyPlace, primaryCost, primarySecond, primaryPlace } = bests;
  const copyCredits = new Float64Array(targets.count);
  const primaryCredits = new Float64Array(targets.count);
  const isThere = new Uint8Array(targets.count);
  const count = rows?.length ?? problem.datasets.count;

  for (let at = 0; at < count; at++) {
    const row = rows === null ? at : rows[at]!;
    const size = bytes[row]!;
    const parts = objects[row]!;
    const read = readBytes[row]!;
    const asked = requests[row]!;
    const arrives = arrive[row]!;
    const stake = atStake[row]!;
    const primaryToo = hasPrimary[row] === 1;
    const reach = reachOf(prepared, row);
    const ofCopy = whims * size * prepared.usual[0]!;
    const ofPrimary = whims * reach;
    const specialsEnd = specialsFrom[row + 1]!;
    for (let one = specialsFrom[row]!; one < specialsEnd; one++) {
      const column = specialColumn[one]!;
      const room = stays[one] === 1 ? size * prices[column]! : 0;
      copyCredits[column] = copyCredit[one]! + room;
      primaryCredits[column] = primaryCredit[one]! + room;
      isThere[column] = stays[one]!;
    }
    const groupsFrom = ruleGroups[rule[row]!]!;
    const groups = ruleGroups[rule[row]! + 1]! - groupsFrom;
    for (let group = 0; group < groups; group++) {
      const end = groupMembers[groupsFrom + group + 1]!;
      let cheapest = Infinity;
      let second = Infinity;
      let place = -1;
      let primaryCheapest = Infinity;
      let primaryNext = Infinity;
      let primaryAt = -1;
      for (let member = groupMembers[groupsFrom + group]!; member < end; member++) {
        const column = members[member]!;
        if (size > roomBytes[member]! && isThere[column] === 0) continue;
        let base = size * perByte[member]! + parts * perObject[member]! + stake * lost[member]! + arrives;
        const least = parts * minimumObjectBytes[member]!;
        if (least > size) base += (least - size) * holdPerByte[member]!;
        const liking = whims > 0 ? whim(row, column) : 0;
        const cost = base - copyCredits[column]! + ofCopy * liking;
        if (cost < cheapest) {
          second = cheapest;
          cheapest = cost;
          place = column;
        } else if (cost < second) second = cost;
        if (!primaryToo || serves[member] === 0 || read > readLimit[member]! || asked > requestsLimit[member]!) continue;
        const asPrimary = base + read * perRead[member]! + asked * perRequest[member]! - primaryCredits[column]! + ofPrimary * liking;
        if (asPrimary < primaryCheapest) {
          primaryNext = primaryCheapest;
          primaryCheapest = asPrimary;
          primaryAt = column;
        } else if (asPrimary < primaryNext) primaryNext = asPrimary;
      }
      copyCost[group] = cheapest;
      copySecond[group] = second;
      copyPlace[group] = place;
      primaryCost[group] = primaryCheapest;
      primarySecond[group] = primaryNext;
      primaryPlace[group] = primaryAt;
    }
    for (let one = specialsFrom[row]!; one < specialsEnd; one++) {
      const column = specialColumn[one]!;
      copyCredits[column] = 0;
      primaryCredits[column] = 0;
      isThere[column] = 0;
    }
    bests.pick(groups, copies[row]!, primaryToo, missing[row]!);
    for (let slot = 0; slot < copies[row]!; slot++) choices.places[row * width + slot] = bests.slots[slot]!;
    // Rounded down: a slack that is told must hold.
    choices.slack[row] = reach > 0 ? (bests.slack / (2 * reach)) * (1 - 1e-6) : Infinity;
  }
}

/** The terms of each member's column, prices included, side by side as the inner loop walks them. */
function memberTerms({ problem, members }: PreparedAssignment, prices: Float64Array) {
  const { targets } = problem;
  const { count } = targets;
  const of = (value: (column: number) => number): Float64Array => Float64Array.from(members, value);
  return {
    perByte: of((column) => targets.holdPerByte[column]! + targets.arrivePerByte[column]! + prices[column]!),
    perObject: of((column) => targets.arrivePerObject[column]!),
    lost: of((column) => targets.lost[column]!),
    holdPerByte: of((column) => targets.holdPerByte[column]!),
    minimumObjectBytes: of((column) => targets.minimumObjectBytes[column]!),
    perRead: of((column) => targets.readPerByte[column]! + prices[count + column]!),
    perRequest: of((column) => targets.perRequest[column]! + prices[2 * count + column]!),
    roomBytes: of((column) => targets.roomBytes[column]!),
    readLimit: of((column) => targets.readBytesLimit[column]!),
    requestsLimit: of((column) => targets.requestsLimit[column]!),
  };
}
