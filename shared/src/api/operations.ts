import { z } from 'zod';
import { faultKinds } from '../domain/fault-hooks.ts';

/** POST /v1/access-events. Times may be left out: now. */
export const accessEventsRequest = z.strictObject({
  accesses: z
    .array(
      z.strictObject({
        accessId: z.string().min(1).max(200).optional(),
        datasetId: z.string().min(1).max(63),
        kind: z.enum(['read', 'write']).default('read'),
        count: z.number().int().min(1).max(1_000_000).default(1),
        bytes: z.number().int().min(0).max(1e15).default(0),
        atMs: z.number().int().min(0).optional(),
        latencyMs: z.number().min(0).nullable().default(null),
      }),
    )
    .min(1)
    .max(5_000),
});
export const accessEventsAnswer = z.object({ accepted: z.number(), repeated: z.number() });

/** POST /v1/simulate/burst */
export const burstRequest = z.strictObject({
  events: z.number().int().min(1).max(100_000).default(1_000),
  dataset_ids: z.array(z.string()).max(1_000).optional(),
  include_moves: z.boolean().default(false),
  seed: z.number().int().optional(),
});
export const burstAnswer = z.object({ events: z.number(), datasets: z.number(), planId: z.string().nullable(), jobs: z.number() });
export type BurstAnswer = z.infer<typeof burstAnswer>;

export const consistencyView = z.object({
  asOfMs: z.number(),
  inStep: z.boolean(),
  sentence: z.string(),
  items: z.array(
    z.object({
      kind: z.enum([
        'missing-copy',
        'corrupt-copy',
        'stale-copy',
        'surplus-copy',
        'lost-node',
        'returned-node',
        'pointer-unverified',
        'conflict',
        'unknown-data',
        'late-batch',
        'pending-command',
      ]),
      datasetId: z.string().nullable(),
      targetId: z.string().nullable(),
      nodeId: z.string().nullable(),
      text: z.string(),
      sinceMs: z.number().nullable(),
      state: z.enum(['pending', 'working', 'waiting', 'needs-person']),
      jobId: z.string().nullable(),
      attempts: z.number().int(),
    }),
  ),
  streams: z.array(
    z.object({
      nodeId: z.string(),
      incarnation: z.number(),
      watermark: z.number(),
      highestSeen: z.number(),
      holes: z.number(),
      /** Batches that were seen of earlier lives of the agent (its journal was lost) and will not come any more. */
      lostBefore: z.number(),
      desiredRev: z.number(),
      observedRev: z.number(),
      lastBatchAtMs: z.number().nullable(),
    }),
  ),
  scrub: z.object({ lastAtMs: z.number().nullable(), oldestVerifiedAtMs: z.number().nullable(), everyMs: z.number(), due: z.number().int() }),
  quarantined: z.number().int(),
  syncConflicts: z.number().int(),
  quarantine: z.array(z.object({ id: z.string(), atMs: z.number(), topic: z.string(), because: z.string(), bytes: z.number() })),
});
export type ConsistencyView = z.infer<typeof consistencyView>;

export const experimentRequest = z.strictObject({
  kind: z.enum(Object.keys(faultKinds) as [keyof typeof faultKinds, ...(keyof typeof faultKinds)[]]),
  /** Target, replica, device or node, as the kind says. */
  subject: z.string().min(1).max(200),
  parameters: z.record(z.string().max(40), z.union([z.string().max(200), z.number()])).default({}),
  ttlMs: z.number().int().min(1_000).max(900_000).default(60_000),
  seed: z.number().int().min(0).default(1),
});
export const experimentView = z.object({
  experimentId: z.string(),
  kind: z.string(),
  subject: z.string(),
  nodeId: z.string(),
  parameters: z.record(z.string(), z.union([z.string(), z.number()])),
  state: z.enum(['sent', 'armed', 'refused', 'undone', 'expired']),
  detail: z.string(),
  startedAtMs: z.number(),
  endsAtMs: z.number(),
  endedAtMs: z.number().nullable(),
});
export type ExperimentView = z.infer<typeof experimentView>;
export const chaosView = z.object({
  allowed: z.boolean(),
  armed: z.array(experimentView),
  recent: z.array(experimentView),
  /** Each parameter with the value that it takes unless another is given. */
  kinds: z.array(z.object({ kind: z.string(), on: z.string(), parameters: z.record(z.string(), z.union([z.string(), z.number()])), says: z.string() })),
  invariants: z.array(z.object({ name: z.string(), says: z.string(), holds: z.boolean(), detail: z.string() })),
});
export type ChaosView = z.infer<typeof chaosView>;

export const certificateView = z.object({
  certificateId: z.string(),
  deviceId: z.string(),
  nodeId: z.string(),
  issuedAtMs: z.number(),
  state: z.enum(['open', 'complete']),
  replicas: z.number().int(),
  outcome: z.string().nullable(),
  verified: z.boolean(),
});
export type CertificateView = z.infer<typeof certificateView>;

/** What the signed body of an evacuation certificate says; `dim certificate verify` checks it without a server. */
export const certificateBody = z.object({
  v: z.literal(1),
  kind: z.literal('evacuation'),
  certificateId: z.string(),
  issuedAtMs: z.number(),
  device: z.object({ deviceId: z.string(), serial: z.string(), model: z.string(), nodeId: z.string(), siteId: z.string(), targetIds: z.array(z.string()) }),
  judge: z.object({ kind: z.enum(['rule', 'model']), name: z.string(), version: z.string() }),
  alarm: z.object({
    atMs: z.number(),
    recordedDay: z.string().nullable(),
    level: z.string(),
    probability: z.number().nullable(),
    reasons: z.array(z.string()),
  }),
  readings: z.array(z.object({ atMs: z.number(), recordedDay: z.string().nullable(), smart: z.record(z.string(), z.number()) })),
  replicas: z.array(
    z.object({
      datasetId: z.string(),
      versionId: z.string(),
      root: z.string(),
      objects: z.number(),
      bytes: z.number(),
      from: z.object({ replicaId: z.string(), targetId: z.string(), nodeId: z.string() }),
      to: z.object({ replicaId: z.string(), targetId: z.string(), nodeId: z.string() }),
      /** Root as read back at the new place. */
      verifiedRoot: z.string(),
      verifiedAtMs: z.number(),
      switchedAtMs: z.number().nullable(),
      retiredAtMs: z.number().nullable(),
      keptBecause: z.string().nullable(),
      /** Only of a copy that left without a move because enough others exist: all that stayed (`to` is one of them), and why it left. */
      others: z.array(z.object({ replicaId: z.string(), targetId: z.string(), nodeId: z.string() })).optional(),
      leftBecause: z.string().optional(),
    }),
  ),
  emptyAtMs: z.number().nullable(),
  /** What became of the drive later: when it last answered, whether it failed. */
  outcome: z
    .object({ atMs: z.number(), state: z.enum(['alive', 'failed', 'recovered', 'replaced']), recordedDay: z.string().nullable(), text: z.string() })
    .nullable(),
});
export type CertificateBody = z.infer<typeof certificateBody>;
export const certificateDocument = z.object({ body: z.string(), signature: z.string(), keyId: z.string(), publicKeyPem: z.string() });
export type CertificateDocument = z.infer<typeof certificateDocument>;

export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];
/** In the audit, who calls without a key. */
export const nobody = 'nobody';
export const keyRequest = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(60)
    .refine((name) => name !== nobody, 'this name stands for callers without a key'),
  role: z.enum(roles),
});
/** A key without what opens: its secret is shown once, when it is made. */
export const keyView = z.object({ keyId: z.string(), name: z.string(), role: z.enum(roles), createdAtMs: z.number(), lastUsedAtMs: z.number().nullable() });
export type KeyView = z.infer<typeof keyView>;
export const newKey = keyView.pick({ keyId: true, name: true, role: true }).extend({ secret: z.string() });
export type NewKey = z.infer<typeof newKey>;
export const revoked = z.object({ revoked: z.string() });

export const integrationsView = z.object({
  broker: z.object({ url: z.string(), kind: z.enum(['embedded', 'outside']), connected: z.boolean() }),
  topics: z.array(
    z.object({
      name: z.string(),
      pattern: z.string(),
      from: z.string(),
      qos: z.number(),
      retain: z.boolean(),
      says: z.string(),
      messages: z.number(),
      perMinute: z.number(),
      lastAtMs: z.number().nullable(),
    }),
  ),
  clients: z.array(z.object({ clientId: z.string(), role: z.string(), connected: z.boolean(), sinceMs: z.number().nullable() })),
  /** For admins only; empty for others. */
  keys: z.array(keyView),
  documents: z.array(z.object({ title: z.string(), href: z.string() })),
  dependencies: z.array(z.object({ name: z.string(), state: z.enum(['up', 'down']), detail: z.string() })),
});
export type IntegrationsView = z.infer<typeof integrationsView>;

export const sessionRequest = z.strictObject({ token: z.string().min(10).max(200) });
export const sessionView = z.object({ who: z.string(), role: z.enum(roles), expiresAtMs: z.number() });
export type SessionView = z.infer<typeof sessionView>;
export const loginTokenAnswer = z.object({ token: z.string(), url: z.string(), expiresAtMs: z.number() });
export const joinTokenRequest = z.strictObject({ nodeId: z.string().min(1).max(63).optional(), role: z.enum(['agent', 'client']).default('agent') });
export const joinTokenAnswer = z.object({ token: z.string(), expiresAtMs: z.number(), command: z.string() });
export type JoinTokenAnswer = z.infer<typeof joinTokenAnswer>;
export const enrollRequest = z.strictObject({ token: z.string().min(10).max(200), nodeId: z.string().min(1).max(63) });
export const enrollAnswer = z.object({ nodeId: z.string(), password: z.string(), mqttUrl: z.string(), keyId: z.string(), publicKeyPem: z.string() });

export const statsView = z.object({
  asOfMs: z.number(),
  readings: z.number(),
  accesses: z.number(),
  batches: z.number(),
  batchesPerMinute: z.number(),
  recordsPerMinute: z.number(),
  activeDevices: z.number(),
  movedBytes: z.number(),
  jobsDone: z.number(),
  jobsFailed: z.number(),
  quarantined: z.number(),
  syncConflicts: z.number(),
});
export type StatsView = z.infer<typeof statsView>;
