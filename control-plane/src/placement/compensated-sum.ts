/** A sum of many numbers that loses no more than one rounding (Kahan 1965): a million small amounts would lose as much as the gap that is certified. */
export class CompensatedSum {
  total = 0;
  #lost = 0;

  add(amount: number): void {
    const next = amount - this.#lost;
    const total = this.total + next;
    this.#lost = total - this.total - next;
    this.total = total;
  }
}
