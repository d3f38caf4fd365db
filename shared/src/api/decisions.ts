import { z } from 'zod';
import { jobPurposes, jobStates } from '../domain/job.ts';
import { costParts } from './datasets.ts';
import { objectiveParts } from './explanation.ts';
import { planDifference } from './plan-difference.ts';

export const needKinds = [
  'add-copy',
  'drop-copy',
  'evacuate-device',
  'replace-bad-copy',
  'drop-stale-copy',
  'leave-forbidden-place',
  'follow-heat',
  'cheaper-place',
] as const;

/** How far a move of an applied plan is. `waiting` for its turn · `running` it is a job · `done` its new copy stands, or the old one has left · `failed` its job was given up · `left-out` the plan stopped before it, or was called off. */
export const moveStages = ['waiting', 'running', 'done', 'failed', 'left-out'] as const;
export type MoveStage = (typeof moveStages)[number];

export const moveView = z.object({
  moveId: z.string(),
  /** Position in the plan, from 1: the order in which moves are begun. */
  order: z.number().int().optional(),
  datasetId: z.string(),
  need: z.enum(needKinds),
  action: z.enum(['copy', 'move', 'retire']),
  fromTargetId: z.string().nullable(),
  toTargetId: z.string().nullable(),
  /** Where the bytes are read, by which the move is priced: not always the place that it leaves. Null where none are; absent in plans of before. */
  readTargetId: z.string().nullable().optional(),
  sizeBytes: z.number(),
  reason: z.string(),
  /** 0 to 1. */
  confidence: z.number(),
  costBefore: costParts.nullable(),
  costAfter: costParts.nullable(),
  /** Storage, requests, retrieval and egress together: after minus before; negative saves. */
  changePerMonth: z.number(),
  migrationOnce: z.number(),
  /** Days until the saving has paid the move; null when it does not save (it is needed for safety). */
  paybackDays: z.number().nullable(),
  expectedMs: z.number().nullable(),
  /** When the plan was made: `advised` waits for a person (advisory mode, or below the cutoff), `admitted` became a job, `held` a limit or hysteresis holds it back. */
  verdict: z.enum(['admitted', 'advised', 'held']),
  heldBecause: z.string().nullable(),
  jobId: z.string().nullable(),
  /** Of an applied plan: how far it is, why it waits or was left out, and how many wait before it. */
  progress: z.object({ stage: z.enum(moveStages), because: z.string().nullable(), place: z.number().int().nullable() }).optional(),
});
export type MoveView = z.infer<typeof moveView>;

export const planExecution = z.object({
  /** `stopped`: something has changed, see `differences` · `called-off`: by a person, see `calledOff`. In both what runs is finished, nothing else is begun. */
  state: z.enum(['running', 'stopped', 'called-off', 'done']),
  done: z.number().int(),
  running: z.number().int(),
  waiting: z.number().int(),
  failed: z.number().int(),
  leftOut: z.number().int(),
  appliedAtMs: z.number(),
  endedAtMs: z.number().nullable(),
  /** Why it stopped. */
  differences: z.array(planDifference),
  /** The plan that was made instead, as an offer. */
  newPlanId: z.string().nullable(),
  calledOff: z.object({ by: z.string(), atMs: z.number() }).optional(),
});
export type PlanExecution = z.infer<typeof planExecution>;

export const planView = z.object({
  planId: z.string(),
  madeAtMs: z.number(),
  dryRun: z.boolean(),
  /** Only these were looked at; left out for the whole fleet. */
  datasetIds: z.array(z.string()).optional(),
  state: z.enum(['current', 'applied', 'superseded', 'preview']),
  solver: z.string(),
  solvedInMs: z.number(),
  objectivePerMonth: z.number(),
  lowerBoundPerMonth: z.number(),
  costBeforePerMonth: z.number(),
  costAfterPerMonth: z.number(),
  migrationOnce: z.number(),
  moves: z.array(moveView),
  infeasible: z.array(z.object({ datasetId: z.string(), rules: z.array(z.string()), cheapestWayOut: z.string() })),
  /** What is minimised, by part, US dollars a month. */
  parts: objectiveParts.optional(),
  /** How far the plan can be from the best at most, as a share. */
  gap: z.number().optional(),
  /** What would pay and was left for a later plan, since this one is long enough. */
  leftForLater: z.object({ moves: z.number().int(), savesPerMonth: z.number() }).optional(),
  /** Targets whose room binds, with what one more TB there would save each month. */
  full: z.array(z.object({ targetId: z.string(), dollarsPerTbMonth: z.number() })).optional(),
  /** Until when no other plan takes the room that this preview needs; null when none is held (any more). */
  roomHeldUntilMs: z.number().nullable().optional(),
  /** SHA-256 of the facts that the plan rests on, measurements apart. */
  basis: z.string().optional(),
  /** What has changed of them since; only where one plan is asked for, and while it can be applied. Empty: it still holds. */
  differences: z.array(planDifference).optional(),
  /** Once it is applied. */
  execution: planExecution.optional(),
});
export type PlanView = z.infer<typeof planView>;
/** A plan in a list: its moves counted. A plan of thousands of them is megabytes. */
export const planSummary = planView
  .pick({
    planId: true,
    madeAtMs: true,
    state: true,
    solver: true,
    solvedInMs: true,
    costBeforePerMonth: true,
    costAfterPerMonth: true,
    migrationOnce: true,
    roomHeldUntilMs: true,
    execution: true,
  })
  .extend({
    /** How many datasets were looked at; null: all. */
    datasets: z.number().int().nullable(),
    moves: z.number().int(),
    /** Of them, those that became jobs. */
    jobs: z.number().int(),
    /** What they bring to other places; what is only let go of is not counted. */
    bytes: z.number(),
  });
export type PlanSummary = z.infer<typeof planSummary>;

export const planRequest = z.strictObject({ dryRun: z.boolean().default(true), datasetIds: z.array(z.string()).max(10_000).optional() });

export const jobView = z.object({
  jobId: z.string(),
  key: z.string(),
  datasetId: z.string(),
  purpose: z.enum(jobPurposes),
  state: z.enum(jobStates),
  need: z.string().nullable(),
  reason: z.string(),
  fromTargetId: z.string().nullable(),
  toTargetId: z.string().nullable(),
  agentNodeId: z.string().nullable(),
  epoch: z.number().int(),
  attempt: z.number().int(),
  /** When it is tried again, for waiting states. */
  notBeforeMs: z.number().nullable(),
  waitingBecause: z.string().nullable(),
  error: z.object({ class: z.string(), code: z.string(), message: z.string(), hint: z.string().nullable() }).nullable(),
  progress: z
    .object({
      step: z.string(),
      objectsDone: z.number(),
      objectsTotal: z.number(),
      bytesDone: z.number(),
      bytesTotal: z.number(),
      bytesPerSec: z.number(),
      remainingMs: z.number().nullable(),
      atMs: z.number(),
    })
    .nullable(),
  sizeBytes: z.number(),
  movedBytes: z.number(),
  createdAtMs: z.number(),
  startedAtMs: z.number().nullable(),
  endedAtMs: z.number().nullable(),
  transitions: z.array(z.object({ atMs: z.number(), from: z.string(), event: z.string(), to: z.string() })).optional(),
});
export type JobView = z.infer<typeof jobView>;

export const recommendationView = moveView.extend({ recommendationId: z.string(), planId: z.string(), madeAtMs: z.number(), judge: z.string() });
export type RecommendationView = z.infer<typeof recommendationView>;

const recoveryOutcome = z.object({
  kind: z.enum(['device', 'node', 'site']),
  /** What dies. */
  id: z.string(),
  copiesLeft: z.number().int(),
  /** Readers use a copy that stays. */
  readersGoOn: z.boolean(),
  /** The newest version of which a verified copy stays; null: nothing stays. */
  versionId: z.string().nullable(),
  /** Recovery point: when that version was made. */
  pointAtMs: z.number().nullable(),
  /** How much older it is than the version that readers have now; null when nothing stays. */
  behindMs: z.number().nullable(),
  bestTargetId: z.string().nullable(),
  /** Recovery time: reading all of it at the fastest place that is left; null when nothing stays, or nothing was measured. */
  restoreMs: z.number().nullable(),
});

export const recoveryView = z.object({
  asOfMs: z.number(),
  /** All that one loss would do, the worst first. */
  disasters: z.array(
    z.object({
      kind: z.enum(['device', 'node', 'site']),
      id: z.string(),
      datasets: z.number().int(),
      lost: z.number().int(),
      setBack: z.number().int(),
      short: z.number().int(),
      lostBytes: z.number(),
      restoreMs: z.number().nullable(),
    }),
  ),
  /** Each dataset with the worst device, node and site to lose. */
  datasets: z.array(z.object({ datasetId: z.string(), sizeBytes: z.number(), copiesWanted: z.number().int(), worst: z.array(recoveryOutcome) })),
});
export type RecoveryView = z.infer<typeof recoveryView>;

export const eventView = z.object({
  /** Grows by one; the event stream's id. */
  seq: z.number().int(),
  atMs: z.number(),
  /** `job.transition`, `dataset.pointer-moved`, `device.level-changed`, `plan.made`, `sync_conflict`, `alert.raised` … */
  type: z.string(),
  severity: z.enum(['info', 'warning', 'error']),
  text: z.string(),
  ids: z.record(z.string(), z.union([z.string(), z.number()])),
  by: z.string(),
});
export type EventView = z.infer<typeof eventView>;

export const alertView = z.object({
  alertId: z.string(),
  rule: z.string(),
  severity: z.enum(['info', 'warning', 'error']),
  text: z.string(),
  ids: z.record(z.string(), z.union([z.string(), z.number()])),
  sinceMs: z.number(),
  endedAtMs: z.number().nullable(),
  times: z.number().int(),
});
export type AlertView = z.infer<typeof alertView>;

export const auditView = z.object({
  seq: z.number(),
  atMs: z.number(),
  who: z.string(),
  role: z.string(),
  action: z.string(),
  subject: z.string(),
  detail: z.record(z.string(), z.unknown()),
  outcome: z.string(),
});
export type AuditView = z.infer<typeof auditView>;
