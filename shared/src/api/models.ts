import { z } from 'zod';
import { riskLevels } from '../domain/assessment.ts';
import { outcomes } from '../domain/drive-outcome.ts';
import { modelStates } from '../domain/model-lifecycle.ts';

const figure = z.number().min(0).max(1).nullable();
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'a day as 2016-01-31');
const count = z.number().int().min(0);

/** What was measured of a model on drives and months that it did not learn from; figures of one `dataHash` can be compared. */
export const modelMetrics = z.object({
  dataHash: z.string().min(1).max(128),
  from: day,
  to: day,
  auc: figure,
  averagePrecision: figure,
  /** By the share of the healthy that is alarmed about. */
  truePositiveRate: z.object({ '0.001': figure, '0.005': figure, '0.01': figure }),
  decisions: count,
  failures: count,
});

/** POST /v1/models. The artifact as it was trained, to the last character: its name is made of its content. */
export const modelRequest = z.strictObject({
  artifact: z.record(z.string(), z.unknown()),
  metrics: modelMetrics.optional(),
});

/** POST /v1/models/{version}/promote */
export const promoteRequest = z.strictObject({ to: z.enum(['shadow', 'active']) });

/** POST /v1/models/{version}/retire and /v1/models/rollback */
export const retireRequest = z.strictObject({ because: z.string().trim().min(1).max(400).optional() });

/** POST /v1/models/train: whoever leads begins within a minute. */
export const trainingAsked = z.object({ asked: z.literal(true) });

export const modelView = z.object({
  version: z.string(),
  name: z.string(),
  state: z.enum(modelStates),
  rev: z.number().int(),
  artifactHash: z.string(),
  /** Of the decisions it learned from. */
  dataHash: z.string(),
  trained: z.object({
    from: z.string(),
    to: z.string(),
    drives: z.number(),
    failures: z.number(),
    seed: z.number(),
    parameters: z.record(z.string(), z.union([z.number(), z.string()])),
  }),
  metrics: modelMetrics.nullable(),
  addedAtMs: z.number(),
  addedBy: z.string(),
  promotedAtMs: z.number().nullable(),
  promotedBy: z.string().nullable(),
  retiredAtMs: z.number().nullable(),
  retiredBecause: z.string().nullable(),
  /** Agents that said that they run it. */
  nodes: z.number().int(),
});
export type ModelView = z.infer<typeof modelView>;

/** Between which the share may well lie, were there more to count; 95 of 100 such ranges hold it. Null where there is nothing to divide by. */
const range = z.object({ low: z.number(), high: z.number() }).nullable();

/** What the alarms from one level on were worth. */
const alarmOutcome = z.object({
  /** Decisions at which the drive was called so, and those of them that a failure followed. */
  alarms: count,
  trueAlarms: count,
  /** Failures with an alarm in the 30 days before. */
  found: count,
  /** Shares are null where there is nothing to divide by. */
  precision: figure,
  precisionRange: range.default(null),
  recall: figure,
  recallRange: range.default(null),
  /** Median days from a drive's first alarm to its failure. */
  leadDays: z.number().nullable(),
  falseAlarmsPer1000Months: z.number().nullable(),
  falseAlarmsRange: range.default(null),
});
export type AlarmOutcome = z.infer<typeof alarmOutcome>;

/**
 * GET /v1/models/outcomes: what came of what a version said on this fleet. A decision is a stretch of 30 days in which it scored a drive.
 * The figures of the alarms are those from at risk on; `failing` has the same of failing alone.
 */
export const modelOutcome = alarmOutcome.extend({
  version: z.string(),
  state: z.enum(modelStates),
  /** Of which it is known whether a failure followed within 30 days, and those of which it is not. */
  decisions: count,
  undecided: count,
  failures: count,
  baseRate: figure,
  baseRateRange: range.default(null),
  /** Null from a control plane that does not tell them apart. */
  failing: alarmOutcome.nullable().default(null),
  /** Whether there are failures enough for their shares to say anything. */
  telling: z.boolean().default(true),
  /** In words; below 5 failures it says that these are too few. */
  says: z.string(),
});
export type ModelOutcome = z.infer<typeof modelOutcome>;

/** GET /v1/models/{version}/comparison: two versions on the same drives and days. `other` is null where there is none to stand beside it. */
export const modelComparison = z.object({
  version: z.string(),
  other: z.string().nullable(),
  /** Drives that both scored, and the first and last day on which both did. */
  drives: count,
  from: day.nullable(),
  to: day.nullable(),
  /** From those drives and days alone: the version, then the other. Empty before both have scored. */
  outcomes: z.array(modelOutcome),
  /** Whether it found significantly more or fewer of the failures, each naming as many drives; `even`: chance would do as much. */
  verdict: z.enum(['too-few', 'ahead', 'behind', 'even']),
  says: z.string(),
  asOfMs: z.number(),
});
export type ModelComparison = z.infer<typeof modelComparison>;

const score = z.object({ p7: z.number(), p30: z.number(), level: z.enum(riskLevels) });

/** What two versions said of one drive on the last day on which both scored it. */
export const scoredDrive = z.object({
  deviceId: z.string(),
  nodeId: z.string(),
  serial: z.string(),
  model: z.string(),
  day,
  score,
  other: score,
  /** What became of it, as far as it is known. */
  outcome: z.enum(outcomes).nullable(),
});
export type ScoredDrive = z.infer<typeof scoredDrive>;

/** GET /v1/models/{version}/scores: the drives of the last 30 days, those that the two disagree about most first. */
export const modelScores = z.object({
  version: z.string(),
  other: z.string().nullable(),
  /** Of all drives that both scored, also of those that `limit` leaves out: who alarms (at risk or failing). */
  agreement: z.object({ both: count, onlyThis: count, onlyOther: count, neither: count }),
  items: z.array(scoredDrive),
  asOfMs: z.number(),
});
export type ModelScores = z.infer<typeof modelScores>;

/** How one feature is distributed over the drives of the fleet now, and was before: in this fleet or where a model was trained. */
export const comparedFeature = z.object({
  feature: z.string(),
  /** As people say it. */
  words: z.string(),
  /** Population stability index, and the bound above which it has drifted: 0.25, or what chance makes of it in a fleet so small. */
  index: z.number(),
  bound: z.number(),
  medianBefore: z.number().nullable(),
  median: z.number().nullable(),
  /** Upper ends of the bins but the last; behind the bins of values stands that of the drives that do not report it. */
  edges: z.array(z.number()),
  sharesBefore: z.array(z.number()),
  shares: z.array(z.number()),
  /** First day of the looks in a row that saw it drifted; null where it has not. */
  driftedSince: day.nullable(),
});
export type ComparedFeature = z.infer<typeof comparedFeature>;

/** GET /v1/models/drift: what the drives report now, feature by feature, beside the first weeks of their model here and beside the drives that it was trained on. */
export const modelDrift = z.object({
  /** The last look; null before the first. Below `leastDrives` nothing is compared. `version` is the active model; null without one. */
  look: z.object({ day, atMs: z.number(), drives: count, version: z.string().nullable(), leastDrives: count, watchedDays: count }).nullable(),
  /** The first weeks in which the model was active, with the drives of their largest look; null as long as there was no look at enough drives. */
  first: z.object({ from: day, to: day, drives: count }).nullable(),
  /** Beside these first weeks, the strongest first. A drift asks for another model. */
  features: z.array(comparedFeature),
  /** The drives that the model was trained on, and the features beside them, the strongest first; that they differ asks for nothing. */
  training: z.object({ from: day, to: day, drives: count, features: z.array(comparedFeature) }).nullable(),
  /** Why there is no `training`, in words; null where there is. */
  trainingUnknownBecause: z.string().nullable(),
  /** Oldest first: of each look the drifted features and the strongest index, and the same (`unlike`) beside the training. */
  history: z.array(z.object({ day, drives: count, drifted: count, strongest: z.number().nullable(), unlike: count, strongestUnlike: z.number().nullable() })),
  asOfMs: z.number(),
});
export type ModelDrift = z.infer<typeof modelDrift>;

/** GET /v1/models/{version}; the whole artifact, which is long, only when it was asked for. */
export const modelDetail = modelView.extend({
  /** How many features it asks for, and trees it asks. */
  features: count,
  trees: count,
  /** Probabilities of failing within 30 days from which a drive is called so. */
  levels: z.object({ watch: z.number(), 'at-risk': z.number(), failing: z.number() }),
  /** What its log-odds are worth as probabilities, for each horizon; rising, and level beyond the ends. */
  calibration: z.array(z.object({ horizonDays: z.number(), logOdds: z.array(z.number()), probability: z.array(z.number()) })),
  artifact: z.record(z.string(), z.unknown()).nullable(),
});
export type ModelDetail = z.infer<typeof modelDetail>;
