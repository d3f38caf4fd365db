import { type PreparedAssignment, whimsOf } from './prepare-assignment.ts';

/** What a copy costs in each column, prices included: terms of the column alone, few enough to stay near the processor while all datasets pass. */
export class ColumnTerms {
  readonly perByte: Float64Array;
  readonly perRead: Float64Array;
  readonly perRequest: Float64Array;
  readonly whims: Int32Array;
  readonly #prepared: PreparedAssignment;

  constructor(prepared: PreparedAssignment) {
    const { count } = prepared.problem.targets;
    this.#prepared = prepared;
    [this.perByte, this.perRead, this.perRequest] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
    this.whims = Int32Array.from({ length: count }, (_, column) => whimsOf(column));
  }

  setPrices(prices: Float64Array): void {
    const { targets } = this.#prepared.problem;
    for (let column = 0; column < targets.count; column++) {
      this.perByte[column] = targets.holdPerByte[column]! + targets.arrivePerByte[column]! + prices[column]!;
      this.perRead[column] = targets.readPerByte[column]! + prices[targets.count + column]!;
      this.perRequest[column] = targets.perRequest[column]! + prices[2 * targets.count + column]!;
    }
  }
}
