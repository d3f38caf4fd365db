import { type AssignedDatasets, type AssignedTargets, type Assignment, type PlaceRule, type PricedState, resources } from './assignment.ts';
import type { PreparedAssignment } from './prepare-assignment.ts';
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
  const { count, copies } = problem.datasets;
  const values = new Float64Array(count);
  const wishes = new Int16Array(count * width).fill(-1);
  const same = new SameRows(problem, state.problem);
  const changed = new Int32Array(count);
  let found = 0;
  for (let row = 0; row < count; row++) {
    const before = rows === null ? row : rows[row]!;
    if (before < 0 || before >= state.problem.datasets.count || !same.isSame(row, before)) {
      changed[found++] = row;
      continue;
    }
    values[row] = valued.values[before]!;
    for (let slot = 0; slot < copies[row]!; slot++) wishes[row * width + slot] = valued.wishes[before * valued.width + slot]!;
  }
  return { valued: { ...valued, values, wishes, width }, changed: changed.slice(0, found) };
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

class SameRows {
  readonly #now: AssignedDatasets;
  readonly #before: AssignedDatasets;
  /** One number for all rules that allow the same. */
  readonly #rulesNow: Int32Array;
  readonly #rulesBefore: Int32Array;
  readonly #room: Passed;
  readonly #readBytes: Passed;
  readonly #requests: Passed;

  constructor(now: Assignment, before: Assignment) {
    this.#now = now.datasets;
    this.#before = before.datasets;
    const numbers = new Map<string, number>();
    const numberOf = (rule: PlaceRule): number => {
      const text = textOf(rule);
      if (!numbers.has(text)) numbers.set(text, numbers.size);
      return numbers.get(text)!;
    };
    this.#rulesNow = Int32Array.from(now.rules, numberOf);
    this.#rulesBefore = Int32Array.from(before.rules, numberOf);
    this.#room = new Passed(now.targets.roomBytes, before.targets.roomBytes);
    this.#readBytes = new Passed(now.targets.readBytesLimit, before.targets.readBytesLimit);
    this.#requests = new Passed(now.targets.requestsLimit, before.targets.requestsLimit);
  }

  isSame(row: number, before: number): boolean {
    const now = this.#now;
    const then = this.#before;
    if (this.#rulesNow[now.rule[row]!] !== this.#rulesBefore[then.rule[before]!]) return false;
    // One by one: a loop over their names takes four times as long, and this is asked of every row.
    if (now.bytes[row] !== then.bytes[before] || now.objects[row] !== then.objects[before] || now.atStake[row] !== then.atStake[before]) return false;
    if (now.readBytes[row] !== then.readBytes[before] || now.requests[row] !== then.requests[before] || now.arrive[row] !== then.arrive[before]) return false;
    if (now.copies[row] !== then.copies[before] || now.hasPrimary[row] !== then.hasPrimary[before] || now.missing[row] !== then.missing[before]) return false;
    const nearFrom = now.nearFrom[row]!;
    const nearShift = then.nearFrom[before]! - nearFrom;
    const endOfNear = now.nearFrom[row + 1]!;
    if (then.nearFrom[before + 1] !== endOfNear + nearShift) return false;
    for (let at = nearFrom; at < endOfNear; at++)
      if (now.nearHome[at] !== then.nearHome[at + nearShift] || now.nearCredit[at] !== then.nearCredit[at + nearShift]) return false;
    const from = now.specialsFrom[row]!;
    const shift = then.specialsFrom[before]! - from;
    const end = now.specialsFrom[row + 1]!;
    if (then.specialsFrom[before + 1] !== end + shift) return false;
    for (let at = from; at < end; at++) {
      if (
        now.specialColumn[at] !== then.specialColumn[at + shift] ||
        now.copyCredit[at] !== then.copyCredit[at + shift] ||
        now.primaryCredit[at] !== then.primaryCredit[at + shift] ||
        now.stays[at] !== then.stays[at + shift]
      )
        return false;
    }
    return !this.#room.isPast(now.bytes[row]!) && !this.#readBytes.isPast(now.readBytes[row]!) && !this.#requests.isPast(now.requests[row]!);
  }
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

  isPast(amount: number): boolean {
    for (let at = 0; at < this.#from.length && amount > this.#from[at]!; at++) if (amount <= this.#to[at]!) return true;
    return false;
  }
}
