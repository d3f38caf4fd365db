/**
 * The innermost loop of placing by prices: each row of a block at its cheapest places, exactly. It is AssemblyScript, compiled to `look-at-rows.wasm`, for in
 * JavaScript the same takes more than twice as long; what surrounds it, and what the numbers mean, stands in `src/placement/price-pass.ts`, who alone calls it.
 *
 * Where costs are close any place of a domain may be the cheapest, and a processor that guesses which waits each time it was wrong: so the loop over places
 * takes the lesser of two numbers and remembers no place.
 */

/** A column: what a byte and a read byte cost, an object and a request, a loss; its whims, whether a copy is there; credits of a copy and of the primary. */
const columnBytes: usize = 64;
const objectTerms: usize = 16;
const lostTerm: usize = 32;
const whimsTerm: usize = 40;
const thereTerm: usize = 44;
const creditTerms: usize = 48;
/** What few rows run into, of a column: room, most read bytes and requests, least bytes of an object and what a byte costs to hold. */
const rareBytes: usize = 40;
/** A row: what it is as eight numbers, its places among the entries, how many copies it wants, two flags, its whims, where its specials and homes end. */
const rowBytes: usize = 96;
const hasPrimaryFlag: i32 = 1;
const listFlag: i32 = 2;
/** What is special to a row in a column: credits of a copy and of the primary, the column, whether a copy is there. A home that is near: its credit and number. */
const specialBytes: usize = 24;
const nearBytes: usize = 16;
/** A cheapest domain: what a copy costs there, and which it is. */
const topBytes: usize = 16;

/** An entry: its column, whether it is shut to readers, and whether it opens a domain. */
const columnOf: i32 = 0x3fff;
const opens: i32 = 0x8000;
const flagsFrom: i32 = 14;
/** By these two flags: what comes to the costs of a copy and of the primary, and what makes a cost that of no domain. */
const shutCosts = memory.data<u64>([0, 0, 0, 0x7ff0000000000000, 0, 0, 0, 0x7ff0000000000000], 16);
const forgets = memory.data<u64>([0, 0, 0, 0, u64.MAX_VALUE, u64.MAX_VALUE, u64.MAX_VALUE, u64.MAX_VALUE], 16);

/** Where demand bends: a share of the window that counts more, and how much the rest of it counts. */
const narrow: f64 = 0.1;
const wide: f64 = 0.5;

/** Addresses, written by who calls. */
export let columns: usize = 0;
export let rare: usize = 0;
export let homesFrom: usize = 0;
export let homeColumns: usize = 0;
export let rows: usize = 0;
export let specials: usize = 0;
export let nears: usize = 0;
/** Of the row that is looked at: costs by place, costs by domain with whims and without, where each domain ends. */
export let costs: usize = 0;
export let least: usize = 0;
export let plain: usize = 0;
export let ends: usize = 0;
export let top: usize = 0;
export let slots: usize = 0;
export let bent: usize = 0;
/** The answers: what is used of each resource, how demand for them bends; by row its places, its value and where its list ends. */
export let used: usize = 0;
export let bends: usize = 0;
export let places: usize = 0;
export let values: usize = 0;
export let listEnds: usize = 0;

/** Of the problem. */
export let targets: i32 = 0;
export let width: i32 = 0;
export let leastRoom: f64 = 0;
export let leastReadBytes: f64 = 0;
export let leastRequests: f64 = 0;
export let mostMinimum: f64 = 0;
export let usualByte: f64 = 0;
export let usualRead: f64 = 0;
export let usualRequest: f64 = 0;

/** Of the look: whims and window as shares of the usual cost, and what lists are made for, in dollars for a unit. */
export let whims: f64 = 0;
export let bendWindow: f64 = 0;
export let marginOfByte: f64 = 0;
export let marginOfRead: f64 = 0;
export let marginOfRequest: f64 = 0;
/** What the rows pay, summed with compensation, and the sum of the absolute amounts. */
export let sum: f64 = 0;
export let lost: f64 = 0;
export let magnitude: f64 = 0;
/** The same of the places that are chosen, without whims. */
export let chosen: f64 = 0;
export let chosenLost: f64 = 0;

/** The row that is looked at. */
let row: usize = 0;
let size: f64 = 0;
let read: f64 = 0;
let asked: f64 = 0;
let weight: f64 = 0;
let wanted: i32 = 0;
let primaryToo: bool = false;
let own: i32 = 0;
let entries: usize = 0;
let count: i32 = 0;
let ofCopy: f64 = 0;
let ofPrimary: f64 = 0;

/** The first address that is free. */
export function free(): usize {
  return __heap_base;
}

/** Begin a look: nothing is used, nothing summed. */
export function begin(): void {
  const unknowns = <usize>(3 * targets);
  memory.fill(used, 0, 8 * unknowns);
  if (bendWindow > 0) memory.fill(bends, 0, 8 * unknowns * unknowns);
  sum = 0;
  lost = 0;
  magnitude = 0;
  chosen = 0;
  chosenLost = 0;
}

/** Look at a block of rows. `list` is where lists are written, one after the other. */
export function look(rowCount: i32, wantsValues: bool, list: usize): void {
  let special = specials;
  let near = nears;
  for (let at: usize = 0; at < <usize>rowCount; at++) {
    row = rows + at * rowBytes;
    readRow();
    const firstSpecial = special;
    const firstNear = near;
    const endOfSpecials = specials + <usize>load<i32>(row, 84) * specialBytes;
    const endOfNears = nears + <usize>load<i32>(row, 88) * nearBytes;
    for (; near < endOfNears; near += nearBytes) creditHome(load<i32>(near, 8), load<f64>(near));
    // After what is near: what is special to a column stands in its place.
    for (; special < endOfSpecials; special += specialBytes) creditColumn(load<i32>(special, 16), v128.load(special), load<i32>(special, 20));
    const missing = load<f64>(row, 48);
    const toList = (load<i32>(row, 76) & listFlag) !== 0;
    const groups = fill(wantsValues || toList);
    if (wantsValues || toList) {
      const value = pick(plain, groups, missing);
      if (wantsValues) store<f64>(values + (at << 3), value);
      if (toList) list = listPlaces(list);
    }
    store<u32>(listEnds + (at << 2), <u32>list);
    pay(weight * pick(least, groups, missing));
    take(places + ((at * <usize>width) << 1), missing);
    if (bendWindow > 0) bend();
    for (special = firstSpecial; special < endOfSpecials; special += specialBytes) creditColumn(load<i32>(special, 16), f64x2.splat(0), 0);
    for (near = firstNear; near < endOfNears; near += nearBytes) creditHome(load<i32>(near, 8), 0);
  }
}

function readRow(): void {
  size = load<f64>(row);
  read = load<f64>(row, 8);
  asked = load<f64>(row, 24);
  weight = load<f64>(row, 56);
  entries = <usize>load<u32>(row, 64);
  count = load<i32>(row, 68);
  wanted = load<i32>(row, 72);
  primaryToo = (load<i32>(row, 76) & hasPrimaryFlag) !== 0;
  own = load<i32>(row, 80);
  const reach = size * usualByte;
  ofCopy = whims * reach;
  ofPrimary = whims * (primaryToo ? reach + read * usualRead + asked * usualRequest : reach);
}

function pay(cost: f64): void {
  const next = cost - lost;
  const total = sum + next;
  lost = total - sum - next;
  sum = total;
  magnitude += Math.abs(cost);
}

function payChosen(cost: f64): void {
  const next = cost - chosenLost;
  const total = chosen + next;
  chosenLost = total - chosen - next;
  chosen = total;
}

function creditHome(home: i32, credit: f64): void {
  const from = homesFrom + ((<usize>home) << 2);
  const end = load<i32>(from, 4);
  for (let at = load<i32>(from); at < end; at++)
    v128.store(columns + <usize>load<i32>(homeColumns + ((<usize>at) << 2)) * columnBytes, f64x2.splat(credit), creditTerms);
}

function creditColumn(column: i32, credits: v128, isThere: i32): void {
  const at = columns + <usize>column * columnBytes;
  v128.store(at, credits, creditTerms);
  store<i32>(at, isThere, thereTerm);
}

/** A number from 0 to 1 that belongs to the row and a column, of what `whimsOf` in `src/placement/prepare-assignment.ts` says of both. */
function whim(column: i32): f64 {
  const mixed = (own ^ (column >>> 7)) * (column | 1);
  return <f64>(<u32>((mixed ^ (mixed >>> 15)) * 0x2c1b3c6d)) * (1.0 / 4294967296.0);
}

/** What a copy and the primary cost in each place, and in each domain at least: with whims, and where it is wanted without. @returns how many domains there are */
function fill(wantsPlain: bool): i32 {
  const pieces = load<f64>(row, 16);
  const stake = load<f64>(row, 32);
  const arrives = load<f64>(row, 40);
  const ofBytes = v128.load(row);
  const ofObjects = v128.load(row, 16);
  const whimsCost = f64x2.replace_lane(f64x2.splat(ofCopy), 1, ofPrimary);
  const end = entries + ((<usize>count) << 1);
  let group = least - 16;
  let groupEnd = ends - 4;
  const toPlain = plain - least;
  let best = f64x2.splat(Infinity);
  let plainBest = best;
  let at = costs;
  for (let from = entries; from < end; from += 2) {
    const entry = <i32>load<u16>(from);
    const column = columns + ((<usize>(entry & columnOf)) << 6);
    // Both at once: what a copy costs, and the use that comes to it as the primary.
    const both = f64x2.add(f64x2.mul(ofBytes, v128.load(column)), f64x2.mul(ofObjects, v128.load(column, objectTerms)));
    const base = f64x2.extract_lane(both, 0) + stake * load<f64>(column, lostTerm) + arrives;
    const use = f64x2.replace_lane(both, 0, 0);
    const flags = (<usize>(entry >>> flagsFrom)) << 4;
    const whole = f64x2.sub(f64x2.add(f64x2.add(f64x2.splat(base), use), v128.load(shutCosts + flags)), v128.load(column, creditTerms));
    v128.store(at, whole);
    at += 16;
    const liked = f64x2.add(whole, f64x2.mul(whimsCost, f64x2.splat(whim(load<i32>(column, whimsTerm)))));
    // What is no number is not less: of a new domain its first place is the best.
    const forgotten = v128.load(forgets + flags);
    best = f64x2.pmin(liked, v128.or(best, forgotten));
    const isFirst = <usize>(entry >>> 15);
    group += isFirst << 4;
    groupEnd += isFirst << 2;
    v128.store(group, best);
    store<u32>(groupEnd, <u32>(at - costs));
    if (!wantsPlain) continue;
    plainBest = f64x2.pmin(whole, v128.or(plainBest, forgotten));
    v128.store(group + toPlain, plainBest);
  }
  const groups = <i32>((group + 16 - least) >>> 4);
  if (size > leastRoom || read > leastReadBytes || asked > leastRequests || pieces * mostMinimum > size) {
    weighRare(pieces);
    leastOfDomains(least, groups, ofCopy, ofPrimary);
    if (wantsPlain) leastOfDomains(plain, groups, 0, 0);
  }
  return groups;
}

/** What few rows run into: a place that is too small or too weak for it, and one that bills small objects as larger ones. */
function weighRare(pieces: f64): void {
  for (let one: i32 = 0; one < count; one++) {
    const number = <usize>(<i32>load<u16>(entries + ((<usize>one) << 1)) & columnOf);
    const column = columns + number * columnBytes;
    const limits = rare + number * rareBytes;
    const at = costs + ((<usize>one) << 4);
    if (size > load<f64>(limits) && load<i32>(column, thereTerm) === 0) {
      v128.store(at, f64x2.splat(Infinity));
      continue;
    }
    const more = Math.max(0, pieces * load<f64>(limits, 24) - size) * load<f64>(limits, 32);
    v128.store(at, f64x2.add(v128.load(at), f64x2.splat(more)));
    if (read > load<f64>(limits, 8) || asked > load<f64>(limits, 16)) store<f64>(at, Infinity, 8);
  }
}

/** What was filled in, anew by domain: with rare costs, or without whims. */
function leastOfDomains(into: usize, groups: i32, whimsOfCopy: f64, whimsOfPrimary: f64): void {
  const whimsCost = f64x2.replace_lane(f64x2.splat(whimsOfCopy), 1, whimsOfPrimary);
  let at: usize = 0;
  for (let group: usize = 0; group < <usize>groups; group++) {
    const end = <usize>load<u32>(ends + (group << 2));
    let best = f64x2.splat(Infinity);
    for (; at < end; at += 16) {
      let cost = v128.load(costs + at);
      if (whimsOfCopy > 0) cost = f64x2.add(cost, f64x2.mul(whimsCost, f64x2.splat(whim(whimsAt(at)))));
      best = f64x2.pmin(best, cost);
    }
    v128.store(into + (group << 4), best);
  }
}

/** The whims of the column that has these costs. */
function whimsAt(cost: usize): i32 {
  return load<i32>(columns + <usize>(<i32>load<u16>(entries + (cost >>> 3)) & columnOf) * columnBytes, whimsTerm);
}

// What follows picks among the domains: the primary in one, the other copies in the cheapest others. Exact, because within one row nothing else binds: for
// each domain of the primary the best others are the cheapest that are left.

/** Of what was picked: the cheapest domains that are kept, the primary's and the copies' (in `slots`, cost and domain each, −1 for what is left out). */
let kept: i32 = 0;
/** What the dearest domain costs, at least, that a copy may want, whichever has the primary; −Infinity where only the primary is wanted. */
let dearestCopy: f64 = 0;
/** What the primary costs, and what the other copies pay for its being where it is; at most `missing`. */
let primaryWorth: f64 = 0;
/** How much dearer the whole is with the primary in another domain, at least, and which; −1: left out. */
let primaryGap: f64 = 0;
let primaryNext: i32 = -1;
/** The first domain that has no copy: what it costs, at most `missing`, and which; −1: none. */
let nextCost: f64 = 0;
let nextGroup: i32 = -1;

/**
 * @param missing what each copy that is left out costs; a place that costs more is left out
 * @returns the cost of the answer, with what is left out
 */
function pick(from: usize, groups: i32, missing: f64): f64 {
  const others = primaryToo ? wanted - 1 : wanted;
  keepCheapest(from, groups, others + (primaryToo ? 2 : 1), missing);
  const needed = primaryToo && others > 0 ? others + 1 : others;
  dearestCopy = needed === 0 ? -Infinity : needed <= kept ? topCost(needed - 1) : missing;
  primaryWorth = -Infinity;
  const ofPrimaryCost = primaryToo ? pickPrimary(from, groups, others, missing) : 0;
  return ofPrimaryCost + pickOthers(missing);
}

function topCost(at: i32): f64 {
  return load<f64>(top + ((<usize>at) << 4));
}

function topGroup(at: i32): i32 {
  return load<i32>(top + ((<usize>at) << 4), 8);
}

/** The cheapest domains for a copy that are worth it, at most so many. */
function keepCheapest(from: usize, groups: i32, most: i32, missing: f64): void {
  let limit = missing;
  let found: i32 = 0;
  for (let group: i32 = 0; group < groups; group++) {
    const cost = load<f64>(from + ((<usize>group) << 4));
    if (cost >= limit) continue;
    let to = top + ((<usize>(found < most ? found++ : most - 1)) << 4);
    for (; to > top && load<f64>(to - topBytes) > cost; to -= topBytes) v128.store(to, v128.load(to - topBytes));
    store<f64>(to, cost);
    store<i32>(to, group, 8);
    if (found === most) limit = topCost(most - 1);
  }
  kept = found;
}

/** @returns what the primary costs where it is put */
function pickPrimary(from: usize, groups: i32, others: i32, missing: f64): f64 {
  let before: f64 = 0;
  for (let one: i32 = 0; one < others; one++) before += one < kept ? topCost(one) : missing;
  const next = others < kept ? topCost(others) : missing;
  let best = missing + before;
  let second: f64 = Infinity;
  let bestGroup: i32 = -1;
  let secondGroup: i32 = -1;
  for (let group: i32 = 0; group < groups; group++) {
    let total = load<f64>(from + ((<usize>group) << 4), 8) + before;
    if (total > second) continue;
    for (let one: i32 = 0; one < others && one < kept; one++) {
      if (topGroup(one) !== group) continue;
      total += next - topCost(one);
      break;
    }
    if (total <= best) {
      second = best;
      secondGroup = bestGroup;
      best = total;
      bestGroup = group;
    } else if (total < second) {
      second = total;
      secondGroup = group;
    }
  }
  primaryNext = secondGroup;
  primaryGap = second - best;
  primaryWorth = best - before;
  const cost = bestGroup === -1 ? missing : load<f64>(from + ((<usize>bestGroup) << 4), 8);
  store<f64>(slots, cost);
  store<i32>(slots, bestGroup, 8);
  return cost;
}

/** @returns what the copies cost that are not the primary */
function pickOthers(missing: f64): f64 {
  const taken = primaryToo ? load<i32>(slots, 8) : -1;
  let slot: i32 = primaryToo ? 1 : 0;
  let cost: f64 = 0;
  nextCost = missing;
  nextGroup = -1;
  for (let at: i32 = 0; at < kept; at++) {
    const group = topGroup(at);
    if (group === taken) continue;
    if (slot === wanted) {
      nextCost = topCost(at);
      nextGroup = group;
      break;
    }
    v128.store(slots + ((<usize>slot) << 4), v128.load(top + ((<usize>at) << 4)));
    cost += topCost(at);
    slot++;
  }
  for (; slot < wanted; slot++) {
    store<i32>(slots + ((<usize>slot) << 4), -1, 8);
    cost += missing;
  }
  return cost;
}

/**
 * Lists what the row may want while prices move little: of all domains that are among the cheapest it needs, or the primary's, within the margin, the places
 * that are the cheapest there within it. What the other copies pay around the primary moves too. For what was picked without whims.
 */
function listPlaces(list: usize): usize {
  const ofByte = marginOfByte * size;
  const ofUse = primaryToo ? marginOfRead * read + marginOfRequest * asked : 0;
  const mostOfCopy = dearestCopy + ofByte;
  const mostOfPrimary = primaryWorth + ofUse + 2 * ofByte;
  let group = plain - 16;
  let opening: i32 = 0;
  for (let one: i32 = 0; one < count; one++) {
    const entry = <i32>load<u16>(entries + ((<usize>one) << 1));
    if ((entry & opens) !== 0) {
      group += 16;
      opening = opens;
    }
    const copy = load<f64>(costs + ((<usize>one) << 4));
    const primary = load<f64>(costs + ((<usize>one) << 4), 8);
    const mayBeCopy = copy <= mostOfCopy && copy <= load<f64>(group) + ofByte;
    if (!mayBeCopy && !(primaryToo && primary <= mostOfPrimary && primary <= load<f64>(group, 8) + ofUse + ofByte)) continue;
    store<u16>(list, <u16>((entry & ~opens) | opening));
    list += 2;
    opening = 0;
  }
  return list;
}

/** The answer of `findIn`: the cheapest place of a domain and the second, −1 for none, how much dearer that is, and what the first costs without whims. */
let place: i32 = -1;
let secondPlace: i32 = -1;
let placeGap: f64 = 0;
let placeCost: f64 = 0;

/** Which places of a domain are cheapest for a copy of the row (lane 0), or for its primary (lane 1), with whims. */
function findIn(group: i32, lane: usize): void {
  const ofWhims = lane === 1 ? ofPrimary : ofCopy;
  const end = <usize>load<u32>(ends + ((<usize>group) << 2));
  let cheapest: f64 = Infinity;
  let next: f64 = Infinity;
  place = -1;
  secondPlace = -1;
  for (let at: usize = group === 0 ? 0 : <usize>load<u32>(ends + ((<usize>(group - 1)) << 2)); at < end; at += 16) {
    const column = <i32>load<u16>(entries + (at >>> 3)) & columnOf;
    const plainCost = load<f64>(costs + at + (lane << 3));
    const cost = plainCost + ofWhims * whim(whimsAt(at));
    if (cost < cheapest) {
      next = cheapest;
      secondPlace = place;
      cheapest = cost;
      place = column;
      placeCost = plainCost;
    } else if (cost < next) {
      next = cost;
      secondPlace = column;
    }
  }
  placeGap = next - cheapest;
}

function slotGroup(slot: i32): i32 {
  return load<i32>(slots + ((<usize>slot) << 4), 8);
}

/** Column of what is in a slot, once it is taken. */
function slotColumn(slot: i32): i32 {
  return load<i32>(slots + ((<usize>slot) << 4), 12);
}

/** Note where the copies are, −1 for those that it does not want, what they use there, and what all cost. */
function take(into: usize, missing: f64): void {
  let cost: f64 = 0;
  for (let slot = wanted; slot < width; slot++) store<i16>(into + ((<usize>slot) << 1), -1);
  for (let slot: i32 = 0; slot < wanted; slot++) {
    const asPrimary = slot === 0 && primaryToo;
    const group = slotGroup(slot);
    if (group !== -1) findIn(group, asPrimary ? 1 : 0);
    const column = group === -1 ? -1 : place;
    store<i32>(slots + ((<usize>slot) << 4), column, 12);
    store<i16>(into + ((<usize>slot) << 1), <i16>column);
    cost += column === -1 ? missing : placeCost;
    if (column === -1) continue;
    use(column, takes(column));
    if (!asPrimary) continue;
    use(targets + column, weight * read);
    use(2 * targets + column, weight * asked);
  }
  payChosen(weight * cost);
}

function use(unknown: i32, amount: f64): void {
  const at = used + ((<usize>unknown) << 3);
  store<f64>(at, load<f64>(at) + amount);
}

/** What a copy of the row takes up in a column. */
function takes(column: i32): f64 {
  return load<i32>(columns + <usize>column * columnBytes, thereTerm) === 1 ? 0 : weight * size;
}

// What follows tells how demand bends, see `Pass.bends` in `src/placement/price-pass.ts`.

/** What one change would move: unknown and dollars at the usual cost, one after another in `bent`. */
let bentCount: usize = 0;

/** The second choices of the row that are close, as what would leave one target for another. */
function bend(): void {
  const window = bendWindow * size * usualByte;
  if (primaryToo && slotGroup(0) !== -1) bendPrimary();
  for (let slot: i32 = primaryToo ? 1 : 0; slot < wanted; slot++) {
    const group = slotGroup(slot);
    if (group === -1) continue;
    findIn(group, 0);
    const elsewhere = nextCost - load<f64>(slots + ((<usize>slot) << 4));
    const gap = Math.min(elsewhere, placeGap);
    if (gap >= window) continue;
    const there = placeGap < elsewhere ? secondPlace : placeIn(nextGroup, 0);
    bentCount = 0;
    bendCopy(slotColumn(slot), there);
    endBend(gap / window, window * weight);
  }
}

/** Of the primary: to the second place of its domain, or to another domain, which may send a copy from there. */
function bendPrimary(): void {
  const window = bendWindow * (size * usualByte + read * usualRead + asked * usualRequest);
  findIn(slotGroup(0), 1);
  const isWithin = placeGap <= primaryGap;
  const gap = Math.min(placeGap, primaryGap);
  if (gap >= window) return;
  const there = isWithin ? secondPlace : placeIn(primaryNext, 1);
  const here = slotColumn(0);
  bentCount = 0;
  bendCopy(here, there);
  bendUse(here, -weight);
  if (there !== -1) bendUse(there, weight);
  const others = wanted - 1;
  if (!isWithin && others > 0) {
    for (let slot: i32 = 1; slot <= others; slot++) bendCopy(slotColumn(slot), -1);
    let left = others;
    for (let at: i32 = 0; at < kept && left > 0; at++) {
      if (topGroup(at) === primaryNext) continue;
      bendCopy(-1, placeIn(topGroup(at), 0));
      left--;
    }
  }
  endBend(gap / window, window * weight);
}

function placeIn(group: i32, lane: usize): i32 {
  if (group === -1) return -1;
  findIn(group, lane);
  return place;
}

/** A copy from one column to another; −1 for none. */
function bendCopy(from: i32, to: i32): void {
  if (from !== -1) push(from, -takes(from) * usualByte);
  if (to !== -1) push(to, takes(to) * usualByte);
}

function bendUse(column: i32, times: f64): void {
  push(targets + column, times * read * usualRead);
  push(2 * targets + column, times * asked * usualRequest);
}

function push(unknown: i32, dollars: f64): void {
  if (dollars === 0) return;
  store<f64>(bent + (bentCount << 4), dollars);
  store<i32>(bent + (bentCount << 4), unknown, 8);
  bentCount++;
}

/** @param gap what the change costs, as a share of the window */
function endBend(gap: f64, window: f64): void {
  const density = ((gap < narrow ? 1 / narrow : 0) + wide) / (2 * window);
  const bytesOfRow = <usize>(24 * targets);
  for (let one: usize = 0; one < bentCount; one++) {
    const from = bends + <usize>load<i32>(bent + (one << 4), 8) * bytesOfRow;
    const amount = load<f64>(bent + (one << 4)) * density;
    for (let other: usize = 0; other < bentCount; other++) {
      const at = from + ((<usize>load<i32>(bent + (other << 4), 8)) << 3);
      store<f64>(at, load<f64>(at) + amount * load<f64>(bent + (other << 4)));
    }
  }
}
