/** Levels of a model, from which probability on a drive is called so. */
export interface Thresholds {
  readonly watch: number;
  readonly 'at-risk': number;
  readonly failing: number;
}

/** Probabilities of failing lie between a hundredth of a percent and all, so that only powers of ten show both ends. */
export class ProbabilityAxis {
  readonly ticks: readonly { readonly y: number; readonly text: string }[];
  readonly #low: number;
  readonly #top: number;
  readonly #height: number;

  /** @param values what has to be on it; 0 and what is no number are drawn at the low end */
  constructor(values: readonly (number | null)[], { top, height }: { top: number; height: number }) {
    const least = values.reduce<number>((low, value) => (value !== null && value > 0 ? Math.min(low, value) : low), 0.01);
    this.#low = Math.max(1e-5, 10 ** Math.floor(Math.log10(least)));
    this.#top = top;
    this.#height = height;
    const decades = Math.round(-Math.log10(this.#low));
    this.ticks = Array.from({ length: decades + 1 }, (_, power) => 10 ** (power - decades)).map((value) => ({
      y: this.y(value),
      text: `${Number((value * 100).toPrecision(1))} %`,
    }));
  }

  y(probability: number): number {
    const share = Math.log10(Math.min(1, Math.max(this.#low, probability)) / this.#low) / -Math.log10(this.#low);
    return this.#top + this.#height * (1 - share);
  }
}
