import type { AssignedDatasets } from './assignment.ts';
import { Growing } from './growing.ts';
import type { RowSpecials } from './row-specials.ts';
import { sharedBytes, sharedFloats, sharedInts, sharedShorts, sharedWords } from './shared-numbers.ts';

/** One row of an assignment while it is made, dollars a month; what is special to it is gathered beside it. */
export interface RowOfCopies {
  readonly bytes: number;
  readonly objects: number;
  readonly readBytes: number;
  readonly requests: number;
  readonly atStake: number;
  readonly copies: number;
  readonly hasPrimary: boolean;
  readonly rule: number;
  readonly arrive: number;
  readonly missing: number;
}

const dollarsOver = (buffer: ArrayBufferLike): Float64Array => new Float64Array(buffer);
const bytesOver = (buffer: ArrayBufferLike): Uint8Array => new Uint8Array(buffer);

/** The rows of an assignment, gathered one by one. */
export class AssignmentRows {
  readonly #bytes = new Growing(dollarsOver);
  readonly #objects = new Growing(dollarsOver);
  readonly #readBytes = new Growing(dollarsOver);
  readonly #requests = new Growing(dollarsOver);
  readonly #atStake = new Growing(dollarsOver);
  readonly #copies = new Growing(bytesOver);
  readonly #hasPrimary = new Growing(bytesOver);
  readonly #rule = new Growing((buffer) => new Uint16Array(buffer));
  readonly #arrive = new Growing(dollarsOver);
  readonly #missing = new Growing(dollarsOver);
  readonly #specialsFrom = new Growing((buffer) => new Int32Array(buffer));
  readonly #columns = new Growing((buffer) => new Int16Array(buffer));
  readonly #copyCredits = new Growing(dollarsOver);
  readonly #primaryCredits = new Growing(dollarsOver);
  readonly #stays = new Growing(bytesOver);

  /** @param allows 1 at [column] of those that the row's rule allows: to others it does not go, so nothing is special about them */
  add(row: RowOfCopies, specials: RowSpecials, allows: Uint8Array): void {
    this.#bytes.add(row.bytes);
    this.#objects.add(row.objects);
    this.#readBytes.add(row.readBytes);
    this.#requests.add(row.requests);
    this.#atStake.add(row.atStake);
    this.#copies.add(row.copies);
    this.#hasPrimary.add(Number(row.hasPrimary));
    this.#rule.add(row.rule);
    this.#arrive.add(row.arrive);
    this.#missing.add(row.missing);
    this.#specialsFrom.add(this.#columns.count);
    for (let at = 0; at < specials.count; at++) {
      const column = specials.columns[at]!;
      if (allows[column] === 0) continue;
      this.#columns.add(column);
      this.#copyCredits.add(specials.copyCredit[column]!);
      this.#primaryCredits.add(specials.primaryCredit[column]!);
      this.#stays.add(Number(specials.isHeld(column)));
    }
  }

  whole(): AssignedDatasets {
    const { count } = this.#bytes;
    this.#specialsFrom.add(this.#columns.count);
    return {
      count,
      bytes: this.#bytes.whole(),
      objects: this.#objects.whole(),
      readBytes: this.#readBytes.whole(),
      requests: this.#requests.whole(),
      atStake: this.#atStake.whole(),
      copies: this.#copies.whole(),
      hasPrimary: this.#hasPrimary.whole(),
      rule: this.#rule.whole(),
      arrive: this.#arrive.whole(),
      missing: this.#missing.whole(),
      specialsFrom: this.#specialsFrom.whole(),
      specialColumn: this.#columns.whole(),
      copyCredit: this.#copyCredits.whole(),
      primaryCredit: this.#primaryCredits.whole(),
      stays: this.#stays.whole(),
    };
  }
}

/** Some rows of an assignment as one of their own, in memory that threads can share. */
export function rowsOfAssignment(datasets: AssignedDatasets, rows: readonly number[]): AssignedDatasets {
  const { specialsFrom: from } = datasets;
  const specialsFrom = sharedInts(rows.length + 1);
  for (const [at, row] of rows.entries()) specialsFrom[at + 1] = specialsFrom[at]! + from[row + 1]! - from[row]!;
  const specials = <List extends Float64Array | Int16Array | Uint8Array>(all: List, own: List): List => {
    for (const [at, row] of rows.entries()) own.set(all.subarray(from[row]!, from[row + 1]!), specialsFrom[at]!);
    return own;
  };
  const of = <List extends Float64Array | Uint16Array | Uint8Array>(all: List, own: List): List => {
    for (const [at, row] of rows.entries()) own[at] = all[row]!;
    return own;
  };
  const count = specialsFrom[rows.length]!;
  const dollars = (all: Float64Array): Float64Array => of(all, sharedFloats(rows.length));
  return {
    count: rows.length,
    bytes: dollars(datasets.bytes),
    objects: dollars(datasets.objects),
    readBytes: dollars(datasets.readBytes),
    requests: dollars(datasets.requests),
    atStake: dollars(datasets.atStake),
    copies: of(datasets.copies, sharedBytes(rows.length)),
    hasPrimary: of(datasets.hasPrimary, sharedBytes(rows.length)),
    rule: of(datasets.rule, sharedWords(rows.length)),
    arrive: dollars(datasets.arrive),
    missing: dollars(datasets.missing),
    specialsFrom,
    specialColumn: specials(datasets.specialColumn, sharedShorts(count)),
    copyCredit: specials(datasets.copyCredit, sharedFloats(count)),
    primaryCredit: specials(datasets.primaryCredit, sharedFloats(count)),
    stays: specials(datasets.stays, sharedBytes(count)),
  };
}
