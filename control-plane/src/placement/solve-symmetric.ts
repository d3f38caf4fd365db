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
