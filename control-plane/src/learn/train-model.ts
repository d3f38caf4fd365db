import { createHash } from 'node:crypto';
import { dateOfDay } from '@data-in-motion/shared/domain/calendar-days';
import { driveFeatureDirections, driveFeatureNames } from '@data-in-motion/shared/domain/drive-features';
import { type Calibration, FailureJudge, type FailureModel, type TrainedOn, type TreeColumns } from '@data-in-motion/shared/domain/failure-model';
import type { FeatureDistribution } from '@data-in-motion/shared/domain/feature-distribution';
import { contentVersion } from '@data-in-motion/shared/model-identity';
import { seededRandom } from '@data-in-motion/shared/random';
import { type BinnedRows, binRows, findEdges } from './binned-rows.ts';
import { type BoostedTrees, type BoostSettings, boostTrees, type Labelled } from './boost-trees.ts';
import { calibrate } from './calibrate.ts';
import { type Decisions, failedWithin, rowsWhere, type Sampling, sampleDecisions, shareOfDrives, weightsFor } from './decisions.ts';
import { distributionBefore } from './feature-distribution.ts';
import { type RecordedDrive } from './recorded-drive.ts';

/** One boosted model of the ensemble: what it learns to foretell, and how. */
export interface Member extends BoostSettings {
  readonly horizonDays: number;
  readonly monotone: boolean;
}

export interface TrainSettings {
  readonly fromDay: number;
  /** Nothing from this day on is looked at. */
  readonly untilDay: number;
  readonly seed: number;
  readonly members: readonly Member[];
  readonly sampling: Pick<Sampling, 'marginDays' | 'everyDays' | 'quietShare' | 'nearDays'>;
}

export type Trained =
  | { readonly status: 'trained'; readonly model: FailureModel }
  /** Too little to learn from; nothing is made. */
  | { readonly status: 'too-few'; readonly because: string };

/** With fewer failed drives nothing that holds on others can be learned. */
const leastFailures = 30;
const horizons = [7, 30] as const;
/** Share of the drives that a first model never sees: on them it is known how many trees are of use, and what log-odds are worth. */
const apartShare = 0.3;
/** Of the time looked at, the last part says when to stop. */
const laterShare = 0.4;
/** Trees in a row that did not help. */
const patience = 25;

/** Train the shipped kind of model: an ensemble of boosted trees, its log-odds turned into probabilities on drives it did not learn from. */
export function trainModel(drives: readonly RecordedDrive[], settings: TrainSettings, say: (text: string) => void = () => {}): Trained {
  const decisions = decide(drives, settings, settings.seed);
  const failures = new Set(decisions.drives.filter((_, row) => decisions.daysToFailure[row]! <= 30).map((drive) => drive.driveId)).size;
  if (failures < leastFailures) {
    const because = `${failures} of ${drives.length} drives failed within 30 days of a moment at which they were looked at; at least ${leastFailures} must have`;
    return { status: 'too-few', because };
  }
  const { inside, outside } = shareOfDrives(drives, apartShare, settings.seed);
  say('measuring probabilities on drives that are kept apart');
  const kept = decide(inside, settings, settings.seed + 1);
  const apart = growEnsemble(decide(outside, settings, settings.seed), settings.members, settings.seed, laterPart(kept, settings));
  const calibration = calibrateOn(kept, unfinished(apart, []));
  say('growing the trees');
  // As many trees of each member as were of use on drives and months that it did not learn from.
  const members = settings.members.map((member, place) => ({ ...member, trees: apart.treesOf[place]! }));
  const trees = growEnsemble(decisions, members, settings.seed, null);
  const trained = describe(decisions, settings, members, drives.length, failures);
  const distribution = distributionBefore(drives, settings.fromDay, settings.untilDay);
  return { status: 'trained', model: finish(unfinished(trees, calibration), trained, distribution) };
}

function decide(drives: readonly RecordedDrive[], settings: TrainSettings, seed: number): Decisions {
  return sampleDecisions(drives, { ...settings.sampling, fromDay: settings.fromDay, knownUntilDay: settings.untilDay }, seededRandom(seed));
}

interface Ensemble {
  readonly base: number;
  readonly trees: TreeColumns;
  /** How many trees each member has. */
  readonly treesOf: readonly number[];
}

/** What is judged late in the time looked at. */
function laterPart(decisions: Decisions, settings: TrainSettings): Decisions {
  const fromDay = settings.untilDay - laterShare * (settings.untilDay - settings.fromDay);
  return rowsWhere(decisions, (row) => decisions.days[row]! >= fromDay);
}

/** @param watched decisions on other drives that say when a member has enough trees; null: each grows all that it is told */
function growEnsemble(decisions: Decisions, members: readonly Member[], seed: number, watched: Decisions | null): Ensemble {
  const edges = findEdges(decisions.values, driveFeatureNames.length, seededRandom(seed));
  const data = binRows(decisions.values, edges);
  const watchedData = watched === null ? null : binRows(watched.values, edges);
  const labelled = (of: Decisions, bins: BinnedRows, horizonDays: number): Labelled => ({
    data: bins,
    label: failedWithin(of, horizonDays),
    weight: weightsFor(of, horizonDays),
  });
  const grown = members.map((member, place) =>
    boostTrees(
      labelled(decisions, data, member.horizonDays),
      Int8Array.from(driveFeatureDirections, (direction) => (member.monotone ? direction : 0)),
      member,
      seededRandom(seed * 1_000 + place),
      watched === null || watchedData === null ? null : { rows: labelled(watched, watchedData, member.horizonDays), patience },
    ),
  );
  return columnsOf(grown, edges);
}

/** All trees of all members behind one another; the mean of the members' log-odds is the sum of their shares. */
export function columnsOf(members: readonly BoostedTrees[], edges: readonly Float64Array[]): Ensemble {
  const trees = { roots: [], feature: [], threshold: [], left: [], right: [], missingLeft: [], value: [] } as { [Column in keyof TreeColumns]: number[] };
  const share = 1 / members.length;
  for (const tree of members.flatMap((member) => member.trees)) {
    const from = trees.feature.length;
    trees.roots.push(from);
    for (const [node, feature] of tree.feature.entries()) {
      const isLeaf = feature < 0;
      trees.feature.push(feature);
      // A split behind the last edge asks only whether the value is missing.
      trees.threshold.push(isLeaf ? 0 : short(edges[feature]![tree.bin[node]!]!));
      trees.left.push(isLeaf ? 0 : from + tree.left[node]!);
      trees.right.push(isLeaf ? 0 : from + tree.right[node]!);
      trees.missingLeft.push(tree.missingLeft[node]!);
      trees.value.push(short(tree.value[node]! * share));
    }
  }
  return { base: short(members.reduce((sum, member) => sum + member.base * share, 0)), trees, treesOf: members.map((member) => member.trees.length) };
}

function calibrateOn(decisions: Decisions, model: FailureModel): Calibration[] {
  const judge = new FailureJudge(model);
  const logOdds = Float64Array.from(decisions.days, (_, row) => judge.logOdds(decisions.values, row * driveFeatureNames.length));
  return horizons.map((horizonDays) => calibrate(logOdds, failedWithin(decisions, horizonDays), weightsFor(decisions, horizonDays), horizonDays));
}

function describe(decisions: Decisions, settings: TrainSettings, members: readonly Member[], drives: number, failures: number): TrainedOn {
  const hash = createHash('sha256');
  hash.update(driveFeatureNames.join());
  for (const column of [decisions.values, decisions.daysToFailure, decisions.daysKnown, decisions.weight])
    hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  const parameters = {
    ...settings.sampling,
    ...Object.fromEntries(members.map((member, place) => [`member${place + 1}`, JSON.stringify(member)])),
  };
  return {
    dataHash: hash.digest('hex'),
    from: dateOfDay(settings.fromDay),
    to: dateOfDay(settings.untilDay),
    drives,
    failures,
    seed: settings.seed,
    parameters,
  };
}

function unfinished({ base, trees }: Ensemble, calibration: readonly Calibration[]): FailureModel {
  const levels = { watch: 0, 'at-risk': 0, failing: 0 };
  const trained = { dataHash: '', from: '', to: '', drives: 0, failures: 0, seed: 0, parameters: {} };
  return { format: 1, name: 'drive-failure', version: '', features: driveFeatureNames, base, trees, calibration, levels, trained };
}

function finish(model: FailureModel, trained: TrainedOn, distribution: FeatureDistribution | null): FailureModel {
  const whole = { ...model, levels: levelsOf(trained), trained, ...(distribution === null ? {} : { distribution }) };
  return { ...whole, version: contentVersion(whole) };
}

/** Multiples of the base rate of a month from which a drive is worth a look, a move, and a move now. */
function levelsOf({ failures, drives, from, to }: TrainedOn): FailureModel['levels'] {
  const months = Math.max(1, (Date.parse(to) - Date.parse(from)) / (30 * 86_400_000));
  const monthly = failures / Math.max(1, drives) / months;
  return { watch: short(4 * monthly), 'at-risk': short(Math.min(0.5, 15 * monthly)), failing: short(Math.min(0.8, 100 * monthly)) };
}

function short(value: number): number {
  return Number(value.toPrecision(6));
}
