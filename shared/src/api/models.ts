import { z } from 'zod';
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

/** GET /v1/models/outcomes: what came of what a version said on this fleet. A decision is a stretch of 30 days in which it scored a drive. */
export const modelOutcome = z.object({
  version: z.string(),
  state: z.enum(modelStates),
  /** Of which it is known whether a failure followed within 30 days, and those of which it is not. */
  decisions: count,
  undecided: count,
  failures: count,
  /** Decisions at which the drive was called at risk or failing, and those of them that a failure followed. */
  alarms: count,
  trueAlarms: count,
  /** Failures with an alarm in the 30 days before. */
  found: count,
  /** Shares are null where there is nothing to divide by. */
  precision: figure,
  recall: figure,
  baseRate: figure,
  /** Median days from a drive's first alarm to its failure. */
  leadDays: z.number().nullable(),
  falseAlarmsPer1000Months: z.number().nullable(),
  /** In words; below 5 failures it says that these are too few. */
  says: z.string(),
});
export type ModelOutcome = z.infer<typeof modelOutcome>;

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
