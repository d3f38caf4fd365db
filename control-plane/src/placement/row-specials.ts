/** How a column is not to a row as it is to others; of two the higher one counts. */
const [asOthers, credited, forbidden, held] = [0, 1, 2, 3] as const;

/** What is special to one row while it is made: at most one entry a column, see `AssignedDatasets`. One row is gathered after the other. */
export class RowSpecials {
  count = 0;
  /** The first `count` of them, in the order they came. */
  readonly columns: Int16Array;
  /** By column, dollars a month. */
  readonly copyCredit: Float64Array;
  readonly primaryCredit: Float64Array;
  readonly #kind: Uint8Array;

  constructor(targets: number) {
    this.columns = new Int16Array(targets);
    this.copyCredit = new Float64Array(targets);
    this.primaryCredit = new Float64Array(targets);
    this.#kind = new Uint8Array(targets);
  }

  /** Begin with another row. */
  clear(): void {
    for (let at = 0; at < this.count; at++) this.#kind[this.columns[at]!] = asOthers;
    this.count = 0;
  }

  /** A copy there costs so much less; of two ways to bring it the one that saves more. */
  near(column: number, credit: number): void {
    if (this.#kind[column] === asOthers) this.#note(column, credited, credit, credit);
    else if (this.#kind[column] === credited && this.copyCredit[column]! < credit) this.#note(column, credited, credit, credit);
  }

  /** It costs so much less besides. */
  credit(column: number, credit: number): void {
    const before = this.#kind[column] === credited ? this.copyCredit[column]! : 0;
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
