import { z } from 'zod';
import { faultKinds } from '../domain/fault-hooks.ts';
import { locationKinds, tierClasses } from '../domain/target.ts';
import {
  atMs,
  bytes,
  count,
  datasetId,
  deviceId,
  experimentId,
  jobId,
  modelVersion,
  nodeId,
  permitId,
  replicaId,
  sha256,
  siteId,
  targetId,
  text,
  uid,
  versionId,
} from './fields.ts';
import { accessRecord, agentRecord } from './records.ts';

/** Every message names its version; a receiver that does not know the version quarantines it. */
const v = z.literal(1);

/** Retained, and the last will on the same topic with the same session: compare the session number, a will can overtake a rebirth. */
export const stateMessage = z.object({ v, session: count, state: z.enum(['online', 'offline']), atMs });

export const targetDescription = z.object({
  targetId,
  store: z.literal('posix'),
  root: text,
  tier: z.enum(tierClasses),
  locationKind: z.enum(locationKinds),
  provider: text,
  region: text,
  failureDomain: text,
  encryptedAtRest: z.boolean(),
  priceClass: text,
  capacityBytes: bytes.nullable(),
  reserveBytes: bytes,
  deviceIds: z.array(deviceId).max(1_000),
  addedLatencyMs: z.number().min(0),
  requestsPerSec: z.number().positive().nullable().optional(),
});

/** An agent process starts: who it is, what it remembers. Repeated until it is welcomed. */
export const bootMessage = z.object({
  v,
  /** Of this process start; a repeated boot with the same uid gets the same incarnation. */
  bootUid: uid,
  nodeId,
  siteId,
  host: text,
  agentVersion: text,
  lastIncarnation: count,
  lastSeq: count,
  chain: sha256,
  /** Where other agents pull replicas from; null when this agent serves none. */
  transferUrl: z.url().max(300).nullable(),
  importRoots: z.array(text).max(100),
  targets: z.array(targetDescription).max(1_000),
  faultsAllowed: z.boolean(),
  /** The failure model that it runs; null when rules judge. */
  modelVersion: modelVersion.nullable().default(null),
});
export type BootMessage = z.infer<typeof bootMessage>;

export const welcomeMessage = z.object({
  v,
  bootUid: uid,
  incarnation: count,
  /** Made anew whenever the store may have lost commits: agents then send again what was not durable. */
  storeEpoch: z.string().max(64),
  /** Highest sequence of this agent's last incarnation that is stored without a hole before it. */
  watermark: count,
  publicKeyPem: text,
  atMs,
});
export type WelcomeMessage = z.infer<typeof welcomeMessage>;

/** At most 64 KiB of records, sealed once: the text of `records` is what the chain covers, so it is a string here. */
export const batchMessage = z.object({
  v,
  uid,
  inc: count,
  seq: z.number().int().min(1),
  prevChain: sha256,
  /** SHA-256 over prevChain (hex) followed by the text of `records`. */
  chain: sha256,
  sealedAtMs: atMs,
  /** JSON text of AgentRecord[]. */
  records: z.string().max(200_000),
});
export type BatchMessage = z.infer<typeof batchMessage>;
export const batchRecords = z.array(agentRecord).max(5_000);

/** Sent only after the commit. */
export const ackMessage = z.object({
  v,
  inc: count,
  /** All batches of `inc` up to here are stored. */
  upto: count,
  chainAtUpto: sha256,
  /** Sequences above `upto` that are stored already are not listed; these are missing below the highest one seen. */
  holes: z.array(count).max(1_000),
  storeEpoch: z.string().max(64),
  /** Up to here nothing that the store survives can lose it; the agent may prune. */
  durableUpto: count,
});
export type AckMessage = z.infer<typeof ackMessage>;

/** The agent asks for its desired document: at start, on a nudge, and every minute anyway. */
export const askMessage = z.object({ v, askUid: uid, have: count, inc: count });

export const nudgeMessage = z.object({ v, rev: count });

/** Where a mover reads from. Tokens are signed by the control plane, bound to job, epoch and source. */
const copySource = z.discriminatedUnion('kind', [
  /** Scanned by this same agent: a directory of the host, or a sample it made. */
  z.object({ kind: z.literal('import') }),
  z.object({ kind: z.literal('local-replica'), targetId, replicaId }),
  z.object({ kind: z.literal('remote'), nodeId, url: z.url().max(500), token: z.string().max(4_000) }),
]);

const destination = z.object({ targetId, datasetId, replicaId });
const orderBase = { jobId, epoch: count };
const identity = { versionId, root: sha256, objects: count, bytes };
/** `knownBad`: the copy was read back, differed and was replaced, so that bytes which rotted are no reason to keep it; bytes that somebody wrote still are. */
const leave = { permitId, target: destination, root: sha256, validForMs: z.number().positive(), knownBad: z.literal(true).optional() };

/** What the control plane wants an agent to be doing for a job now. The whole list is the truth: what is not in it is to be stopped. */
export const order = z.discriminatedUnion('kind', [
  z.object({
    ...orderBase,
    kind: z.literal('scan'),
    datasetId,
    source: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('directory'), path: z.string().min(1).max(4_096) }),
      /** A seeded tree for trying things out. */
      z.object({ kind: z.literal('sample'), bytes, seed: count }),
    ]),
  }),
  /** Copy and read back; reports copied, then verified. */
  z.object({ ...orderBase, kind: z.literal('copy'), source: copySource, destination, ...identity }),
  /** The switch is committed: journal the certificate, name the replica by `current`. */
  z.object({ ...orderBase, kind: z.literal('activate'), destination, rev: count, certificate: z.string().max(8_000) }),
  /** The source's agent keeps the same certificate, as the second witness. */
  z.object({ ...orderBase, kind: z.literal('witness'), replicaId, rev: count, certificate: z.string().max(8_000) }),
  z.object({ ...orderBase, kind: z.literal('verify'), target: destination, ...identity }),
  /** One-use permit; without it nothing is ever renamed away or deleted, and what can not be read is kept. */
  z.object({ ...orderBase, kind: z.literal('retire'), ...leave }),
  /** `neverCounted`: a copy that was made and never counted, wherever its job left it (staging, place or trash); without it only the trash is touched. */
  z.object({ ...orderBase, kind: z.literal('purge'), ...leave, neverCounted: z.literal(true).optional() }),
]);
export type Order = z.infer<typeof order>;
export type OrderOf<Kind extends Order['kind']> = Extract<Order, { kind: Kind }>;

/** The body that is signed and travels in a `signedMessage`. */
export const desiredDocument = z.object({
  v,
  nodeId,
  rev: count,
  inc: count,
  issuedAtMs: atMs,
  orders: z.array(order).max(2_000),
  /** Jobs of this agent that are not ended, orders or not: staging of any other job may be swept. */
  liveJobs: z.array(jobId).max(5_000),
  /** Datasets with a copy here: whose file times to watch, whose accesses to count. */
  watched: z.array(z.object({ datasetId, targetId, replicaId })).max(5_000),
  /** Counters of drives that a person takes for harmless, as the drive reported them at `atMs`: judged is what came since. */
  acknowledged: z
    .array(z.object({ deviceId, counts: z.record(z.string().max(40), z.number().min(0)), atMs }))
    .max(2_000)
    .default([]),
});
export type DesiredDocument = z.infer<typeof desiredDocument>;

/** `body` is the JSON text of a document; the signature is over exactly these characters. */
export const signedMessage = z.object({ v, body: z.string().max(2_000_000), signature: z.string().max(200), keyId: z.string().max(64) });

export const faultDocument = z.object({
  v,
  nodeId,
  experimentId,
  action: z.enum(['arm', 'undo', 'undo-all']),
  kind: z.enum(Object.keys(faultKinds) as [keyof typeof faultKinds, ...(keyof typeof faultKinds)[]]),
  /** Target, replica, device or node that the fault is for. */
  subject: text,
  parameters: z.record(z.string().max(40), z.union([z.string().max(200), z.number()])),
  ttlMs: z.number().int().min(1_000).max(900_000),
  seed: count,
  issuedAtMs: atMs,
});
export type FaultDocument = z.infer<typeof faultDocument>;

/** The body of `model`: what every agent is to run from now on; all three are null when rules are to judge. */
export const modelDocument = z.object({
  v,
  kind: z.literal('model'),
  issuedAtMs: atMs,
  version: modelVersion.nullable(),
  /** SHA-256 of the JSON text of `artifact`. */
  artifactHash: sha256.nullable(),
  /** A FailureModel, left as it came: its hash is over its fields in their order; `modelFault` says whether it can be run. */
  artifact: z.unknown(),
});
export type ModelDocument = z.infer<typeof modelDocument>;

/** From applications and integrations that may publish accesses; an id that was seen before is not counted again. */
export const accessMessage = z.object({
  v,
  accesses: z
    .array(accessRecord.omit({ type: true, source: true }))
    .min(1)
    .max(1_000),
});

/** CloudEvents 1.0, structured mode, for whoever listens: decisions, transitions, alerts. */
export const cloudEvent = z.object({
  specversion: z.literal('1.0'),
  id: z.string().max(64),
  source: z.string().max(200),
  type: z.string().max(120),
  subject: z.string().max(200).optional(),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  data: z.unknown(),
});
