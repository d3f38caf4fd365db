import { type Random, randomInt } from '@data-in-motion/shared/random';

/** Decisions that were scored: the same place in each list belongs to one drive on one day. */
export interface Scored {
  readonly driveId: readonly string[];
  readonly score: ArrayLike<number>;
  /** 1: it failed within the horizon. */
  readonly failed: ArrayLike<number>;
}

export interface Quality {
  readonly decisions: number;
  readonly failures: number;
  readonly baseRate: number;
  /** Chance that a decision before a failure scores higher than one that is not; equal scores count half. Null without both kinds. */
  readonly auc: number | null;
  readonly averagePrecision: number | null;
  /** Share of failures above the threshold that lets this share of the others through. */
  readonly truePositiveRate: Readonly<Record<FalsePositiveRate, number | null>>;
  /** Share of failures among all that is above the same threshold. */
  readonly precision: Readonly<Record<FalsePositiveRate, number | null>>;
}

export const falsePositiveRates = ['0.001', '0.005', '0.01'] as const;
export type FalsePositiveRate = (typeof falsePositiveRates)[number];

/** Measure scores against what became of the drives. Where a threshold falls among equal scores, they count in proportion. */
export function measure({ score, failed }: Pick<Scored, 'score' | 'failed'>): Quality {
  const order = Array.from({ length: score.length }, (_, i) => i).sort((a, b) => score[b]! - score[a]!);
  const failures = order.reduce((sum, i) => sum + failed[i]!, 0);
  const others = order.length - failures;
  const both = failures > 0 && others > 0;
  const rates: Record<FalsePositiveRate, number | null> = { '0.001': null, '0.005': null, '0.01': null };
  const precisions = { ...rates };
  let [found, alarms, area, averagePrecision] = [0, 0, 0, 0];
  for (let i = 0; i < order.length; ) {
    let [foundHere, alarmsHere] = [0, 0];
    for (const here = score[order[i]!]!; i < order.length && score[order[i]!] === here; i++) {
      if (failed[order[i]!] === 1) foundHere++;
      else alarmsHere++;
    }
    for (const rate of falsePositiveRates) {
      const room = Number(rate) * others - alarms;
      if (!both || rates[rate] !== null || alarmsHere <= room) continue;
      rates[rate] = (found + (foundHere * room) / alarmsHere) / failures;
      precisions[rate] = (rates[rate] * failures) / (rates[rate] * failures + Number(rate) * others);
    }
    area += alarmsHere * (found + foundHere / 2);
    found += foundHere;
    alarms += alarmsHere;
    averagePrecision += (foundHere / failures) * (found / (found + alarms));
  }
  return {
    decisions: order.length,
    failures,
    baseRate: order.length === 0 ? 0 : failures / order.length,
    auc: both ? area / (failures * others) : null,
    averagePrecision: both ? averagePrecision : null,
    truePositiveRate: rates,
    precision: precisions,
  };
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * 95 % intervals of what `figures` computes, by drawing whole drives with replacement: decisions on one drive resemble each other, so drawing
 * decisions would make the intervals too narrow.
 */
export function intervalsByDrive<Name extends string>(
  scored: Scored,
  figures: (scored: Pick<Scored, 'score' | 'failed'>) => Record<Name, number | null>,
  draws: number,
  random: Random,
): Record<Name, Interval | null> {
  const places = new Map<string, number[]>();
  for (const [i, driveId] of scored.driveId.entries()) {
    const own = places.get(driveId);
    if (own === undefined) places.set(driveId, [i]);
    else own.push(i);
  }
  const drives = [...places.values()];
  const names = Object.keys(figures(scored)) as Name[];
  const drawn = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let draw = 0; draw < draws; draw++) {
    const chosen: number[] = [];
    for (let i = 0; i < drives.length; i++) chosen.push(...drives[randomInt(random, 0, drives.length)]!);
    const values = figures({ score: chosen.map((i) => scored.score[i]!), failed: chosen.map((i) => scored.failed[i]!) });
    for (const [name, value] of Object.entries<number | null>(values)) if (value !== null) drawn.get(name)!.push(value);
  }
  return Object.fromEntries(names.map((name) => [name, middle95(drawn.get(name)!)])) as Record<Name, Interval | null>;
}

function middle95(values: number[]): Interval | null {
  if (values.length < 20) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return { low: sorted[Math.floor(0.025 * (sorted.length - 1))]!, high: sorted[Math.ceil(0.975 * (sorted.length - 1))]! };
}
