/** How a column is not to a row as it is to others; of two the higher one counts. */
const [asOthers, credited, forbidden, held] = [0, 1, 2, 3] as const;

/**
 * What is special to one row while it is made: at most one entry a column, and one a home that is near, see `AssignedDatasets`. One row is gathered after the
 * other; what is near comes first.
 */
export class RowSpecials {
  count = 0;
  /** The first `count` of them, in the order they came. */
  readonly columns: Int16Array;
  /** By column, dollars a month. */
  readonly copyCredit: Float64Array;
  readonly primaryCredit: Float64Array;
  /** The homes that are near. */
  readonly nearHomes: number[] = [];
  /** By home, dollars a month; 0 where none is near. */
  readonly nearCredit: Float64Array;
  readonly #kind: Uint8Array;
  readonly #home: Int16Array;

  /** @param home of each column */
  constructor(home: Int16Array) {
    this.#home = home;
    this.columns = new Int16Array(home.length);
    this.copyCredit = new Float64Array(home.length);
    this.primaryCredit = new Float64Array(home.length);
    this.nearCredit = new Float64Array(1 + home.reduce((most, one) => Math.max(most, one), 0));
    this.#kind = new Uint8Array(home.length);
  }

  /** Begin with another row. */
  clear(): void {
    for (let at = 0; at < this.count; at++) this.#kind[this.columns[at]!] = asOthers;
    this.count = 0;
    for (const home of this.nearHomes) this.nearCredit[home] = 0;
    this.nearHomes.length = 0;
  }

  /** A copy there costs so much less; of two ways to bring it the one that saves more. No column may be at that home. */
  near(home: number, credit: number): void {
    if (home >= this.nearCredit.length) return;
    if (this.nearCredit[home] === 0) this.nearHomes.push(home);
    this.nearCredit[home] = Math.max(this.nearCredit[home]!, credit);
  }

  /** It costs so much less besides. */
  credit(column: number, credit: number): void {
    const before = this.#kind[column] === credited ? this.copyCredit[column]! : this.nearCredit[this.#home[column]!]!;
    if (this.#kind[column]! <= credited) this.#note(column, credited, before + credit, before + credit);
  }

  /** Nothing may come there. */
  forbid(column: number): void {
    if (this.#kind[column]! < forbidden) this.#note(column, forbidden, -Infinity, -Infinity);
  }

  /** A copy is there already. */
  hold(column: number, copyCredit: number, primaryCredit: number): void {
    if (this.#kind[column]! < held) this.#note(column, held, copyCredit, primaryCredit);
  }

  isHeld(column: number): boolean {
    return this.#kind[column] === held;
  }

  #note(column: number, kind: number, copyCredit: number, primaryCredit: number): void {
    if (this.#kind[column] === asOthers) this.columns[this.count++] = column;
    this.#kind[column] = kind;
    this.copyCredit[column] = copyCredit;
    this.primaryCredit[column] = primaryCredit;
  }
}
