import { type Random, randomInt, seededRandom } from '@data-in-motion/shared/random';
import type { Assignment, PlaceRule } from '../src/placement/assignment.ts';
import { sharedBytes, sharedFloats, sharedInts, sharedShorts, sharedWords } from '../src/placement/shared-numbers.ts';

/**
 * A made-up fleet to place: targets of four classes (fast, usual, archive, cloud) over sites and regions, datasets of log-normal size with readers, at most
 * three copies, the first of them the primary with a latency it may not exceed, for a quarter of them one region they may not leave, and copies in different
 * sites (for a fifth on different targets). Three of ten copies stand on a random allowed target now and could stay; the others are to be made. Room is what a
 * random placement needs and 8 %, so there is an answer, and the cheap targets are full in it. Dollars a month.
 *
 * @param reads how many times the read bytes and requests of that random placement each target can serve: below 1.5 they bind as hard as room does
 */
export function assignmentInstance(count: number, targetCount: number, seed: number, reads = 2): Assignment {
  const random = seededRandom(seed);
  const fleet = targetsOf(targetCount, random);
  const { targets } = fleet;
  const rules = new Rules(fleet);
  const mostHeld = 3;
  const columns = {
    bytes: sharedFloats(count),
    objects: sharedFloats(count),
    readBytes: sharedFloats(count),
    requests: sharedFloats(count),
    atStake: sharedFloats(count),
    copies: sharedBytes(count),
    hasPrimary: sharedBytes(count).fill(1),
    rule: sharedWords(count),
    arrive: sharedFloats(count),
    missing: sharedFloats(count),
    nearFrom: sharedInts(count + 1),
    specialsFrom: sharedInts(count + 1),
  };
  const specialColumn = sharedShorts(count * mostHeld);
  const copyCredit = sharedFloats(count * mostHeld);
  const primaryCredit = sharedFloats(count * mostHeld);
  let specials = 0;
  for (let row = 0; row < count; row++) {
    let normal = -3;
    for (let one = 0; one < 6; one++) normal += random.next();
    const bytes = Math.round(1e9 * Math.exp(3 + 1.7 * normal));
    columns.bytes[row] = bytes;
    columns.objects[row] = Math.ceil(bytes / (1e4 * Math.exp(8 * random.next())));
    columns.readBytes[row] = bytes * Math.min(30, 0.2 / (random.next() + 0.01));
    columns.atStake[row] = (bytes / 1e9) * (random.next() < 0.3 ? 1 : 0.001);
    columns.requests[row] = columns.readBytes[row]! / 8e6;
    columns.arrive[row] = random.next() < 0.3 ? (bytes * 0.02) / 1e9 : 0;
    columns.missing[row] = 100 + (10 * bytes) / 1e9;
    const draw = random.next();
    const wanted = draw < 0.3 ? 1 : draw < 0.75 ? 2 : 3;
    const { rule, copies } = rules.draw(random, wanted);
    columns.rule[row] = rule;
    columns.copies[row] = copies;
    for (const [slot, column] of rules.places(random, rule, copies).entries()) {
      if (slot === 0) targets.readBytesLimit[column]! += columns.readBytes[row]!;
      if (slot === 0) targets.requestsLimit[column]! += columns.requests[row]!;
      if (random.next() >= 0.3) {
        targets.roomBytes[column]! += bytes;
        continue;
      }
      const feeDays = Math.max(0, fleet.minimumDays[column]! - (180 * slot) / 3);
      const comes = bytes * targets.arrivePerByte[column]! + columns.objects[row]! * targets.arrivePerObject[column]! + columns.arrive[row]!;
      const credit = comes + (bytes * targets.holdPerByte[column]! * feeDays) / 30;
      specialColumn[specials] = column;
      // What is the primary stays the primary or moves; what is a copy never becomes it.
      copyCredit[specials] = slot === 0 ? -Infinity : credit;
      primaryCredit[specials++] = slot === 0 ? credit : -Infinity;
    }
    columns.specialsFrom[row + 1] = specials;
  }
  const spare = [
    [targets.roomBytes, 1.08],
    [targets.readBytesLimit, reads],
    [targets.requestsLimit, reads],
  ] as const;
  for (const [limits, times] of spare) for (let at = 0; at < targetCount; at++) limits[at] = Math.ceil(limits[at]! * times);
  return {
    datasets: {
      count,
      ...columns,
      nearHome: sharedShorts(0),
      nearCredit: sharedFloats(0),
      specialColumn: specialColumn.subarray(0, specials),
      copyCredit: copyCredit.subarray(0, specials),
      primaryCredit: primaryCredit.subarray(0, specials),
      stays: sharedBytes(specials).fill(1),
    },
    targets,
    rules: rules.all,
  };
}

interface MadeUpTargets {
  readonly targets: Assignment['targets'];
  readonly latencyMs: Float64Array;
  readonly minimumDays: Float64Array;
  readonly sites: number;
  readonly regions: number;
}

function targetsOf(count: number, random: Random): MadeUpTargets {
  const between = (low: number, high: number): number => low + (high - low) * random.next();
  const sites = Math.max(4, Math.round(count / 3));
  const column = (fill: (kind: (typeof kinds)[number]) => number): Float64Array =>
    Float64Array.from({ length: count }, (_, at) => fill(kinds[Math.floor(at / sites) % kinds.length]!));
  const latencyMs = column((kind) => kind.latencyMs * between(0.7, 1.3));
  return {
    latencyMs,
    sites,
    regions: Math.max(2, Math.round(sites / 3)),
    minimumDays: column((kind) => kind.minimumDays),
    targets: {
      count,
      home: Int16Array.from({ length: count }, (_, at) => at % sites),
      roomBytes: new Float64Array(count),
      readBytesLimit: new Float64Array(count),
      requestsLimit: new Float64Array(count),
      holdPerByte: column((kind) => (kind.holdPerGb / 1e9) * between(0.8, 1.2)),
      // A few are likelier to fail than others.
      lost: column(() => 0.0017 + 0.02 * random.next() ** 8),
      minimumObjectBytes: column((kind) => kind.minimumObjectBytes),
      arrivePerByte: column(() => between(0.005, 0.02) / 1e9),
      arrivePerObject: column((kind) => kind.perMillion / 1e6),
      readPerByte: column((kind) => (kind.readPerGb + between(0, 0.02)) / 1e9),
      perRequest: column((kind) => kind.perMillion / 1e6 + (kind.latencyMs / 1000) * 1e-4),
    },
  };
}

/** The rules that datasets of the fleet have, made as they are drawn. */
class Rules {
  readonly all: PlaceRule[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #fleet: MadeUpTargets;

  constructor(fleet: MadeUpTargets) {
    this.#fleet = fleet;
  }

  /** A random rule that leaves places for so many copies, or for fewer where none does. */
  draw(random: Random, wanted: number): { rule: number; copies: number } {
    let limit = randomInt(random, 0, limitsMs.length);
    let region = random.next() < 0.25 ? randomInt(random, 0, this.#fleet.regions) : -1;
    const level = random.next() < 0.2 ? 'target' : 'site';
    let copies = wanted;
    let rule = this.#numberOf(limitsMs[limit]!, region, level);
    const holds = (): boolean => new Set(this.all[rule]!.domains).size >= copies && this.all[rule]!.serves.includes(1);
    while (!holds()) {
      if (limit < limitsMs.length - 1) limit++;
      else if (region >= 0) region = -1;
      else copies--;
      rule = this.#numberOf(limitsMs[limit]!, region, level);
    }
    return { rule, copies };
  }

  /** Random places that the rule allows, the primary's first. */
  places(random: Random, rule: number, copies: number): number[] {
    const { columns, domains, serves } = this.all[rule]!;
    for (;;) {
      const used = new Set<number>();
      const places: number[] = [];
      for (let tries = 0; places.length < copies && tries < 50; tries++) {
        const at = randomInt(random, 0, columns.length);
        if (used.has(domains[at]!) || (places.length === 0 && serves[at] === 0)) continue;
        used.add(domains[at]!);
        places.push(columns[at]!);
      }
      if (places.length === copies) return places;
    }
  }

  #numberOf(limitMs: number, region: number, level: 'site' | 'target'): number {
    const key = `${limitMs} ${region} ${level}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const { latencyMs, sites, regions } = this.#fleet;
    const columns = [...latencyMs.keys()].filter((at) => region < 0 || (at % sites) % regions === region);
    this.all.push({
      columns: Int32Array.from(columns),
      domains: Int32Array.from(columns, (at) => (level === 'site' ? at % sites : at)),
      serves: Uint8Array.from(columns, (at) => Number(latencyMs[at]! <= limitMs)),
    });
    this.#numbers.set(key, this.all.length - 1);
    return this.all.length - 1;
  }
}

/** What a share of the datasets came to on another day: their size and use, not where they may be. */
export function changedInstance(problem: Assignment, share: number, seed: number): Assignment {
  const random = seededRandom(seed);
  const bytes = Float64Array.from(problem.datasets.bytes);
  const readBytes = Float64Array.from(problem.datasets.readBytes);
  for (let one = 0; one < Math.round(share * problem.datasets.count); one++) {
    const row = randomInt(random, 0, problem.datasets.count);
    bytes[row] = Math.round(bytes[row]! * (0.7 + 0.6 * random.next()));
    readBytes[row] = readBytes[row]! * 3 * random.next();
  }
  return { ...problem, datasets: { ...problem.datasets, bytes, readBytes } };
}

const limitsMs = [5, 15, 40, Infinity] as const;
/** Dollars a month, a read GB, a million requests; in the range of on-premises shelves and public list prices. */
const kinds = [
  { holdPerGb: 0.1, readPerGb: 0, perMillion: 0, latencyMs: 2, minimumDays: 0, minimumObjectBytes: 0 },
  { holdPerGb: 0.045, readPerGb: 0.01, perMillion: 0.1, latencyMs: 8, minimumDays: 0, minimumObjectBytes: 0 },
  { holdPerGb: 0.0125, readPerGb: 0.05, perMillion: 1, latencyMs: 120, minimumDays: 90, minimumObjectBytes: 131_072 },
  { holdPerGb: 0.023, readPerGb: 0.02, perMillion: 0.4, latencyMs: 25, minimumDays: 0, minimumObjectBytes: 0 },
] as const;
