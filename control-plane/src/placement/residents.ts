import { lowerBound } from '@data-in-motion/shared/lower-bound';
import { resources } from './assignment.ts';
import { amountOf } from './prepare-assignment.ts';
import type { Placing } from './repair-places.ts';

/** Copies in the order of what each takes up of a resource in a column. */
interface InOrder {
  readonly amounts: number[];
  readonly copies: number[];
  readonly known: Set<number>;
}

/** Which copies are in each column while they are moved about: a copy is row · width + slot. */
export class Residents {
  readonly #placing: Placing;
  /** By column: those that were there at first, or came before anybody asked. */
  readonly #at: number[][];
  /** By resource · targets + column: those that are or were there. */
  readonly #lists = new Map<number, InOrder>();

  constructor(placing: Placing) {
    this.#placing = placing;
    this.#at = Array.from({ length: placing.prepared.problem.targets.count }, () => []);
    for (let copy = 0; copy < placing.places.length; copy++) if (placing.places[copy]! >= 0) this.#at[placing.places[copy]!]!.push(copy);
  }

  /** A copy was put into a column. Who leaves one need not be told of. */
  came(copy: number, column: number): void {
    this.#at[column]!.push(copy);
    for (let resource = 0; resource < resources.length; resource++) {
      const list = this.#lists.get(resource * this.#at.length + column);
      if (list !== undefined) this.#insert(list, copy, column, resource);
    }
  }

  /** Copies of a column that take up something of a resource: the smallest that is enough first, then the largest that is not. */
  *nearest(column: number, resource: number, enough: number): Generator<number> {
    const { amounts, copies } = this.#inOrder(column, resource);
    const { places } = this.#placing;
    const from = lowerBound(amounts, enough);
    for (let at = from; at < copies.length; at++) if (places[copies[at]!] === column) yield copies[at]!;
    for (let at = from - 1; at >= 0; at--) if (places[copies[at]!] === column) yield copies[at]!;
  }

  #inOrder(column: number, resource: number): InOrder {
    const key = resource * this.#at.length + column;
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const copies = [...new Set(this.#at[column])].filter((copy) => this.#amount(copy, column, resource) > 0);
    const order = copies
      .map((copy) => ({ copy, amount: this.#amount(copy, column, resource) }))
      .sort((one, other) => one.amount - other.amount || one.copy - other.copy);
    const list = { amounts: order.map(({ amount }) => amount), copies: order.map(({ copy }) => copy), known: new Set(copies) };
    this.#lists.set(key, list);
    return list;
  }

  #insert({ amounts, copies, known }: InOrder, copy: number, column: number, resource: number): void {
    const amount = this.#amount(copy, column, resource);
    if (amount <= 0 || known.has(copy)) return;
    const at = lowerBound(amounts, amount);
    amounts.splice(at, 0, amount);
    copies.splice(at, 0, copy);
    known.add(copy);
  }

  #amount(copy: number, column: number, resource: number): number {
    const { problem, width } = this.#placing.prepared;
    return amountOf(problem, Math.floor(copy / width), copy % width, column, resource);
  }
}
