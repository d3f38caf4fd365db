import { z } from 'zod';
import { namePattern } from '../domain/ids.ts';
import { policyModes, spreads } from '../domain/policy.ts';
import { replicaStates } from '../domain/replica.ts';
import { tierClasses } from '../domain/target.ts';

const name = z.string().regex(namePattern, 'lower case letters, digits, dot, dash and underscore; at most 63 characters, first a letter or digit');

export const policyView = z.strictObject({
  copies: z.number().int().min(1).max(10),
  spread: z.enum(spreads),
  latencySloMs: z.number().positive().max(3_600_000).nullable(),
  maxCostPerGbMonth: z.number().min(0).nullable(),
  regions: z.array(z.string().min(1).max(60)).max(50),
  encryptionRequired: z.boolean(),
  pinnedTargets: z.array(name).max(20),
  forbiddenTargets: z.array(name).max(200),
  mode: z.enum(policyModes),
  probabilityCutoff: z.number().min(0).max(1),
  forecastMargin: z.number().min(0).max(1),
});
export type PolicyView = z.infer<typeof policyView>;
/** Only the fields that are given change; null in `clear` fields goes back to the global policy. */
export const policyPatch = policyView.partial();
export const datasetPolicyPatch = z.strictObject({
  set: policyPatch.default({}),
  clear: z.array(z.enum(Object.keys(policyView.shape) as [keyof PolicyView, ...(keyof PolicyView)[]])).default([]),
});

/** Where a new version comes from: a directory of a node's host, or a seeded sample. */
export const importSource = z.union([
  z.strictObject({ nodeId: name, path: z.string().min(1).max(4_096) }),
  z.strictObject({
    nodeId: name.optional(),
    sampleBytes: z.number().int().min(1).max(1e12),
    seed: z
      .number()
      .int()
      .min(0)
      .max(2 ** 31)
      .default(1),
  }),
]);

export const newDataset = z.strictObject({
  name,
  owner: z.string().min(1).max(120),
  source: importSource,
  policy: policyPatch.default({}),
});
export const newVersion = z.strictObject({ source: importSource });
export const datasetPatch = z.strictObject({ owner: z.string().min(1).max(120).optional() });

export const heatView = z.object({
  class: z.enum(tierClasses),
  score: z.number(),
  confidence: z.number(),
  decidedAtMs: z.number(),
  lastAccessAtMs: z.number().nullable(),
  ewmaPerHour: z.number(),
  windows: z.array(z.object({ window: z.enum(['1h', '6h', '24h']), reads: z.number(), writes: z.number(), readBytes: z.number(), writtenBytes: z.number() })),
  /** What was counted over so many days, as it would be in a month, and how much the forecast weighs against it; absent where too little is known. */
  past: z.object({ readsPerMonth: z.number(), readBytesPerMonth: z.number(), days: z.number(), forecastShare: z.number() }).optional(),
  reason: z.string(),
});

/** US dollars; per month but for `migrationOnce`. */
export const costParts = z.object({
  storagePerMonth: z.number(),
  requestsPerMonth: z.number(),
  /** Plans that were kept before it was told have none. */
  retrievalPerMonth: z.number().default(0),
  egressPerMonth: z.number(),
  migrationOnce: z.number(),
});
export type CostParts = z.infer<typeof costParts>;

export const replicaView = z.object({
  replicaId: z.string(),
  versionId: z.string(),
  targetId: z.string(),
  nodeId: z.string(),
  siteId: z.string(),
  region: z.string(),
  tier: z.enum(tierClasses),
  state: z.enum(replicaStates),
  primary: z.boolean(),
  current: z.boolean(),
  verifiedAtMs: z.number().nullable(),
  verifiedLevel: z.enum(['L0', 'L1', 'L2']).nullable(),
  path: z.string(),
  costPerMonth: z.number(),
  /** Why it is here, in words; more of it in the dataset's explanation. Nothing of a copy that is broken, on its way or in the trash. */
  why: z.string().optional(),
  /** Of every copy that is billed, also in the trash. */
  cost: costParts.optional(),
});
export type ReplicaView = z.infer<typeof replicaView>;

export const findingSeverities = ['error', 'warning', 'info'] as const;
export const findingView = z.object({
  rule: z.string(),
  text: z.string(),
  remedy: z.string(),
  severity: z.enum(findingSeverities),
  /** Where the copy is that it speaks of; null when it is about all copies together. */
  targetId: z.string().nullable(),
  /** Since when, as far as that is known: a drive's level, a node's silence, a plan that found no place. */
  sinceMs: z.number().nullable(),
});

export const datasetView = z.object({
  datasetId: z.string(),
  name: z.string(),
  owner: z.string(),
  /** Compare-and-set version of this resource; also its ETag. */
  rev: z.number().int(),
  createdAtMs: z.number(),
  sizeBytes: z.number(),
  objects: z.number().int(),
  versionId: z.string().nullable(),
  root: z.string().nullable(),
  copiesWanted: z.number().int(),
  copiesVerified: z.number().int(),
  tier: z.enum(tierClasses).nullable(),
  heat: heatView.nullable(),
  costPerMonth: z.number(),
  policyState: z.enum(['met', 'working', 'short', 'infeasible', 'empty']),
  primary: z.object({ replicaId: z.string(), targetId: z.string(), nodeId: z.string(), pointerRev: z.number().int() }).nullable(),
});
export type DatasetView = z.infer<typeof datasetView>;

export const datasetDetail = z.object({
  dataset: datasetView,
  policy: policyView,
  /** The fields that are the dataset's own. */
  ownPolicy: policyPatch,
  findings: z.array(findingView),
  replicas: z.array(replicaView),
  versions: z.array(
    z.object({
      versionId: z.string(),
      root: z.string(),
      objects: z.number(),
      sizeBytes: z.number(),
      committedAtMs: z.number(),
      current: z.boolean(),
      /** What a person should know of its scan: what was left out, and why. */
      notes: z.array(z.string()),
    }),
  ),
  /** Accesses per hour of the last 7 days, oldest first; 168 numbers. */
  accessByHour: z.array(z.number()),
  history: z.array(z.object({ atMs: z.number(), text: z.string() })),
});
export type DatasetDetail = z.infer<typeof datasetDetail>;

export const datasetLocation = z.object({
  datasetId: z.string(),
  versionId: z.string(),
  replicaId: z.string(),
  targetId: z.string(),
  nodeId: z.string(),
  path: z.string(),
  root: z.string(),
  verifiedAtMs: z.number(),
  copies: z.array(z.object({ nodeId: z.string(), targetId: z.string(), path: z.string() })),
});
export type DatasetLocation = z.infer<typeof datasetLocation>;
