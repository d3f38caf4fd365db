import type { TargetId } from '@data-in-motion/shared/domain/ids';
import type { AssignedDatasets } from './assignment.ts';

/** A target that is not to a dataset as it is to others, see `AssignedDatasets`. */
export interface SpecialPlace {
  readonly targetId: TargetId;
  readonly copyCredit: number;
  readonly primaryCredit: number;
  readonly stays: boolean;
}

/** One row of an assignment while it is made, dollars a month. */
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
  readonly specials: SpecialPlace[];
}

/** The same with columns for targets: at most one special each. */
export interface RowInColumns extends Omit<RowOfCopies, 'specials'> {
  readonly specials: readonly (Omit<SpecialPlace, 'targetId'> & { readonly column: number })[];
}

/** The rows of an assignment, gathered one by one. Of specials a large fleet has dozens a row: they are kept as numbers, not as objects. */
export class AssignmentRows {
  readonly #rows: Omit<RowInColumns, 'specials'>[] = [];
  readonly #specialsFrom: number[] = [0];
  readonly #columns: number[] = [];
  readonly #copyCredits: number[] = [];
  readonly #primaryCredits: number[] = [];
  readonly #stays: number[] = [];

  add({ specials, ...row }: RowInColumns): void {
    this.#rows.push(row);
    for (const { column, copyCredit, primaryCredit, stays } of specials) {
      this.#columns.push(column);
      this.#copyCredits.push(copyCredit);
      this.#primaryCredits.push(primaryCredit);
      this.#stays.push(Number(stays));
    }
    this.#specialsFrom.push(this.#columns.length);
  }

  whole(): AssignedDatasets {
    const rows = this.#rows;
    const numbers = (of: (row: (typeof rows)[number]) => number): Float64Array => Float64Array.from(rows, of);
    return {
      count: rows.length,
      bytes: numbers((row) => row.bytes),
      objects: numbers((row) => row.objects),
      readBytes: numbers((row) => row.readBytes),
      requests: numbers((row) => row.requests),
      atStake: numbers((row) => row.atStake),
      copies: Uint8Array.from(rows, (row) => row.copies),
      hasPrimary: Uint8Array.from(rows, (row) => Number(row.hasPrimary)),
      rule: Uint16Array.from(rows, (row) => row.rule),
      arrive: numbers((row) => row.arrive),
      missing: numbers((row) => row.missing),
      specialsFrom: new Int32Array(this.#specialsFrom),
      specialColumn: new Int16Array(this.#columns),
      copyCredit: new Float64Array(this.#copyCredits),
      primaryCredit: new Float64Array(this.#primaryCredits),
      stays: new Uint8Array(this.#stays),
    };
  }
}

/** Some rows of an assignment as one of their own. */
export function rowsOfAssignment(datasets: AssignedDatasets, rows: readonly number[]): AssignedDatasets {
  const { specialsFrom: from } = datasets;
  const specialsFrom = new Int32Array(rows.length + 1);
  for (const [at, row] of rows.entries()) specialsFrom[at + 1] = specialsFrom[at]! + from[row + 1]! - from[row]!;
  const specials = <List extends Float64Array | Int16Array | Uint8Array>(all: List, own: List): List => {
    for (const [at, row] of rows.entries()) own.set(all.subarray(from[row]!, from[row + 1]!), specialsFrom[at]!);
    return own;
  };
  const count = specialsFrom[rows.length]!;
  const of = (list: Float64Array): Float64Array => Float64Array.from(rows, (row) => list[row]!);
  return {
    count: rows.length,
    bytes: of(datasets.bytes),
    objects: of(datasets.objects),
    readBytes: of(datasets.readBytes),
    requests: of(datasets.requests),
    atStake: of(datasets.atStake),
    copies: Uint8Array.from(rows, (row) => datasets.copies[row]!),
    hasPrimary: Uint8Array.from(rows, (row) => datasets.hasPrimary[row]!),
    rule: Uint16Array.from(rows, (row) => datasets.rule[row]!),
    arrive: of(datasets.arrive),
    missing: of(datasets.missing),
    specialsFrom,
    specialColumn: specials(datasets.specialColumn, new Int16Array(count)),
    copyCredit: specials(datasets.copyCredit, new Float64Array(count)),
    primaryCredit: specials(datasets.primaryCredit, new Float64Array(count)),
    stays: specials(datasets.stays, new Uint8Array(count)),
  };
}
