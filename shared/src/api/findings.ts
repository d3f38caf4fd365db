import { z } from 'zod';
import { policyModes } from '../domain/policy.ts';
import { findingSeverities, findingView } from './datasets.ts';
import { planView } from './decisions.ts';
import { listOf } from './fleet.ts';

export const findingRow = findingView.extend({
  datasetId: z.string(),
  owner: z.string(),
  sizeBytes: z.number(),
  mode: z.enum(policyModes),
  /** A job of the dataset is under way. */
  working: z.boolean(),
});
export type FindingRow = z.infer<typeof findingRow>;

export const findingsQuery = z.object({
  severity: z.enum(findingSeverities).optional(),
  rule: z.string().max(60).optional(),
  dataset: z.string().max(63).optional(),
  owner: z.string().max(120).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
  /** `next` of the page before. */
  before: z.string().max(200).optional(),
});

/** GET /v1/findings. The worst first, then by dataset; the counts are of the whole fleet, whatever was asked for. */
export const findingsView = listOf(findingRow).extend({
  datasets: z.number().int(),
  bySeverity: z.object({ error: z.number().int(), warning: z.number().int(), info: z.number().int() }),
  byRule: z.record(z.string(), z.number().int()),
});
export type FindingsView = z.infer<typeof findingsView>;

/** POST /v1/findings/apply */
export const findingsApplyRequest = z.strictObject({ datasetId: z.string().min(1).max(63) });
export const findingsApplied = z.object({ datasetId: z.string(), plan: planView, jobs: z.array(z.string()) });
