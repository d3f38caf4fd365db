import { randomInt, seededRandom } from '@data-in-motion/shared/random';
import type { Assignment, PlaceRule } from '../src/placement/assignment.ts';

/**
 * A made-up fleet to place: targets of four classes (fast, usual, archive, cloud) over sites and regions, datasets of log-normal size with readers, at most
 * three copies, a latency they may not exceed, for a quarter of them one region they may not leave, and copies in different sites (for a fifth on
 * different targets). Each copy stands on a random allowed target now; capacities are what that needs and 8 %, so there is an answer, and the cheap targets are full in it.
 * Dollars for a month.
 */
export function assignmentInstance(count: number, targetCount: number, seed: number): Assignment {
  const random = seededRandom(seed);
  const between = (low: number, high: number): number => low + (high - low) * random.next();
  const sites = Math.max(4, Math.round(targetCount / 3));
  const regions = Math.max(2, Math.round(sites / 3));
  const column = (fill: (at: number, kind: (typeof kinds)[number]) => number): Float64Array =>
    Float64Array.from({ length: targetCount }, (_, at) => fill(at, kinds[Math.floor(at / sites) % kinds.length]!));
  const latencyMs = column((_, kind) => kind.latencyMs * between(0.7, 1.3));
  const targets = {
    count: targetCount,
    capacityBytes: new Float64Array(targetCount),
    holdPerByte: column((_, kind) => (kind.holdPerGb / 1e9) * between(0.8, 1.2)),
    readPerByte: column((_, kind) => (kind.readPerGb + between(0, 0.02)) / 1e9),
    perRequest: column((_, kind) => kind.perMillion / 1e6),
    arrivePerByte: column(() => between(0.005, 0.02) / 1e9),
  };
  const minimumDays = column((_, kind) => kind.minimumDays);

  const rules: PlaceRule[] = [];
  const ruleNumber = new Map<string, number>();
  const ruleOf = (limitMs: number, region: number, level: 'site' | 'target'): number => {
    const key = `${limitMs} ${region} ${level}`;
    const known = ruleNumber.get(key);
    if (known !== undefined) return known;
    const columns = [...latencyMs.keys()].filter((at) => latencyMs[at]! <= limitMs && (region < 0 || (at % sites) % regions === region));
    rules.push({ columns: Int32Array.from(columns), domains: Int32Array.from(columns, (at) => (level === 'site' ? at % sites : at)) });
    ruleNumber.set(key, rules.length - 1);
    return rules.length - 1;
  };

  const heldWidth = 3;
  const datasets = {
    count,
    bytes: new Float64Array(count),
    readBytes: new Float64Array(count),
    requests: new Float64Array(count),
    copies: new Uint8Array(count),
    rule: new Uint16Array(count),
    heldWidth,
    held: new Int16Array(count * heldWidth).fill(-1),
    stayCredit: new Float32Array(count * heldWidth),
  };
  for (let row = 0; row < count; row++) {
    let normal = -3;
    for (let one = 0; one < 6; one++) normal += random.next();
    const bytes = Math.round(1e9 * Math.exp(3 + 1.7 * normal));
    datasets.bytes[row] = bytes;
    datasets.readBytes[row] = bytes * Math.min(30, 0.2 / (random.next() + 0.01));
    datasets.requests[row] = datasets.readBytes[row]! / 8e6;
    const draw = random.next();
    let copies = draw < 0.3 ? 1 : draw < 0.75 ? 2 : 3;
    let limit = randomInt(random, 0, limitsMs.length);
    let region = random.next() < 0.25 ? randomInt(random, 0, regions) : -1;
    const level = random.next() < 0.2 ? 'target' : 'site';
    let rule = ruleOf(limitsMs[limit]!, region, level);
    while (new Set(rules[rule]!.domains).size < copies) {
      if (limit < limitsMs.length - 1) limit++;
      else if (region >= 0) region = -1;
      else copies--;
      rule = ruleOf(limitsMs[limit]!, region, level);
    }
    datasets.copies[row] = copies;
    datasets.rule[row] = rule;
    const { columns, domains } = rules[rule]!;
    const used = new Set<number>();
    for (let slot = 0; slot < copies; ) {
      const at = randomInt(random, 0, columns.length);
      if (used.has(domains[at]!)) continue;
      used.add(domains[at]!);
      const place = columns[at]!;
      const feeDays = Math.max(0, minimumDays[place]! - between(0, 180));
      datasets.held[row * heldWidth + slot] = place;
      datasets.stayCredit[row * heldWidth + slot] = bytes * (targets.arrivePerByte[place]! + (targets.holdPerByte[place]! * feeDays) / 30);
      targets.capacityBytes[place]! += bytes;
      slot++;
    }
  }
  for (let at = 0; at < targetCount; at++) targets.capacityBytes[at] = Math.ceil(targets.capacityBytes[at]! * 1.08);
  return { datasets, targets, rules, missingPerCopy: 100, missingPerByte: 10 / 1e9 };
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
  { holdPerGb: 0.1, readPerGb: 0, perMillion: 0, latencyMs: 2, minimumDays: 0 },
  { holdPerGb: 0.045, readPerGb: 0.01, perMillion: 0.1, latencyMs: 8, minimumDays: 0 },
  { holdPerGb: 0.0125, readPerGb: 0.05, perMillion: 1, latencyMs: 120, minimumDays: 90 },
  { holdPerGb: 0.023, readPerGb: 0.02, perMillion: 0.4, latencyMs: 25, minimumDays: 0 },
] as const;
