import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { driveFeatureNames } from '@data-in-motion/shared/domain/drive-features';
import type { DrivePoint } from '@data-in-motion/shared/domain/drive-history';
import type { FailureModel, TreeColumns } from '@data-in-motion/shared/domain/failure-model';
import { type Random, randomInt, seededRandom } from '@data-in-motion/shared/random';

const shippedFile = path.resolve(import.meta.dirname, '../../control-plane/models/drive-failure.json');

/** The model that is shipped, or an invented one of the same kind where there is none: 160 trees of 16 leaves. */
export function modelToMeasure(): { readonly from: 'shipped' | 'invented'; readonly model: FailureModel } {
  if (existsSync(shippedFile)) return { from: 'shipped', model: JSON.parse(readFileSync(shippedFile, 'utf8')) };
  return { from: 'invented', model: inventedModel(160, 4, seededRandom(1)) };
}

function inventedModel(trees: number, depth: number, random: Random): FailureModel {
  const columns = { roots: [], feature: [], threshold: [], left: [], right: [], missingLeft: [], value: [] } as { [Column in keyof TreeColumns]: number[] };
  const grow = (levels: number): number => {
    const place = columns.feature.length;
    columns.feature.push(levels === 0 ? -1 : randomInt(random, 0, driveFeatureNames.length - 1));
    columns.threshold.push(levels === 0 ? 0 : random.next() * 40);
    columns.missingLeft.push(Number(random.next() < 0.5));
    columns.value.push((random.next() - 0.5) / 10);
    columns.left.push(0);
    columns.right.push(0);
    if (levels > 0) {
      columns.left[place] = grow(levels - 1);
      columns.right[place] = grow(levels - 1);
    }
    return place;
  };
  for (let tree = 0; tree < trees; tree++) columns.roots.push(grow(depth));
  const curve = Array.from({ length: 40 }, (_, i) => i / 40);
  return {
    format: 1,
    name: 'invented',
    version: '000000000000',
    features: driveFeatureNames,
    base: -5,
    trees: columns,
    calibration: ([7, 30] as const).map((horizonDays) => ({ horizonDays, logOdds: curve.map((at) => at * 20 - 10), probability: curve.map((at) => at ** 2) })),
    levels: { watch: 0.2, 'at-risk': 0.5, failing: 0.8 },
    trained: { dataHash: '', from: '', to: '', drives: 0, failures: 0, seed: 1, parameters: {} },
  };
}

/** The points of a drive with some damage, as the history of two years keeps them. */
export function pointsOfDrive(random: Random, days: readonly number[]): DrivePoint[] {
  const counts: Record<string, number> = { 5: 0, 10: 0, 12: 8, 187: 0, 188: 0, 189: 0, 196: 0, 197: 0, 198: 0 };
  return days.map((day) => {
    for (const attribute of [5, 187, 188]) if (random.next() < 0.03) counts[attribute] = counts[attribute]! + 8;
    counts[197] = random.next() < 0.05 ? 8 : 0;
    return { day, powerOnHours: day * 24, smart: { ...counts } };
  });
}

/** Days of which a reading is kept, oldest first: a week apart, then one a day. */
export function daysKept(lastDay: number): number[] {
  return [...Array.from({ length: 90 }, (_, i) => lastDay - 100 - 7 * (90 - i)), ...Array.from({ length: 100 }, (_, i) => lastDay - 99 + i)];
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
