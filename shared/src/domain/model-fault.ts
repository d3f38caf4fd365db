import { driveFeatureNames } from './drive-features.ts';
import type { Calibration, FailureModel, TreeColumns } from './failure-model.ts';
import type { DistributedFeature, FeatureDistribution } from './feature-distribution.ts';

type Loose<Shape> = { readonly [Name in keyof Shape]?: unknown };

const horizons = [7, 30];
const known = new Set(driveFeatureNames);

/**
 * Why something can not be run as a failure model, in words; null when it can. Asked wherever a model comes in: a tree that leads back to itself
 * would never end, a missing number would be taken for 0.
 */
export function modelFault(artifact: unknown): string | null {
  if (!isRecord(artifact)) return 'it is not an object';
  const { format, name, version, features, base, trees, calibration, levels, trained, distribution } = artifact as Loose<FailureModel>;
  if (format !== 1) return `its format is ${JSON.stringify(format)}, not 1`;
  if (!isName(name) || !isName(version)) return 'it has no name or no version';
  if (!isListOf(features, isName) || features.length === 0) return 'it names no features';
  const unknown = features.filter((feature) => !known.has(feature));
  if (unknown.length > 0) return `it asks for features that are not known here: ${unknown.slice(0, 5).join(', ')}`;
  if (!isNumber(base)) return 'its base is not a number';
  return treesFault(trees, features.length) ?? calibrationFault(calibration) ?? levelsFault(levels) ?? trainedFault(trained) ?? distributionFault(distribution);
}

function treesFault(trees: unknown, features: number): string | null {
  if (!isRecord(trees)) return 'it has no trees';
  for (const column of ['roots', 'feature', 'threshold', 'left', 'right', 'missingLeft', 'value'] as const satisfies readonly (keyof TreeColumns)[])
    if (!isListOf(trees[column], isNumber)) return `trees.${column} is not a list of numbers`;
  const { roots, feature, threshold, left, right, missingLeft, value } = trees as unknown as TreeColumns;
  const nodes = feature.length;
  if ([threshold, left, right, missingLeft, value].some((column) => column.length !== nodes)) return 'its trees have columns of different lengths';
  if (!roots.every((root) => isPlace(root, 0, nodes))) return 'a root is not one of its nodes';
  const wrong = feature.findIndex((asked, node) => {
    if (asked === -1) return false;
    const goesOn = [left[node]!, right[node]!].every((child) => isPlace(child, node + 1, nodes));
    return !isPlace(asked, 0, features) || !goesOn || (missingLeft[node] !== 0 && missingLeft[node] !== 1);
  });
  return wrong === -1 ? null : `node ${wrong} of its trees asks for no feature, or does not lead on to nodes behind it`;
}

function calibrationFault(calibration: unknown): string | null {
  if (!isListOf(calibration, isRecord)) return 'it has no calibration';
  for (const horizonDays of horizons) {
    const curve = calibration.find((one) => one['horizonDays'] === horizonDays);
    if (curve === undefined) return `it has no calibration for ${horizonDays} days`;
    const { logOdds, probability } = curve as Loose<Calibration>;
    const isCurve = isRising(logOdds) && isRising(probability) && logOdds.length === probability.length && logOdds.length > 0;
    if (!isCurve || probability[0]! < 0 || probability.at(-1)! > 1) return `its calibration for ${horizonDays} days is not a rising curve between 0 and 1`;
  }
  return null;
}

function levelsFault(levels: unknown): string | null {
  const bounds = isRecord(levels) ? [0, levels['watch'], levels['at-risk'], levels['failing'], 1] : [];
  return isRising(bounds) && bounds.length > 0 ? null : 'its levels do not rise from 0 to 1';
}

function trainedFault(trained: unknown): string | null {
  if (!isRecord(trained)) return 'it does not say what it was trained on';
  const isTold =
    ['dataHash', 'from', 'to'].every((name) => typeof trained[name] === 'string') && ['drives', 'failures', 'seed'].every((n) => isNumber(trained[n]));
  return isTold && isRecord(trained['parameters']) ? null : 'it does not say in full what it was trained on';
}

/** Models keep one since not always, and nothing is judged by it. */
function distributionFault(distribution: unknown): string | null {
  if (distribution === undefined) return null;
  const { drives, looks, features } = (isRecord(distribution) ? distribution : {}) as Loose<FeatureDistribution>;
  if (!isCount(drives) || !isCount(looks) || !isListOf(features, isRecord)) return 'its distribution does not say of how many drives it is';
  const wrong = features.find(({ feature, median, edges, counts }: Loose<DistributedFeature>) => {
    const isBinned = isRising(edges) && isListOf(counts, isCount) && counts.length === edges.length + 2;
    return !isName(feature) || !(median === null || isNumber(median)) || !isBinned;
  });
  return wrong === undefined ? null : `its distribution of ${JSON.stringify(wrong['feature'])} is not one of counts in bins that rise`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOf<Item>(value: unknown, is: (item: unknown) => item is Item): value is Item[] {
  return Array.isArray(value) && value.every((item) => is(item));
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 120;
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}

function isRising(value: unknown): value is number[] {
  return isListOf(value, isNumber) && value.every((one, i) => i === 0 || value[i - 1]! <= one);
}

function isPlace(value: number, from: number, end: number): boolean {
  return Number.isInteger(value) && value >= from && value < end;
}
