import { resources } from './assignment.ts';
import type { PreparedAssignment } from './prepare-assignment.ts';

/**
 * Where many targets are alike, second choices are so close that only a narrow part of the window tells how many there are at its edge; where few are, only
 * the whole of it holds enough of them. The first is a share of the window, the second a weight.
 */
const narrow = 0.1;
const wide = 0.5;

/**
 * How demand for each resource of each target bends with prices: the second derivative of what datasets pay at their best, which is piecewise linear, seen
 * through a window. Each dataset whose second choice is within the window of its first adds the outer product of what the change would move, divided by the
 * window (semi-discrete transport has the same matrix of facets; Kitagawa, Mérigot and Thibert 2019). Prices are shares of the usual costs, demand is dollars.
 */
export class Curvature {
  readonly size: number;
  readonly matrix: Float64Array;
  readonly #usual: Float64Array;
  readonly #targets: number;
  readonly #at: Int32Array;
  readonly #amount: Float64Array;
  #count = 0;

  constructor({ problem, usual, width }: PreparedAssignment) {
    this.#targets = problem.targets.count;
    this.#usual = usual;
    this.size = resources.length * this.#targets;
    this.matrix = new Float64Array(this.size * this.size);
    this.#at = new Int32Array(2 * resources.length + 2 * width);
    this.#amount = new Float64Array(this.#at.length);
  }

  clear(): void {
    this.matrix.fill(0);
  }

  begin(): void {
    this.#count = 0;
  }

  add(column: number, bytes: number, readBytes: number, requests: number): void {
    if (bytes !== 0) this.#push(column, bytes * this.#usual[0]!);
    if (readBytes !== 0) this.#push(this.#targets + column, readBytes * this.#usual[1]!);
    if (requests !== 0) this.#push(2 * this.#targets + column, requests * this.#usual[2]!);
  }

  /** @param gap what the change costs, as a share of the window */
  end(gap: number, window: number): void {
    const density = ((gap < narrow ? 1 / narrow : 0) + wide) / (2 * window);
    for (let one = 0; one < this.#count; one++) {
      const from = this.#at[one]! * this.size;
      const amount = this.#amount[one]! * density;
      for (let other = 0; other < this.#count; other++) this.matrix[from + this.#at[other]!]! += amount * this.#amount[other]!;
    }
  }

  #push(at: number, amount: number): void {
    this.#at[this.#count] = at;
    this.#amount[this.#count++] = amount;
  }
}

/**
 * The solution of a symmetric system that is positive definite, for the unknowns that are free; the others stay 0 (Cholesky).
 *
 * @param ridge added to the diagonal
 */
export function solveSymmetric(matrix: Float64Array, size: number, free: Int32Array, ridge: Float64Array, right: Float64Array): Float64Array {
  const n = free.length;
  const lower = new Float64Array(n * n);
  const solution = new Float64Array(size);
  const y = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[free[i]! * size + free[j]!]! + (i === j ? ridge[free[i]!]! : 0);
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!;
      lower[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-3 * ridge[free[i]!]!)) : sum / lower[j * n + j]!;
    }
    let sum = right[free[i]!]!;
    for (let k = 0; k < i; k++) sum -= lower[i * n + k]! * y[k]!;
    y[i] = sum / lower[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = y[i]!;
    for (let k = i + 1; k < n; k++) sum -= lower[k * n + i]! * solution[free[k]!]!;
    solution[free[i]!] = sum / lower[i * n + i]!;
  }
  return solution;
}
