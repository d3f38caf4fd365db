import type { AssignedDatasets } from './assignment.ts';
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

const rowFields = ['bytes', 'objects', 'readBytes', 'requests', 'atStake', 'copies', 'hasPrimary', 'rule', 'arrive', 'missing'] as const;
type Rows = Pick<AssignedDatasets, (typeof rowFields)[number]>;

/** The rows of an assignment, gathered one by one. What is special to them is kept as numbers, not as objects: a large fleet has dozens a row. */
export class AssignmentRows {
  #count = 0;
  readonly #rows: Rows;
  readonly #nearFrom: Int32Array;
  #nears = 0;
  #nearHomes = new Int16Array(1 << 12);
  #nearCredits = new Float64Array(1 << 12);
  readonly #specialsFrom: Int32Array;
  #specials = 0;
  #columns = new Int16Array(1 << 12);
  #copyCredits = new Float64Array(1 << 12);
  #primaryCredits = new Float64Array(1 << 12);
  #stays = new Uint8Array(1 << 12);

  /** @param most rows at the most */
  constructor(most: number) {
    const numbers = (): Float64Array => new Float64Array(most);
    this.#rows = {
      bytes: numbers(),
      objects: numbers(),
      readBytes: numbers(),
      requests: numbers(),
      atStake: numbers(),
      copies: new Uint8Array(most),
      hasPrimary: new Uint8Array(most),
      rule: new Uint16Array(most),
      arrive: numbers(),
      missing: numbers(),
    };
    this.#nearFrom = new Int32Array(most + 1);
    this.#specialsFrom = new Int32Array(most + 1);
  }

  /** @param allows 1 at [column] of those that the row's rule allows: to others it does not go, so nothing is special about them */
  add(row: RowOfCopies, specials: RowSpecials, allows: Uint8Array): void {
    const rows = this.#rows;
    const at = this.#count++;
    rows.bytes[at] = row.bytes;
    rows.objects[at] = row.objects;
    rows.readBytes[at] = row.readBytes;
    rows.requests[at] = row.requests;
    rows.atStake[at] = row.atStake;
    rows.copies[at] = row.copies;
    rows.hasPrimary[at] = Number(row.hasPrimary);
    rows.rule[at] = row.rule;
    rows.arrive[at] = row.arrive;
    rows.missing[at] = row.missing;
    this.#addNear(specials);
    this.#addSpecials(specials, allows);
  }

  #addNear({ nearHomes, nearCredit }: RowSpecials): void {
    const all = this.#nears + nearHomes.length;
    if (all > this.#nearHomes.length) {
      this.#nearHomes = longer(this.#nearHomes, new Int16Array(2 * all));
      this.#nearCredits = longer(this.#nearCredits, new Float64Array(2 * all));
    }
    for (const home of nearHomes) {
      this.#nearHomes[this.#nears] = home;
      this.#nearCredits[this.#nears++] = nearCredit[home]!;
    }
    this.#nearFrom[this.#count] = this.#nears;
  }

  #addSpecials(specials: RowSpecials, allows: Uint8Array): void {
    if (this.#specials + specials.count > this.#columns.length) this.#grow(specials.count);
    for (let one = 0; one < specials.count; one++) {
      const column = specials.columns[one]!;
      if (allows[column] === 0) continue;
      const to = this.#specials++;
      this.#columns[to] = column;
      this.#copyCredits[to] = specials.copyCredit[column]!;
      this.#primaryCredits[to] = specials.primaryCredit[column]!;
      this.#stays[to] = Number(specials.isHeld(column));
    }
    this.#specialsFrom[this.#count] = this.#specials;
  }

  whole(): AssignedDatasets {
    const count = this.#count;
    const rows = Object.fromEntries(rowFields.map((field) => [field, this.#rows[field].slice(0, count)])) as unknown as Rows;
    return {
      count,
      ...rows,
      nearFrom: this.#nearFrom.slice(0, count + 1),
      nearHome: this.#nearHomes.slice(0, this.#nears),
      nearCredit: this.#nearCredits.slice(0, this.#nears),
      specialsFrom: this.#specialsFrom.slice(0, count + 1),
      specialColumn: this.#columns.slice(0, this.#specials),
      copyCredit: this.#copyCredits.slice(0, this.#specials),
      primaryCredit: this.#primaryCredits.slice(0, this.#specials),
      stays: this.#stays.slice(0, this.#specials),
    };
  }

  #grow(by: number): void {
    const length = 2 * this.#columns.length + by;
    this.#columns = longer(this.#columns, new Int16Array(length));
    this.#copyCredits = longer(this.#copyCredits, new Float64Array(length));
    this.#primaryCredits = longer(this.#primaryCredits, new Float64Array(length));
    this.#stays = longer(this.#stays, new Uint8Array(length));
  }
}

function longer<List extends Float64Array | Int16Array | Uint8Array>(list: List, next: List): List {
  next.set(list);
  return next;
}

/** Some rows of an assignment as one of their own, in memory that threads can share. */
export function rowsOfAssignment(datasets: AssignedDatasets, rows: readonly number[]): AssignedDatasets {
  const nears = partsOf(datasets.nearFrom, rows);
  const specials = partsOf(datasets.specialsFrom, rows);
  const of = <List extends Float64Array | Uint16Array | Uint8Array>(all: List, own: List): List => {
    for (const [at, row] of rows.entries()) own[at] = all[row]!;
    return own;
  };
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
    nearFrom: nears.from,
    nearHome: nears.of(datasets.nearHome, sharedShorts(nears.count)),
    nearCredit: nears.of(datasets.nearCredit, sharedFloats(nears.count)),
    specialsFrom: specials.from,
    specialColumn: specials.of(datasets.specialColumn, sharedShorts(specials.count)),
    copyCredit: specials.of(datasets.copyCredit, sharedFloats(specials.count)),
    primaryCredit: specials.of(datasets.primaryCredit, sharedFloats(specials.count)),
    stays: specials.of(datasets.stays, sharedBytes(specials.count)),
  };
}

/** Of lists in which each row has a part: the parts of some rows, one after another. */
function partsOf(from: Int32Array, rows: readonly number[]) {
  const starts = sharedInts(rows.length + 1);
  for (const [at, row] of rows.entries()) starts[at + 1] = starts[at]! + from[row + 1]! - from[row]!;
  const of = <List extends Float64Array | Int16Array | Uint8Array>(all: List, own: List): List => {
    for (const [at, row] of rows.entries()) for (let one = from[row]!, to = starts[at]!; one < from[row + 1]!; one++, to++) own[to] = all[one]!;
    return own;
  };
  return { from: starts, count: starts[rows.length]!, of };
}
