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

/** The rows of an assignment, gathered one by one. */
export class AssignmentRows {
  readonly #rows: RowInColumns[] = [];

  add(row: RowInColumns): void {
    this.#rows.push(row);
  }

  whole(): AssignedDatasets {
    const rows = this.#rows;
    const specials = rows.flatMap((row) => row.specials);
    const numbers = (of: (row: RowInColumns) => number): Float64Array => Float64Array.from(rows, of);
    const specialsFrom = new Int32Array(rows.length + 1);
    for (const [at, row] of rows.entries()) specialsFrom[at + 1] = specialsFrom[at]! + row.specials.length;
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
      specialsFrom,
      specialColumn: Int16Array.from(specials, (special) => special.column),
      copyCredit: Float64Array.from(specials, (special) => special.copyCredit),
      primaryCredit: Float64Array.from(specials, (special) => special.primaryCredit),
      stays: Uint8Array.from(specials, (special) => Number(special.stays)),
    };
  }
}

/** Some rows of an assignment as one of their own. */
export function rowsOfAssignment(datasets: AssignedDatasets, rows: readonly number[]): AssignedDatasets {
  const specialsFrom = new Int32Array(rows.length + 1);
  const specials: number[] = [];
  for (const [at, row] of rows.entries()) {
    for (let one = datasets.specialsFrom[row]!; one < datasets.specialsFrom[row + 1]!; one++) specials.push(one);
    specialsFrom[at + 1] = specials.length;
  }
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
    specialColumn: Int16Array.from(specials, (one) => datasets.specialColumn[one]!),
    copyCredit: Float64Array.from(specials, (one) => datasets.copyCredit[one]!),
    primaryCredit: Float64Array.from(specials, (one) => datasets.primaryCredit[one]!),
    stays: Uint8Array.from(specials, (one) => datasets.stays[one]!),
  };
}
