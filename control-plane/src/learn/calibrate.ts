import type { Calibration } from '@data-in-motion/shared/domain/failure-model';

/** More corners than this say more than the data does. */
const mostCorners = 24;
/** Failures that a step of the curve rests on, at least. */
const failuresPerStep = 8;

/**
 * The rising curve from log-odds to probability that fits held-out decisions best (isotonic regression by pooling adjacent violators,
 * Ayer et al. 1955), reduced to a few corners. Steps hold some failures each, so that a lucky handful at the top is not taken for certainty.
 *
 * @returns a curve that is level at the base rate when there are no failures to learn from
 */
export function calibrate(logOdds: ArrayLike<number>, failed: ArrayLike<number>, weight: ArrayLike<number>, horizonDays: number): Calibration {
  const order = Array.from({ length: logOdds.length }, (_, i) => i).sort((a, b) => logOdds[a]! - logOdds[b]!);
  const steps: Step[] = [];
  for (const row of order) {
    const last = steps.at(-1);
    const isOpen = last !== undefined && (last.failures < failuresPerStep || last.highest === logOdds[row]!);
    const step = isOpen ? last : emptyStep();
    if (!isOpen) steps.push(step);
    step.weight += weight[row]!;
    step.failed += failed[row]! * weight[row]!;
    step.failures += failed[row]!;
    step.sum += logOdds[row]! * weight[row]!;
    step.highest = logOdds[row]!;
  }
  const pooled = pool(steps);
  const total = pooled.reduce((sum, step) => sum + step.weight, 0);
  if (total === 0) return { horizonDays, logOdds: [0], probability: [0] };
  const corners = pooled.length <= mostCorners ? pooled : thinned(pooled);
  return {
    horizonDays,
    logOdds: corners.map((step) => round(step.sum / step.weight)),
    // One failure more and one decision more than were seen: nothing is impossible, nothing is certain.
    probability: corners.map((step) => round(Math.min(0.99, (step.failed + step.weight / total) / (step.weight + 1)))),
  };
}

interface Step {
  weight: number;
  failed: number;
  failures: number;
  sum: number;
  highest: number;
}

const emptyStep = (): Step => ({ weight: 0, failed: 0, failures: 0, sum: 0, highest: Number.NEGATIVE_INFINITY });

function pool(steps: readonly Step[]): Step[] {
  const pooled: Step[] = [];
  for (const step of steps) {
    pooled.push({ ...step });
    while (pooled.length > 1 && rate(pooled.at(-2)!) >= rate(pooled.at(-1)!)) join(pooled);
  }
  // The last step may hold hardly anything: it belongs to the one before.
  if (pooled.length > 1 && pooled.at(-1)!.failures < failuresPerStep) join(pooled);
  return pooled;
}

function join(steps: Step[]): void {
  const upper = steps.pop()!;
  const lower = steps.at(-1)!;
  lower.weight += upper.weight;
  lower.failed += upper.failed;
  lower.failures += upper.failures;
  lower.sum += upper.sum;
  lower.highest = upper.highest;
}

const rate = (step: Step): number => step.failed / step.weight;

/** Every so many, and always both ends. */
function thinned(steps: readonly Step[]): Step[] {
  const places = Array.from({ length: mostCorners }, (_, i) => Math.round((i * (steps.length - 1)) / (mostCorners - 1)));
  return [...new Set(places)].map((place) => steps[place]!);
}

function round(value: number): number {
  return Number(value.toPrecision(5));
}
