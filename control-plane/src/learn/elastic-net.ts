/** A logistic regression whose coefficients can be read. */
export interface LogisticModel {
  readonly intercept: number;
  /** Of the standardised features: a step of one standard deviation adds this to the log-odds. */
  readonly coefficients: Float64Array;
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

export interface ElasticNetSettings {
  /** Inverse strength of the penalty: the smaller, the smaller the coefficients. */
  readonly c: number;
  /** 1: absolute values alone (sparse), 0: squares alone. */
  readonly l1Ratio: number;
  readonly rounds: number;
}

/**
 * Logistic regression with an elastic net, by proximal gradient steps with momentum (FISTA, Beck and Teboulle 2009) on standardised features.
 * A missing value stands at the mean. Counters are skewed, so give them through `log1p`.
 *
 * @param values row after row; NaN is missing
 */
export function fitElasticNet(values: Float32Array, label: Uint8Array, weight: Float32Array, settings: ElasticNetSettings): LogisticModel {
  const count = label.length;
  const width = count === 0 ? 0 : values.length / count;
  const { mean, deviation } = momentsOf(values, width, weight);
  const rows = standardised(values, width, mean, deviation);
  const total = weight.reduce((sum, one) => sum + one, 0) || 1;
  const strength = 1 / (settings.c * Math.max(1, count));
  // Standardised features have squares of `width` in sum at most on average, and the logistic curve bends by a quarter at most.
  const step = 4 / (width + 1);
  let coefficients = new Float64Array(width + 1);
  let ahead = coefficients.slice();
  let momentum = 1;
  for (let round = 0; round < settings.rounds; round++) {
    const slope = slopeOf(rows, width, label, weight, ahead, total);
    const next = ahead.map((value, i) => (i === width ? value - step * slope[i]! : shrunk(value - step * slope[i]!, step * strength, settings.l1Ratio)));
    const nextMomentum = (1 + Math.sqrt(1 + 4 * momentum ** 2)) / 2;
    ahead = next.map((value, i) => value + ((momentum - 1) / nextMomentum) * (value - coefficients[i]!));
    coefficients = next;
    momentum = nextMomentum;
  }
  return { intercept: coefficients[width] ?? 0, coefficients: coefficients.slice(0, width), mean, deviation };
}

/** Log-odds of every row. */
export function logisticLogOdds(model: LogisticModel, values: Float32Array): Float64Array {
  const width = model.coefficients.length;
  const rows = standardised(values, width, model.mean, model.deviation);
  return Float64Array.from({ length: width === 0 ? 0 : values.length / width }, (_, row) => {
    let sum = model.intercept;
    for (let i = 0; i < width; i++) sum += model.coefficients[i]! * rows[row * width + i]!;
    return sum;
  });
}

function slopeOf(rows: Float32Array, width: number, label: Uint8Array, weight: Float32Array, at: Float64Array, total: number): Float64Array {
  const slope = new Float64Array(width + 1);
  for (let row = 0; row < label.length; row++) {
    let logOdds = at[width]!;
    for (let i = 0; i < width; i++) logOdds += at[i]! * rows[row * width + i]!;
    const error = ((1 / (1 + Math.exp(-logOdds)) - label[row]!) * weight[row]!) / total;
    for (let i = 0; i < width; i++) slope[i]! += error * rows[row * width + i]!;
    slope[width]! += error;
  }
  return slope;
}

function shrunk(value: number, by: number, l1Ratio: number): number {
  const soft = Math.sign(value) * Math.max(0, Math.abs(value) - by * l1Ratio);
  return soft / (1 + by * (1 - l1Ratio));
}

function momentsOf(values: Float32Array, width: number, weight: Float32Array): { mean: Float64Array; deviation: Float64Array } {
  const [mean, deviation] = [new Float64Array(width), new Float64Array(width)];
  for (let i = 0; i < width; i++) {
    let [sum, squares, seen] = [0, 0, 0];
    for (let row = 0; row < weight.length; row++) {
      const value = values[row * width + i]!;
      if (Number.isNaN(value)) continue;
      sum += value * weight[row]!;
      squares += value ** 2 * weight[row]!;
      seen += weight[row]!;
    }
    mean[i] = seen === 0 ? 0 : sum / seen;
    deviation[i] = seen === 0 ? 1 : Math.sqrt(Math.max(0, squares / seen - mean[i]! ** 2)) || 1;
  }
  return { mean, deviation };
}

function standardised(values: Float32Array, width: number, mean: Float64Array, deviation: Float64Array): Float32Array {
  return values.map((value, place) => {
    const i = place % width;
    return Number.isNaN(value) ? 0 : Math.max(-8, Math.min(8, (value - mean[i]!) / deviation[i]!));
  });
}
