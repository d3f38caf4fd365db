import { type PreparedAssignment, whimsOf } from './prepare-assignment.ts';

/** The terms of each member's column, prices included, side by side as the inner loop walks them. */
export class MemberTerms {
  readonly perByte: Float64Array;
  readonly perRead: Float64Array;
  readonly perRequest: Float64Array;
  readonly perObject: Float64Array;
  readonly lost: Float64Array;
  readonly holdPerByte: Float64Array;
  readonly minimumObjectBytes: Float64Array;
  readonly roomBytes: Float64Array;
  readonly readLimit: Float64Array;
  readonly requestsLimit: Float64Array;
  readonly whims: Int32Array;
  readonly #prepared: PreparedAssignment;

  constructor(prepared: PreparedAssignment) {
    const { targets } = prepared.problem;
    const { members } = prepared;
    const of = (list: Float64Array): Float64Array => Float64Array.from(members, (column) => list[column]!);
    this.#prepared = prepared;
    [this.perByte, this.perRead, this.perRequest] = [new Float64Array(members.length), new Float64Array(members.length), new Float64Array(members.length)];
    this.perObject = of(targets.arrivePerObject);
    this.lost = of(targets.lost);
    this.holdPerByte = of(targets.holdPerByte);
    this.minimumObjectBytes = of(targets.minimumObjectBytes);
    this.roomBytes = of(targets.roomBytes);
    this.readLimit = of(targets.readBytesLimit);
    this.requestsLimit = of(targets.requestsLimit);
    this.whims = Int32Array.from(members, (column) => whimsOf(column));
  }

  setPrices(prices: Float64Array): void {
    const { members, problem } = this.#prepared;
    const { targets } = problem;
    for (let member = 0; member < members.length; member++) {
      const column = members[member]!;
      this.perByte[member] = targets.holdPerByte[column]! + targets.arrivePerByte[column]! + prices[column]!;
      this.perRead[member] = targets.readPerByte[column]! + prices[targets.count + column]!;
      this.perRequest[member] = targets.perRequest[column]! + prices[2 * targets.count + column]!;
    }
  }
}
