import type { Random } from '@data-in-motion/shared/random';
import { ascendPrices } from './ascend-prices.ts';
import type { Assignment, FullTarget, MissingBecause, MissingCopies, PricedPlacement } from './assignment.ts';
import { closeChoices, priceChoices } from './close-choices.ts';
import { improve } from './improve-places.ts';
import { type PassResult, type PreparedAssignment, prepare, pricePass } from './price-pass.ts';
import { costAt, makeFit, type Placing } from './repair-places.ts';

export interface PricedWork {
  /** Chooses the sample; the same gives the same placement, as long as the deadline does not strike. */
  readonly random: Random;
  readonly nowMs: () => number;
  /** When to stop with what there is; what has to be done for any answer is done also later. */
  readonly untilMs: number;
  /** Prices of an earlier answer to nearly the same problem; null to begin from nothing. */
  readonly from: Float64Array | null;
}

/** Prices are found on so many datasets first, on more of them where there are very many: the better these prices, the fewer choices are close afterwards. */
const sampleRows = 16_384;
const largestSample = 32_768;
const sampleShare = 1 / 16;
const sampleSteps = 250;
/** Shares of the usual cost of a byte. */
const sampleFirstStep = 0.4;
const sampleLastStep = 2e-4;
/** Then on all of them, but with a close look only at those whose choice could change within that share of the usual cost of a byte. */
const looks = [
  { radius: 0.008, steps: 25, firstStep: 2e-3, lastStep: 2e-4 },
  { radius: 0.0015, steps: 120, firstStep: 2e-4, lastStep: 2e-6 },
] as const;
/** Of the radius. */
const edge = 0.9;
/** Times that a look is taken again. */
const mostAgain = 3;
/** Which rows repair may use, as a share of the usual cost of a byte. */
const repairRadius = 0.01;
/** Of the sum of all amounts: more than their rounding can come to, so that the bound stays below the optimum to the last digit. */
const rounding = 1e-13;
const bytesPerTb = 1e12;

/**
 * Place every copy at close to the lowest cost, and prove how close: targets have prices for their room, under which every dataset finds its best places
 * for itself. The prices are raised until no target is asked for more than it holds (nearly), the few copies too many take a detour, and what the
 * datasets pay less what the room is worth is a bound that no placement can fall below (Lagrangian duality; Geoffrion 1974, Fisher 1981).
 *
 * Needs memory for a few numbers a dataset, none for each pair of dataset and target.
 */
export function placePriced(problem: Assignment, work: PricedWork): PricedPlacement {
  const prepared = prepare(problem);
  const { datasets, targets } = problem;
  const isOver = (): boolean => work.nowMs() >= work.untilMs;
  const unit = usualCostPerByte(problem);
  let prices: Float64Array = work.from === null ? new Float64Array(targets.count) : Float64Array.from(work.from, (price) => Math.max(0, price));
  if (work.from === null) prices = firstPrices(prepared, work.random, unit, prices, isOver);

  let fitting = prices;
  const pass: PassResult = { value: 0, magnitude: 0, loadBytes: new Float64Array(targets.count) };
  const places = new Int16Array(datasets.count * prepared.width).fill(-1);
  const slackPerByte = new Float32Array(datasets.count);
  // What a sample gets wrong shrinks with the root of its size.
  const finer = unit * Math.sqrt(sampleRows / sampleSize(datasets.count));
  const ahead = work.from === null ? [...looks] : looks.slice(1);
  for (let again = 0; ahead.length > 0 && !isOver(); ) {
    const look = ahead[0]!;
    const radius = look.radius * finer;
    pricePass(prepared, prices, pass, null, slackPerByte);
    const choices = closeChoices(prepared, prices, closeRows(slackPerByte, radius), null, radius);
    const closeBytes = new Float64Array(targets.count);
    const closeDollars = priceChoices(choices, prices, closeBytes);
    const settledBytes = pass.loadBytes.map((bytes, column) => bytes - closeBytes[column]!);
    const settledDollars = pass.value - closeDollars - settledBytes.reduce((sum, bytes, column) => sum + bytes * prices[column]!, 0);
    const found = ascendPrices({
      choices,
      settledDollars,
      settledBytes,
      capacityBytes: targets.capacityBytes,
      prices,
      radius,
      steps: look.steps,
      firstStep: look.firstStep * finer,
      lastStep: look.lastStep * finer,
      isOver,
    });
    // A price that went as far as it may wants to go on: the same look again, from there.
    const isAtEdge = found.best.some((price, column) => Math.abs(price - prices[column]!) >= edge * radius);
    prices = found.best;
    fitting = found.fitting;
    again = isAtEdge && again < mostAgain ? again + 1 : 0;
    if (again === 0) ahead.shift();
  }

  pricePass(prepared, prices, pass, null, null);
  let lowerBound = boundOf(problem, prices, pass);
  pricePass(prepared, fitting, pass, places, slackPerByte);
  const fittingBound = boundOf(problem, fitting, pass);
  if (fittingBound > lowerBound) [prices, lowerBound] = [fitting, fittingBound];
  const placing: Placing = { prepared, places, loadBytes: pass.loadBytes };
  const close = closeRows(slackPerByte, datasets.count <= sampleRows ? Infinity : repairRadius * unit);
  makeFit({ placing, prices: fitting, close, isOver });
  improve({ placing, prices: fitting, close, isOver });

  const objective = objectiveOf(placing);
  return {
    places,
    width: prepared.width,
    objective,
    lowerBound,
    gap: objective === 0 ? 0 : Math.max(0, objective - lowerBound) / Math.abs(objective),
    prices,
    full: fullTargets(prices),
    missing: missingCopies(placing),
    stopped: isOver() ? 'deadline' : 'done',
  };
}

/** What the datasets pay less what the room is worth, and less what rounding may have added. */
function boundOf({ targets }: Assignment, prices: Float64Array, pass: PassResult): number {
  const room = targets.capacityBytes.reduce((sum, bytes, column) => sum + bytes * prices[column]!, 0);
  return pass.value - room - rounding * (pass.magnitude + room);
}

/** What a byte costs at a target of the middle: prices are searched in steps of it. */
function usualCostPerByte({ datasets, targets }: Assignment): number {
  const sum = (list: Float64Array): number => list.reduce((total, one) => total + one, 0);
  const bytes = Math.max(1, sum(datasets.bytes));
  const each = sum(targets.holdPerByte) + sum(targets.arrivePerByte);
  const used = (sum(targets.readPerByte) * sum(datasets.readBytes) + sum(targets.perRequest) * sum(datasets.requests)) / bytes;
  return (each + used) / Math.max(1, targets.count);
}

/** How far above its capacity a target may still be asked for when the first prices are taken as found; more says that the steps were too short. */
const tolerableExcess = 0.2;
const longerSteps = 5;

/** Prices from a sample of the datasets; where bytes are dear, as where the fleet is too small, with longer steps again. */
function firstPrices(prepared: PreparedAssignment, random: Random, unit: number, from: Float64Array, isOver: () => boolean): Float64Array {
  const { datasets, targets, missingPerByte } = prepared.problem;
  const { capacityBytes } = targets;
  const { rows, weights } = sample(prepared, random);
  const choices = closeChoices(prepared, from, rows, weights, Infinity);
  const askedBytes = new Float64Array(targets.count);
  let prices = from;
  for (let scale = unit; ; scale *= longerSteps) {
    prices = ascendPrices({
      choices,
      settledDollars: 0,
      settledBytes: new Float64Array(targets.count),
      capacityBytes,
      prices,
      radius: Infinity,
      steps: sampleSteps,
      firstStep: sampleFirstStep * scale,
      lastStep: sampleLastStep * unit,
      isOver,
    }).best;
    if (isOver() || scale <= 0 || scale > missingPerByte) return prices;
    priceChoices(choices, prices, askedBytes);
    const isFar = askedBytes.some((bytes, column) => capacityBytes[column]! > 0 && bytes > (1 + tolerableExcess) * capacityBytes[column]!);
    // With few datasets a single large one is that far above, whatever the price.
    if (!isFar || datasets.count < sampleRows / 64) return prices;
  }
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

function sampleSize(count: number): number {
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

function closeRows(slackPerByte: Float32Array, radius: number): Int32Array {
  let count = 0;
  for (const slack of slackPerByte) if (slack <= radius) count++;
  const rows = new Int32Array(count);
  let at = 0;
  for (let row = 0; row < slackPerByte.length; row++) if (slackPerByte[row]! <= radius) rows[at++] = row;
  return rows;
}

/** Added up anew from the places, compensated: what moves changed on the way is not trusted. */
function objectiveOf({ prepared, places }: Placing): number {
  const { datasets } = prepared.problem;
  let sum = 0;
  let lost = 0;
  for (let row = 0; row < datasets.count; row++) {
    for (let slot = 0; slot < datasets.copies[row]!; slot++) {
      const next = costAt(prepared, row, places[row * prepared.width + slot]!) - lost;
      const total = sum + next;
      lost = total - sum - next;
      sum = total;
    }
  }
  return sum;
}

function fullTargets(prices: Float64Array): FullTarget[] {
  return [...prices.entries()].flatMap(([column, price]) => (price > 0 ? [{ column, dollarsPerTb: price * bytesPerTb }] : []));
}

function missingCopies({ prepared, places }: Placing): MissingCopies[] {
  const { datasets } = prepared.problem;
  const found: MissingCopies[] = [];
  for (let row = 0; row < datasets.count; row++) {
    let copies = 0;
    for (let slot = 0; slot < datasets.copies[row]!; slot++) if (places[row * prepared.width + slot] === -1) copies++;
    if (copies > 0) found.push({ row, copies, because: missingBecause(prepared, row) });
  }
  return found;
}

function missingBecause({ problem, rule, ruleGroups }: PreparedAssignment, row: number): MissingBecause {
  const { columns } = problem.rules[problem.datasets.rule[row]!]!;
  if (columns.length === 0) return 'no allowed target';
  const domains = ruleGroups[rule[row]! + 1]! - ruleGroups[rule[row]!]!;
  if (domains === 0) return 'larger than every allowed target';
  return domains < problem.datasets.copies[row]! ? 'too few failure domains' : 'capacity';
}
