import type { Random } from '@data-in-motion/shared/random';
import { ascendPrices } from './ascend-prices.ts';
import { closeChoices, priceChoices } from './close-choices.ts';
import type { PreparedAssignment } from './prepare-assignment.ts';

/** Prices are found on so many datasets first, on more of them where there are very many: the better these prices, the fewer choices are close afterwards. */
export const sampleRows = 4_096;
const largestSample = 32_768;
const sampleShare = 1 / 16;
const sampleSteps = 300;
/** Shares of the usual costs. */
const sampleFirstStep = 0.4;
const sampleLastStep = 5e-5;
/** How far above their limits the targets that have a price may still be asked for, together, when the first prices are taken as found; more says that the steps were too short. */
const tolerableExcess = 0.2;
const longerSteps = 5;

/** Prices from a sample of the datasets; where bytes are dear, as where the fleet is too small, with longer steps again. */
export function firstPrices(prepared: PreparedAssignment, random: Random, whims: number, isOver: () => boolean): Float64Array {
  const { limits, usual, problem } = prepared;
  let prices: Float64Array = new Float64Array(limits.length);
  const { rows, weights } = sample(prepared, random);
  const choices = closeChoices(prepared, prices, rows, weights, Infinity, whims);
  const asked = new Float64Array(limits.length);
  for (let scale = 1; ; scale *= longerSteps) {
    prices = ascendPrices({
      choices,
      settledDollars: 0,
      settled: new Float64Array(limits.length),
      limits,
      prices,
      usual,
      radius: Infinity,
      steps: sampleSteps,
      firstStep: sampleFirstStep * scale,
      lastStep: sampleLastStep,
      isOver,
    }).best;
    if (isOver() || usual[0]! <= 0 || scale * usual[0]! > missingPerByte(prepared)) return prices;
    priceChoices(choices, prices, asked);
    // With few datasets a single large one is that far above, whatever the price.
    if (!isFar(prepared, prices, asked) || problem.datasets.count < sampleRows / 64) return prices;
  }
}

function isFar({ limits, problem }: PreparedAssignment, prices: Float64Array, asked: Float64Array): boolean {
  const { count } = problem.targets;
  for (let from = 0; from < limits.length; from += count) {
    let wanted = 0;
    let there = 0;
    for (let at = from; at < from + count; at++) {
      if (prices[at] === 0) continue;
      wanted += asked[at]!;
      there += limits[at]!;
    }
    if (wanted > (1 + tolerableExcess) * there) return true;
  }
  return false;
}

function missingPerByte({ problem }: PreparedAssignment): number {
  const { missing, bytes, copies } = problem.datasets;
  const wanted = bytes.reduce((sum, one, row) => sum + one * copies[row]!, 0);
  return missing.reduce((sum, one, row) => sum + one * copies[row]!, 0) / Math.max(1, wanted);
}

/**
 * Datasets that stand for all, drawn by their bytes and evenly over the rules: each stands for as many bytes, so that the load of a target is guessed from
 * a few thousand as well as from four times as many drawn without regard to size (log-normal sizes). Few datasets stand for themselves.
 */
function sample({ problem }: PreparedAssignment, random: Random): { rows: Int32Array; weights: Float64Array | null } {
  const { bytes, copies, rule, count } = problem.datasets;
  const size = sampleSize(count);
  if (count <= size) return { rows: Int32Array.from({ length: count }, (_, row) => row), weights: null };
  let wanted = 0;
  for (let row = 0; row < count; row++) wanted += bytes[row]! * copies[row]!;
  const stretch = wanted / size;
  const rows: number[] = [];
  const weights: number[] = [];
  let ahead = stretch * random.next();
  for (const row of byRule(rule, problem.rules.length)) {
    const own = bytes[row]! * copies[row]!;
    let drawn = 0;
    for (; ahead < own; ahead += stretch) drawn++;
    ahead -= own;
    if (drawn === 0) continue;
    rows.push(row);
    weights.push((drawn * stretch) / own);
  }
  return { rows: Int32Array.from(rows), weights: Float64Array.from(weights) };
}

export function sampleSize(count: number): number {
  return Math.max(sampleRows, Math.min(largestSample, Math.floor(count * sampleShare)));
}

function byRule(rule: Uint16Array, rules: number): Int32Array {
  const next = new Int32Array(rules + 1);
  for (const one of rule) next[one + 1]!++;
  for (let one = 0; one < rules; one++) next[one + 1]! += next[one]!;
  const rows = new Int32Array(rule.length);
  for (let row = 0; row < rule.length; row++) rows[next[rule[row]!]!++] = row;
  return rows;
}
