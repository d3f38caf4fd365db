import { type AssignedTargets, type Assignment, type PlaceRule, type PricedState, resources } from './assignment.ts';
import { amountOf, costAt, type PreparedAssignment } from './prepare-assignment.ts';
import type { ValuedRows } from './valued-rows.ts';

/** An earlier answer, and where its rows and columns are now. */
export interface Earlier {
  readonly state: PricedState;
  /** The earlier row of each row, −1 for one that is new; null where all stand where they stood. */
  readonly rows: Int32Array | null;
  /** The same of the columns. */
  readonly columns: Int32Array | null;
}

/** Prices alone, of these columns, in the order of `resources`: all that is left of an answer when who gave it has ended. */
export interface EarlierPrices {
  readonly prices: Float64Array;
}

/** What of an earlier answer is as true of this problem, but for the rows that changed. */
export interface CarriedOver {
  readonly valued: ValuedRows;
  readonly changed: Int32Array;
}

/**
 * Find what an earlier answer says about this problem. Nobody has to say what changed: a row counts as it was only if each of its numbers is the same, what its
 * rule allows is the same, and no limit went past what it takes up (what is larger than all the room of a target is not put there at any price).
 *
 * @returns null where nothing of it holds: targets are others, or something there costs more or less
 */
export function carryOver(prepared: PreparedAssignment, { state, rows, columns }: Earlier): CarriedOver | null {
  const { problem, width, limits } = prepared;
  const { valued } = state;
  const isPriced = valued.prices.length === limits.length && valued.prices.every((price, at) => price === 0 || (price > 0 && limits[at]! < Infinity));
  if (columns !== null || !isPriced || !haveSameCosts(problem.targets, state.problem.targets)) return null;
  const { count } = problem.datasets;
  const isOther = otherRows(problem, state.problem, rows);
  const values = new Float64Array(count);
  const wishes = new Int16Array(count * width);
  const changed = new Int32Array(count);
  const isKept = new Uint8Array(state.problem.datasets.count);
  const slots = Math.min(width, valued.width);
  let found = 0;
  for (let row = 0; row < count; row++) {
    if (isOther[row] === 1) {
      changed[found++] = row;
      continue;
    }
    const before = rows === null ? row : rows[row]!;
    isKept[before] = 1;
    values[row] = valued.values[before]!;
    for (let slot = 0; slot < slots; slot++) wishes[row * width + slot] = valued.wishes[before * valued.width + slot]!;
    for (let slot = slots; slot < width; slot++) wishes[row * width + slot] = -1;
  }
  return { valued: { ...valued, values, wishes, width, ...without(state, isKept) }, changed: changed.slice(0, found) };
}

/** What the rows that are kept take up and cost where they want to be: what all did, less the others. */
function without({ problem, valued }: PricedState, isKept: Uint8Array): Pick<ValuedRows, 'used' | 'dollars'> {
  const { count, copies } = problem.datasets;
  const used = Float64Array.from(valued.used);
  let { dollars } = valued;
  for (let row = 0; row < count; row++) {
    if (isKept[row] === 1) continue;
    for (let slot = 0; slot < copies[row]!; slot++) {
      const column = valued.wishes[row * valued.width + slot]!;
      dollars -= costAt({ problem }, row, slot, column);
      if (column === -1) continue;
      for (let resource = 0; resource < resources.length; resource++)
        used[resource * problem.targets.count + column]! -= amountOf(problem, row, slot, column, resource);
    }
  }
  return { used, dollars };
}

/** Earlier prices of these columns as far as they may be prices now. */
export function carriedPrices({ problem, limits }: PreparedAssignment, earlier: Earlier | EarlierPrices): Float64Array {
  const prices = 'prices' in earlier ? earlier.prices : movedPrices(earlier, problem.targets.count);
  return limits.map((limit, at) => {
    const price = prices[at] ?? 0;
    return limit < Infinity && price > 0 && price < Infinity ? price : 0;
  });
}

function movedPrices({ state, columns }: Earlier, count: number): Float64Array {
  const { prices } = state.valued;
  const before = prices.length / resources.length;
  return Float64Array.from({ length: resources.length * count }, (_, at) => {
    const column = columns === null ? at % count : columns[at % count]!;
    return column >= 0 && column < before ? prices[Math.floor(at / count) * before + column]! : 0;
  });
}

const costs = ['holdPerByte', 'lost', 'minimumObjectBytes', 'arrivePerByte', 'arrivePerObject', 'readPerByte', 'perRequest', 'home'] as const;

function haveSameCosts(one: AssignedTargets, other: AssignedTargets): boolean {
  return one.count === other.count && costs.every((name) => one[name].every((cost, column) => cost === other[name][column]));
}

const nearNumbers = ['nearHome', 'nearCredit'] as const;
const specialNumbers = ['specialColumn', 'copyCredit', 'primaryCredit', 'stays'] as const;
const ownNumbers = ['bytes', 'objects', 'atStake', 'readBytes', 'requests', 'arrive', 'copies', 'hasPrimary', 'missing'] as const;

/** 1 for each row any of whose numbers is another than it was, or for which one is on the other side of a limit. Number by number: a row at a time takes several times as long. */
function otherRows({ datasets, rules, targets }: Assignment, before: Assignment, rows: Int32Array | null): Uint8Array {
  const isOther = new Uint8Array(datasets.count);
  const last = before.datasets.count;
  for (let row = 0; row < datasets.count; row++) {
    const then = rows === null ? row : rows[row]!;
    if (then < 0 || then >= last) isOther[row] = 1;
  }
  for (const name of ownNumbers) markOther(datasets[name], before.datasets[name], rows, isOther);
  const [rulesNow, rulesBefore] = numberRules(rules, before.rules);
  for (let row = 0; row < datasets.count; row++) {
    if (isOther[row] === 0 && rulesNow[datasets.rule[row]!] !== rulesBefore[before.datasets.rule[rows === null ? row : rows[row]!]!]) isOther[row] = 1;
  }
  const then = before.datasets;
  for (const name of nearNumbers) markOtherParts(datasets[name], then[name], datasets.nearFrom, then.nearFrom, rows, isOther);
  for (const name of specialNumbers) markOtherParts(datasets[name], then[name], datasets.specialsFrom, then.specialsFrom, rows, isOther);
  markPassed(datasets.bytes, new Passed(targets.roomBytes, before.targets.roomBytes), isOther);
  markPassed(datasets.readBytes, new Passed(targets.readBytesLimit, before.targets.readBytesLimit), isOther);
  markPassed(datasets.requests, new Passed(targets.requestsLimit, before.targets.requestsLimit), isOther);
  return isOther;
}

type Numbers = Float64Array | Uint8Array;
type Parts = Numbers | Int16Array;

function markOther(now: Numbers, then: Numbers, rows: Int32Array | null, isOther: Uint8Array): void {
  if (rows === null && now === then) return;
  for (let row = 0; row < now.length; row++) {
    if (isOther[row] === 0 && now[row] !== then[rows === null ? row : rows[row]!]) isOther[row] = 1;
  }
}

/** The same of lists in which each row has a part, of which `nowFrom` and `thenFrom` tell where it begins. */
function markOtherParts(now: Parts, then: Parts, nowFrom: Int32Array, thenFrom: Int32Array, rows: Int32Array | null, isOther: Uint8Array): void {
  if (rows === null && now === then && nowFrom === thenFrom) return;
  for (let row = 0; row < isOther.length; row++) {
    if (isOther[row] === 1) continue;
    const before = rows === null ? row : rows[row]!;
    const from = nowFrom[row]!;
    const end = nowFrom[row + 1]!;
    const shift = thenFrom[before]! - from;
    if (thenFrom[before + 1] !== end + shift) isOther[row] = 1;
    for (let at = from; at < end && isOther[row] === 0; at++) if (now[at] !== then[at + shift]) isOther[row] = 1;
  }
}

function markPassed(amounts: Float64Array, passed: Passed, isOther: Uint8Array): void {
  if (passed.isNothing) return;
  for (let row = 0; row < amounts.length; row++) if (passed.isPast(amounts[row]!)) isOther[row] = 1;
}

/** One number for all rules that allow the same, now and before. */
function numberRules(now: readonly PlaceRule[], before: readonly PlaceRule[]): [Int32Array, Int32Array] {
  const numbers = new Map<string, number>();
  const numberOf = (rule: PlaceRule): number => {
    const text = textOf(rule);
    if (!numbers.has(text)) numbers.set(text, numbers.size);
    return numbers.get(text)!;
  };
  return [Int32Array.from(now, numberOf), Int32Array.from(before, numberOf)];
}

/** What a rule allows, in words that are the same for the same: domains are numbered as they come. */
function textOf({ columns, domains, serves }: PlaceRule): string {
  const numberOf = new Map<number, number>();
  for (const domain of domains) if (!numberOf.has(domain)) numberOf.set(domain, numberOf.size);
  return `${columns} ${domains.map((domain) => numberOf.get(domain)!)} ${serves}`;
}

/** Amounts that were within a limit and are not, or the other way round. */
class Passed {
  /** From above which to which, one after another, apart. */
  readonly #from: number[] = [];
  readonly #to: number[] = [];

  constructor(now: Float64Array, before: Float64Array) {
    const passed = [...now].map((limit, column) => [Math.min(limit, before[column]!), Math.max(limit, before[column]!)] as const);
    for (const [from, to] of passed.filter(([from, to]) => from < to).sort((a, b) => a[0] - b[0])) {
      if (from <= (this.#to.at(-1) ?? -Infinity)) this.#to[this.#to.length - 1] = Math.max(to, this.#to.at(-1)!);
      else {
        this.#from.push(from);
        this.#to.push(to);
      }
    }
  }

  get isNothing(): boolean {
    return this.#from.length === 0;
  }

  isPast(amount: number): boolean {
    for (let at = 0; at < this.#from.length && amount > this.#from[at]!; at++) if (amount <= this.#to[at]!) return true;
    return false;
  }
}
