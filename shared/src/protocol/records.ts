import { z } from 'zod';
import { riskLevels } from '../domain/assessment.ts';
import { errorClasses } from '../domain/error-class.ts';
import { filesPattern, mostFileDigits } from '../domain/file-sample.ts';
import { atMs, bytes, count, datasetId, deviceId, experimentId, jobId, modelVersion, replicaId, sha256, targetId, text } from './fields.ts';

/** What an agent puts into its outbox: facts, in the order in which they happened. Each is told once, by batch and sequence. */
const number = z.number().finite();

export const deviceSeen = z.object({
  type: z.literal('device-seen'),
  deviceId,
  serial: text,
  model: text,
  kind: z.enum(['hdd', 'ssd', 'nvme']),
  transport: z.enum(['ata', 'nvme', 'scsi', 'unknown']),
  capacityBytes: bytes,
  firmware: text.nullable(),
  path: text,
});

const kernelInterval = z.object({
  overMs: z.number().positive(),
  ioErrors: count.nullable(),
  timeouts: count.nullable(),
  reads: count,
  writes: count,
  readBytes: bytes,
  writtenBytes: bytes,
  msPerRead: number.min(0).nullable(),
  msPerWrite: number.min(0).nullable(),
  msPerDiscard: number.min(0).nullable(),
  msPerFlush: number.min(0).nullable(),
  inFlight: number.min(0),
  busy: number.min(0).max(1),
});

/** What the kernel counted of the drive's block device. */
export const kernelCounts = z.object({
  block: z.string().min(1).max(200).nullable(),
  ioErrors: count.nullable(),
  timeouts: count.nullable(),
  commands: count.nullable(),
  since: kernelInterval.nullable(),
  unknownBecause: text.nullable(),
});

export const readingRecord = z.object({
  type: z.literal('reading'),
  deviceId,
  atMs,
  recordedDay: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/)
    .nullable(),
  source: z.enum(['smartctl', 'replay', 'simulated']),
  status: z.enum(['read', 'asleep', 'unreadable']),
  unreadableBecause: text.nullable(),
  selfAssessmentPassed: z.boolean().nullable(),
  temperatureCelsius: number.nullable(),
  powerOnHours: number.nullable(),
  smart: z.record(z.string().regex(/^\d{1,3}$/), number),
  nvme: z
    .object({
      criticalWarning: number.nullable(),
      availableSparePercent: number.nullable(),
      availableSpareThresholdPercent: number.nullable(),
      percentageUsed: number.nullable(),
      mediaErrors: number.nullable(),
      unsafeShutdowns: number.nullable(),
    })
    .nullable(),
  /** Added to version 1: an agent of before does not tell it. */
  kernel: kernelCounts.optional(),
});

export const assessmentRecord = z.object({
  type: z.literal('assessment'),
  deviceId,
  atMs,
  recordedDay: z.string().nullable(),
  level: z.enum(riskLevels),
  probability: z.number().min(0).max(1).nullable(),
  /** Within 7 days. Agents before this field, and rules, tell none. */
  probability7: z.number().min(0).max(1).nullable().default(null),
  horizonDays: z.number().positive(),
  judge: z.object({ kind: z.enum(['rule', 'model']), name: text, version: text }),
  reasons: z.array(z.object({ text, attribute: text, value: number.nullable() })).max(40),
});

/** What agents of before told every 15 seconds and drive, which nobody looked at; it is taken and not kept. The counters of the kernel come with the readings. */
export const diskStatsRecord = z.object({ type: z.literal('disk-stats') });

export const targetStatsRecord = z.object({
  type: z.literal('target-stats'),
  targetId,
  atMs,
  reachable: z.boolean(),
  unreachableBecause: text.nullable(),
  capacityBytes: bytes,
  usedBytes: bytes,
  freeBytes: bytes,
  latencyP50Ms: number.min(0).nullable(),
  latencyP95Ms: number.min(0).nullable(),
  latencyP99Ms: number.min(0).nullable(),
  readBytesPerSec: number.min(0).nullable(),
  writeBytesPerSec: number.min(0).nullable(),
});

export const accessRecord = z.object({
  type: z.literal('access'),
  accessId: z.string().min(1).max(200),
  datasetId,
  kind: z.enum(['read', 'write']),
  count: z.number().int().min(1).max(1_000_000_000),
  bytes,
  atMs,
  latencyMs: number.min(0).nullable(),
  source: z.enum(['bus', 'api', 'file-times', 'synthetic']),
});

export const ewmaRecord = z.object({ type: z.literal('ewma'), datasetId, atMs, accessesPerHour: number.min(0) });

/** How far a step is; only the newest of a job matters. */
export const progressRecord = z.object({
  type: z.literal('progress'),
  jobId,
  epoch: count,
  atMs,
  step: z.enum(['scan', 'copy', 'verify', 'retire', 'purge']),
  objectsDone: count,
  objectsTotal: count,
  bytesDone: bytes,
  bytesTotal: bytes,
  bytesPerSec: number.min(0),
});

const jobBase = { type: z.literal('job'), jobId, epoch: count, atMs };

/** What happened to a job at the agent. The control plane checks each against the job's table and epoch. */
export const jobRecord = z.discriminatedUnion('event', [
  z.object({ ...jobBase, event: z.literal('started'), step: z.enum(['scan', 'copy', 'verify', 'retire']) }),
  /** The source is an immutable list now; the control plane commits the version or rejects another root. */
  z.object({
    ...jobBase,
    event: z.literal('manifest'),
    root: sha256,
    objects: count,
    bytes,
    unreadable: count,
    notes: z.array(text).max(50),
    /** Files with the same bytes as another of this version, the first of each not counted, and what they hold. Added to version 1: an agent of before does not tell it, which is not 0. */
    duplicateObjects: count.optional(),
    duplicateBytes: bytes.optional(),
    /** Which files it has, as far as others may have them too, see `domain/file-sample.ts`. Added to version 1 like these. */
    fileSample: z
      .object({
        level: z.number().int().min(0).max(52),
        completeFromBytes: bytes,
        files: z.string().max(mostFileDigits).regex(filesPattern, 'for each file 13 hexadecimal digits of its hash and 12 of its size'),
      })
      .optional(),
  }),
  z.object({ ...jobBase, event: z.literal('copied'), bytes, movedBytes: bytes }),
  z.object({
    ...jobBase,
    event: z.literal('verified'),
    replicaId,
    root: sha256,
    objects: count,
    bytes,
    level: z.enum(['L1', 'L2']),
    readFrom: z.enum(['device', 'cache']),
  }),
  /** A read-back that differs: of a copy being made (it is copied again), or of a replica being verified (it is corrupt or missing). */
  z.object({ ...jobBase, event: z.literal('mismatched'), replicaId, found: z.enum(['corrupt', 'missing']), path: text, detail: text }),
  /** The certificate is journaled and, at the destination, the `current` link names the replica. */
  z.object({ ...jobBase, event: z.literal('activated'), replicaId, rev: count }),
  z.object({ ...jobBase, event: z.literal('witnessed'), replicaId, rev: count }),
  z.object({ ...jobBase, event: z.literal('trashed'), replicaId }),
  z.object({ ...jobBase, event: z.literal('purged'), replicaId, freedBytes: bytes }),
  /** The old copy could not be read or checked, so it stays where it is; nothing is deleted. */
  z.object({ ...jobBase, event: z.literal('kept'), replicaId, because: text }),
  /** The old copy differs from its manifest: somebody wrote to it. */
  z.object({ ...jobBase, event: z.literal('conflict'), replicaId, path: text, detail: text }),
  z.object({
    ...jobBase,
    event: z.literal('failed'),
    class: z.enum(errorClasses),
    code: text,
    message: text,
    hint: text.nullable(),
    retryAfterMs: number.min(0).nullable(),
  }),
]);

/** What lies under a target's root, told after every start: complete per target, or not told at all. */
export const inventoryRecord = z.object({
  type: z.literal('inventory'),
  targetId,
  atMs,
  replicas: z.array(z.object({ replicaId, datasetId, root: sha256.nullable(), place: z.enum(['live', 'trash', 'staging']) })).max(20_000),
  unknown: z.array(text).max(1_000),
});

export const faultRecord = z.object({
  type: z.literal('fault'),
  experimentId,
  atMs,
  state: z.enum(['armed', 'refused', 'undone']),
  detail: text,
});

/** After the store of the control plane may have lost commits: a switch that this agent keeps the certificate of, as the destination or as the source. */
export const switchCertificateRecord = z.object({
  type: z.literal('switch-certificate'),
  atMs,
  role: z.enum(['activate', 'witness']),
  certificate: z.string().max(8_000),
});

/** From now on drives are judged by another failure model; null when rules judge. */
export const modelRunningRecord = z.object({ type: z.literal('model-running'), atMs, version: modelVersion.nullable() });

/** Something a person may want to know. */
export const noteRecord = z.object({
  type: z.literal('note'),
  atMs,
  severity: z.enum(['info', 'warning', 'error']),
  code: z.string().max(120),
  message: text,
  ids: z.record(z.string().max(40), z.union([z.string().max(200), z.number()])),
});

/** Batches that will never come, and why; itself delivered like any other record. */
export const gapRecord = z.object({ type: z.literal('gap'), atMs, fromSeq: count, toSeq: count, records: count, reason: text });

export const agentRecord = z.discriminatedUnion('type', [
  deviceSeen,
  readingRecord,
  assessmentRecord,
  diskStatsRecord,
  targetStatsRecord,
  accessRecord,
  ewmaRecord,
  progressRecord,
  jobRecord,
  inventoryRecord,
  faultRecord,
  switchCertificateRecord,
  modelRunningRecord,
  noteRecord,
  gapRecord,
]);
export type AgentRecord = z.infer<typeof agentRecord>;
export type RecordOf<Type extends AgentRecord['type']> = Extract<AgentRecord, { type: Type }>;
export type JobRecord = z.infer<typeof jobRecord>;
