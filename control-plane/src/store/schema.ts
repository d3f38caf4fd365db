import type { MoveStage, PlanSummary } from '@data-in-motion/shared/api/decisions';
import type { PlanDifference } from '@data-in-motion/shared/api/plan-difference';
import type { AgentState } from '@data-in-motion/shared/domain/agent-health';
import type { RiskLevel } from '@data-in-motion/shared/domain/assessment';
import type { ComparedFeature } from '@data-in-motion/shared/domain/compared-feature';
import type { KernelCounts, NvmeHealth } from '@data-in-motion/shared/domain/device';
import type { Outcome, OutcomeSource } from '@data-in-motion/shared/domain/drive-outcome';
import type { TrainedOn } from '@data-in-motion/shared/domain/failure-model';
import type { FaultKind } from '@data-in-motion/shared/domain/fault-hooks';
import type { FirstLooks } from '@data-in-motion/shared/domain/feature-distribution';
import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId, DeviceId, JobId, ModelVersion, NodeId, PlanId, ReplicaId, SiteId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import type { JobEvent, JobPurpose, JobState } from '@data-in-motion/shared/domain/job';
import type { ModelState } from '@data-in-motion/shared/domain/model-lifecycle';
import type { ModelMetrics } from '@data-in-motion/shared/domain/model-metrics';
import type { Policy, PolicyOverride } from '@data-in-motion/shared/domain/policy';
import type { Prices } from '@data-in-motion/shared/domain/price';
import type { ReplicaState, VerificationLevel } from '@data-in-motion/shared/domain/replica';
import type { TargetDescription, TargetState } from '@data-in-motion/shared/domain/target';
import { sql } from 'drizzle-orm';
import { bigint, bigserial, boolean, doublePrecision, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { ScarceResource } from '../fleet/snapshot.ts';
import type { PlanBasis } from '../placement/plan-basis.ts';
import type { CountedReads } from './counted-reads.ts';

/** Every table, one noun each. Instants are milliseconds since the epoch by the database's clock unless a column says otherwise. */
const atMs = (name: string) => bigint(name, { mode: 'number' });
const size = (name: string) => bigint(name, { mode: 'number' });
type Ids = Readonly<Record<string, string | number>>;

/* ── what the fleet is ─────────────────────────────────────────── */

/** One row. `store_epoch` changes when commits may have been lost; `term` is the leader's, in every write of the loop. */
export const storeMeta = pgTable('store_meta', {
  id: integer('id').primaryKey().default(1),
  storeEpoch: text('store_epoch').notNull(),
  eventSeqAtStart: bigint('event_seq_at_start', { mode: 'number' }).notNull().default(0),
  /** Which database this was when it was opened last: system identifier and timeline; another one may lack commits. */
  fingerprint: text('fingerprint').notNull().default(''),
});
export const cpLeader = pgTable('cp_leader', {
  id: integer('id').primaryKey().default(1),
  term: bigint('term', { mode: 'number' }).notNull().default(0),
  holder: text('holder').notNull().default(''),
  expiresAtMs: atMs('expires_at_ms').notNull().default(0),
  /** The store epoch that the leaders know; another one means that commits may be lost, and nothing is let go for a while. */
  knownEpoch: text('known_epoch').notNull().default(''),
  distrustedSinceMs: atMs('distrusted_since_ms'),
});

export const node = pgTable('node', {
  nodeId: text('node_id').$type<NodeId>().primaryKey(),
  siteId: text('site_id').$type<SiteId>().notNull(),
  host: text('host').notNull().default(''),
  agentState: text('agent_state').$type<AgentState>().notNull().default('expected'),
  agentVersion: text('agent_version'),
  /** Given at every agent start; ends the leases of the one before. */
  incarnation: bigint('incarnation', { mode: 'number' }).notNull().default(0),
  bootUid: text('boot_uid'),
  session: bigint('session', { mode: 'number' }).notNull().default(0),
  connected: boolean('connected').notNull().default(false),
  lastHeardAtMs: atMs('last_heard_at_ms'),
  transferUrl: text('transfer_url'),
  importRoots: jsonb('import_roots').$type<string[]>().notNull().default([]),
  faultsAllowed: boolean('faults_allowed').notNull().default(false),
  /** Rev of the desired document; grows whenever an order changes. */
  desiredRev: bigint('desired_rev', { mode: 'number' }).notNull().default(0),
  observedRev: bigint('observed_rev', { mode: 'number' }).notNull().default(0),
  desiredHash: text('desired_hash').notNull().default(''),
  /** The failure model that its agent said it runs; null when rules judge. */
  modelVersion: text('model_version').$type<ModelVersion>(),
  /** By its agent's clock: what comes late counts only where it is newer. */
  modelToldAtMs: atMs('model_told_at_ms'),
});

export const device = pgTable('device', {
  deviceId: text('device_id').$type<DeviceId>().primaryKey(),
  nodeId: text('node_id').$type<NodeId>().notNull(),
  serial: text('serial').notNull(),
  model: text('model').notNull(),
  kind: text('kind').$type<'hdd' | 'ssd' | 'nvme'>().notNull(),
  transport: text('transport').notNull(),
  capacityBytes: size('capacity_bytes').notNull(),
  firmware: text('firmware'),
  path: text('path').notNull(),
  level: text('level').$type<RiskLevel>().notNull().default('unknown'),
  levelSinceMs: atMs('level_since_ms'),
  probability: doublePrecision('probability'),
  /** Of failing within 7 days; null where what judged does not tell it. */
  probability7: doublePrecision('probability7'),
  horizonDays: doublePrecision('horizon_days').notNull().default(30),
  judge: jsonb('judge').$type<{ kind: 'rule' | 'model'; name: string; version: string }>(),
  reasons: jsonb('reasons').$type<{ text: string; attribute: string; value: number | null }[]>().notNull().default([]),
  assessedAtMs: atMs('assessed_at_ms'),
  /** Since when this version of its judge judges it. */
  judgeSinceMs: atMs('judge_since_ms'),
  /** Since when its copies are leaving; null when they are not. */
  evacuatingSinceMs: atMs('evacuating_since_ms'),
  lastReadingAtMs: atMs('last_reading_at_ms'),
  lastStatus: text('last_status'),
  recordedDay: text('recorded_day'),
  temperatureCelsius: doublePrecision('temperature_celsius'),
  powerOnHours: doublePrecision('power_on_hours'),
});

/** Every model of failing drives that was ever brought in. */
export const failureModel = pgTable(
  'failure_model',
  {
    version: text('version').$type<ModelVersion>().primaryKey(),
    name: text('name').notNull(),
    state: text('state').$type<ModelState>().notNull().default('candidate'),
    /** Grows by one with every change; compare-and-set by If-Match. */
    rev: bigint('rev', { mode: 'number' }).notNull().default(1),
    /** JSON text and no jsonb, which orders fields anew: name and hash are over exactly these characters. */
    artifact: text('artifact').notNull(),
    artifactHash: text('artifact_hash').notNull(),
    /** Of the decisions it learned from. */
    dataHash: text('data_hash').notNull(),
    /** What else it says of its training: span, drives, seed, parameters. */
    trained: jsonb('trained').$type<TrainedOn>().notNull(),
    metrics: jsonb('metrics').$type<ModelMetrics>(),
    /** How the fleet was in the first weeks in which this one was active: beside that it drifts. */
    firstLooks: jsonb('first_looks').$type<FirstLooks>(),
    addedAtMs: atMs('added_at_ms').notNull(),
    addedBy: text('added_by').notNull(),
    /** When it became active; a roll-back keeps it, so that the next one goes further back. */
    promotedAtMs: atMs('promoted_at_ms'),
    promotedBy: text('promoted_by'),
    retiredAtMs: atMs('retired_at_ms'),
    retiredBecause: text('retired_because'),
  },
  (table) => [
    uniqueIndex('failure_model_one_active').on(table.state).where(sql`state = 'active'`),
    uniqueIndex('failure_model_one_shadow').on(table.state).where(sql`state = 'shadow'`),
  ],
);
/** What each model that is looked at says of each hard drive, day by day; nothing acts on it. */
export const modelScore = pgTable(
  'model_score',
  {
    version: text('version').$type<ModelVersion>().notNull(),
    deviceId: text('device_id').$type<DeviceId>().notNull(),
    /** Days since 1970-01-01, by the database's clock. */
    day: integer('day').notNull(),
    p7: doublePrecision('p7').notNull(),
    p30: doublePrecision('p30').notNull(),
    level: text('level').$type<RiskLevel>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.version, table.deviceId, table.day] }), index('model_score_device').on(table.deviceId, table.day)],
);
/** How the features of the fleet were distributed beside what its model first saw of it and what that was trained on, day by day. */
export const driftLook = pgTable('drift_look', {
  /** Days since 1970-01-01, by the database's clock; the last look of a day stands. */
  day: integer('day').primaryKey(),
  atMs: atMs('at_ms').notNull(),
  /** That were watched long enough. */
  drives: integer('drives').notNull(),
  /** The active model; null when there was none, or the fleet was compared with itself a month before. */
  version: text('version').$type<ModelVersion>(),
  /** Beside the first weeks of that model, the strongest shift first; empty where there were too few drives. */
  features: jsonb('features').$type<ComparedFeature[]>().notNull(),
  /** Beside the drives that it was trained on; null where it keeps no distribution of them, empty where there were too few drives. */
  besideTraining: jsonb('beside_training').$type<ComparedFeature[]>(),
});
/** What became of a drive, as far as it is known; a drive without a row is taken for alive. */
export const driveOutcome = pgTable('drive_outcome', {
  deviceId: text('device_id').$type<DeviceId>().primaryKey(),
  outcome: text('outcome').$type<Outcome>().notNull(),
  /** When it was seen to be so: of a drive that died, the last time it answered. */
  atMs: atMs('at_ms').notNull(),
  how: text('how').$type<OutcomeSource>().notNull(),
  by: text('by').notNull(),
  note: text('note'),
});
/** Counters of a drive that a person has seen and takes for harmless; its agent counts from there. The newest word of a drive stands. */
export const deviceAcknowledgement = pgTable('device_acknowledgement', {
  deviceId: text('device_id').$type<DeviceId>().primaryKey(),
  /** By the names that reasons use: `smart.197`, `nvme.mediaErrors`. */
  counts: jsonb('counts').$type<Record<string, number>>().notNull(),
  /** When the agent read them, by its own clock. */
  readAtMs: atMs('read_at_ms').notNull(),
  atMs: atMs('at_ms').notNull(),
  by: text('by').notNull(),
  note: text('note'),
});

export const target = pgTable('target', {
  targetId: text('target_id').$type<TargetId>().primaryKey(),
  nodeId: text('node_id').$type<NodeId>().notNull(),
  description: jsonb('description').$type<TargetDescription>().notNull(),
  state: text('state').$type<TargetState>().notNull().default('ok'),
  stateReason: text('state_reason'),
  reachable: boolean('reachable').notNull().default(true),
  capacityBytes: size('capacity_bytes').notNull().default(0),
  usedBytes: size('used_bytes').notNull().default(0),
  freeBytes: size('free_bytes').notNull().default(0),
  latencyP50Ms: doublePrecision('latency_p50_ms'),
  latencyP95Ms: doublePrecision('latency_p95_ms'),
  latencyP99Ms: doublePrecision('latency_p99_ms'),
  readBytesPerSec: doublePrecision('read_bytes_per_sec'),
  writeBytesPerSec: doublePrecision('write_bytes_per_sec'),
  measuredAtMs: atMs('measured_at_ms'),
});

/* ── what is kept where ────────────────────────────────────────── */

export const dataset = pgTable('dataset', {
  datasetId: text('dataset_id').$type<DatasetId>().primaryKey(),
  owner: text('owner').notNull(),
  /** Grows by one with every change; compare-and-set by If-Match. */
  rev: bigint('rev', { mode: 'number' }).notNull().default(1),
  ownPolicy: jsonb('own_policy').$type<PolicyOverride>().notNull().default({}),
  heat: jsonb('heat').$type<Heat>(),
  /** What was counted of its reads, written now and then; null where that is nothing. */
  countedReads: jsonb('counted_reads').$type<CountedReads>(),
  lastAccessAtMs: atMs('last_access_at_ms'),
  lastMovedAtMs: atMs('last_moved_at_ms'),
  createdAtMs: atMs('created_at_ms').notNull(),
});

/** Immutable. */
export const datasetVersion = pgTable('dataset_version', {
  versionId: text('version_id').$type<VersionId>().primaryKey(),
  datasetId: text('dataset_id').$type<DatasetId>().notNull(),
  parentVersionId: text('parent_version_id').$type<VersionId>(),
  root: text('root').notNull(),
  objects: bigint('objects', { mode: 'number' }).notNull(),
  sizeBytes: size('size_bytes').notNull(),
  unreadable: integer('unreadable').notNull().default(0),
  /** Files with the same bytes as another of this version, and what they hold; null when the agent did not tell. */
  duplicateObjects: bigint('duplicate_objects', { mode: 'number' }),
  duplicateBytes: size('duplicate_bytes'),
  notes: jsonb('notes').$type<string[]>().notNull().default([]),
  jobId: text('job_id').$type<JobId>().notNull().unique(),
  committedAtMs: atMs('committed_at_ms').notNull(),
});

/** Which files a version has, see `FileSample`; in a table of its own, since it is only read to compare versions. */
export const fileSample = pgTable('file_sample', {
  versionId: text('version_id').$type<VersionId>().primaryKey(),
  level: integer('level').notNull(),
  completeFromBytes: size('complete_from_bytes').notNull(),
  files: text('files').notNull(),
});

/** Exactly one primary per dataset: the row names it. */
export const pointer = pgTable('pointer', {
  datasetId: text('dataset_id').$type<DatasetId>().primaryKey(),
  versionId: text('version_id').$type<VersionId>().notNull(),
  replicaId: text('replica_id').$type<ReplicaId>().notNull(),
  rev: bigint('rev', { mode: 'number' }).notNull(),
  changedByJob: text('changed_by_job').$type<JobId>().notNull(),
  changedAtMs: atMs('changed_at_ms').notNull(),
});

/** The history of pointers is a chain: from_rev + 1 = to_rev, each to_rev once. */
export const switchLog = pgTable(
  'switch_log',
  {
    jobId: text('job_id').$type<JobId>().primaryKey(),
    datasetId: text('dataset_id').$type<DatasetId>().notNull(),
    fromRev: bigint('from_rev', { mode: 'number' }).notNull(),
    toRev: bigint('to_rev', { mode: 'number' }).notNull(),
    versionId: text('version_id').$type<VersionId>().notNull(),
    replicaId: text('replica_id').$type<ReplicaId>().notNull(),
    certificate: text('certificate').notNull(),
    atMs: atMs('at_ms').notNull(),
  },
  (table) => [uniqueIndex('switch_log_chain').on(table.datasetId, table.toRev)],
);

export const replica = pgTable(
  'replica',
  {
    replicaId: text('replica_id').$type<ReplicaId>().primaryKey(),
    datasetId: text('dataset_id').$type<DatasetId>().notNull(),
    /** Empty until the import's version is committed. */
    versionId: text('version_id').$type<VersionId>(),
    targetId: text('target_id').$type<TargetId>().notNull(),
    state: text('state').$type<ReplicaState>().notNull().default('joining'),
    verifiedRoot: text('verified_root'),
    verifiedAtMs: atMs('verified_at_ms'),
    verifiedLevel: text('verified_level').$type<VerificationLevel>(),
    verifiedBy: text('verified_by'),
    /** A `current` link names it. */
    activated: boolean('activated').notNull().default(false),
    why: text('why').notNull().default(''),
    createdAtMs: atMs('created_at_ms').notNull(),
    endedAtMs: atMs('ended_at_ms'),
  },
  (table) => [index('replica_dataset').on(table.datasetId), index('replica_target').on(table.targetId)],
);

/* ── what is being done ────────────────────────────────────────── */

export interface ImportSource {
  readonly nodeId: NodeId;
  readonly source: { readonly kind: 'directory'; readonly path: string } | { readonly kind: 'sample'; readonly bytes: number; readonly seed: number };
}

export const job = pgTable(
  'job',
  {
    jobId: text('job_id').$type<JobId>().primaryKey(),
    /** Hash of purpose, version or dataset, source and destination: one active job each. */
    key: text('key').notNull(),
    datasetId: text('dataset_id').$type<DatasetId>().notNull(),
    purpose: text('purpose').$type<JobPurpose>().notNull(),
    state: text('state').$type<JobState>().notNull(),
    active: boolean('active').notNull().default(true),
    need: text('need'),
    reason: text('reason').notNull().default(''),
    planId: text('plan_id').$type<PlanId>(),
    deviceId: text('device_id').$type<DeviceId>(),
    versionId: text('version_id').$type<VersionId>(),
    importSource: jsonb('import_source').$type<ImportSource>(),
    fromReplicaId: text('from_replica_id').$type<ReplicaId>(),
    fromTargetId: text('from_target_id').$type<TargetId>(),
    toReplicaId: text('to_replica_id').$type<ReplicaId>(),
    toTargetId: text('to_target_id').$type<TargetId>(),
    moverNodeId: text('mover_node_id').$type<NodeId>().notNull(),
    sourceNodeId: text('source_node_id').$type<NodeId>(),
    expectedPointerRev: bigint('expected_pointer_rev', { mode: 'number' }),
    epoch: bigint('epoch', { mode: 'number' }).notNull().default(0),
    leaseIncarnation: bigint('lease_incarnation', { mode: 'number' }).notNull().default(0),
    leaseExpiresAtMs: atMs('lease_expires_at_ms'),
    attempt: integer('attempt').notNull().default(0),
    notBeforeMs: atMs('not_before_ms'),
    waitingBecause: text('waiting_because'),
    error: jsonb('error').$type<{ class: string; code: string; message: string; hint: string | null }>(),
    progress: jsonb('progress').$type<{
      step: string;
      objectsDone: number;
      objectsTotal: number;
      bytesDone: number;
      bytesTotal: number;
      bytesPerSec: number;
      atMs: number;
    }>(),
    sizeBytes: size('size_bytes').notNull().default(0),
    movedBytes: size('moved_bytes').notNull().default(0),
    priority: integer('priority').notNull().default(3),
    /** Signed at the switch; both agents keep it. JSON text of a `Signed`. */
    certificate: text('certificate'),
    /** The pointer's rev after the switch; for a copy that is not the primary, the rev it joined under. */
    switchRev: bigint('switch_rev', { mode: 'number' }),
    /** The copy that is read from under the present lease, before one the copy that the plan reads; another one after it was found bad. */
    readReplicaId: text('read_replica_id').$type<ReplicaId>(),
    /** How often the source of an import was found changed. */
    sourceChanges: integer('source_changes').notNull().default(0),
    /** Which of the two witnesses have journaled the switch certificate. */
    activatedAtMs: atMs('activated_at_ms'),
    witnessedAtMs: atMs('witnessed_at_ms'),
    /** The destination was read back again after the switch. */
    recheckedAtMs: atMs('rechecked_at_ms'),
    switchedAtMs: atMs('switched_at_ms'),
    trashedAtMs: atMs('trashed_at_ms'),
    createdAtMs: atMs('created_at_ms').notNull(),
    startedAtMs: atMs('started_at_ms'),
    endedAtMs: atMs('ended_at_ms'),
  },
  (table) => [
    uniqueIndex('job_active_key').on(table.key).where(sql`active`),
    index('job_state').on(table.active, table.state),
    index('job_dataset').on(table.datasetId),
  ],
);

export const jobTransition = pgTable(
  'job_transition',
  {
    seq: bigserial('seq', { mode: 'number' }).primaryKey(),
    jobId: text('job_id').$type<JobId>().notNull(),
    from: text('from_state').$type<JobState>().notNull(),
    event: text('event').$type<JobEvent>().notNull(),
    to: text('to_state').$type<JobState>().notNull(),
    atMs: atMs('at_ms').notNull(),
    detail: jsonb('detail').$type<Ids>().notNull().default({}),
  },
  (table) => [index('job_transition_job').on(table.jobId)],
);

/** One use each: without one nothing is renamed away or deleted. */
export const permit = pgTable(
  'permit',
  {
    permitId: text('permit_id').primaryKey(),
    kind: text('kind').$type<'retire' | 'purge'>().notNull(),
    jobId: text('job_id').$type<JobId>().notNull(),
    replicaId: text('replica_id').$type<ReplicaId>().notNull(),
    pointerRev: bigint('pointer_rev', { mode: 'number' }).notNull(),
    dependsOn: jsonb('depends_on').$type<ReplicaId[]>().notNull(),
    epoch: bigint('epoch', { mode: 'number' }).notNull(),
    grantedAtMs: atMs('granted_at_ms').notNull(),
    usedAtMs: atMs('used_at_ms'),
  },
  (table) => [uniqueIndex('permit_once').on(table.replicaId, table.kind)],
);

export const plan = pgTable('plan', {
  planId: text('plan_id').$type<PlanId>().primaryKey(),
  madeAtMs: atMs('made_at_ms').notNull(),
  state: text('state').$type<'current' | 'applied' | 'superseded' | 'preview'>().notNull(),
  /** The PlanView of the API, whole: what was shown is what is applied. */
  body: jsonb('body').notNull(),
  /** What a list says of it. */
  summary: jsonb('summary').$type<PlanFigures>().notNull(),
  /** Whether it is one for all datasets. A column, for to ask the body is to unpack megabytes of each plan that is kept. */
  ofFleet: boolean('of_fleet').notNull().generatedAlwaysAs(sql`not (body ? 'datasetIds')`),
  /** What it rests on, to be compared with what is when it is applied. */
  basis: jsonb('basis').$type<PlanBasis>(),
  /** Of a preview: room that its moves need, by target, and until when others leave it alone. */
  heldBytes: jsonb('held_bytes').$type<Record<TargetId, number>>(),
  heldUntilMs: atMs('held_until_ms'),
  /** Once it is applied. */
  execution: jsonb('execution').$type<PlanExecution>(),
});

/** Of the current plan, where the next one begins. */
export const shadowPrice = pgTable(
  'shadow_price',
  {
    targetId: text('target_id').$type<TargetId>().notNull(),
    resource: text('resource').$type<ScarceResource>().notNull(),
    dollarsPerUnit: doublePrecision('dollars_per_unit').notNull(),
  },
  (table) => [primaryKey({ columns: [table.targetId, table.resource] })],
);

/** What a list says of a plan and its body alone tells. */
export type PlanFigures = Omit<PlanSummary, 'planId' | 'madeAtMs' | 'state' | 'roomHeldUntilMs' | 'execution'>;

export interface PlanExecution {
  readonly state: 'running' | 'stopped' | 'called-off' | 'done';
  readonly appliedAtMs: number;
  /** When a move of it was begun, or ended, last. */
  readonly movedAtMs: number;
  readonly endedAtMs: number | null;
  readonly differences: readonly PlanDifference[];
  /** Null until a plan was made that is offered instead of one that stopped; empty where none could be made. */
  readonly newPlanId: PlanId | '' | null;
  readonly calledOff?: { readonly by: string; readonly atMs: number };
}

/** The moves of applied plans, in their order. */
export const planMove = pgTable(
  'plan_move',
  {
    moveId: text('move_id').primaryKey(),
    planId: text('plan_id').$type<PlanId>().notNull(),
    place: integer('place').notNull(),
    stage: text('stage').$type<MoveStage>().notNull(),
    datasetId: text('dataset_id').$type<DatasetId>().notNull(),
    toTargetId: text('to_target_id').$type<TargetId>(),
    sizeBytes: size('size_bytes').notNull(),
    jobId: text('job_id').$type<JobId>(),
    /** Why it waits, failed or was left out. */
    because: text('because'),
  },
  (table) => [index('plan_move_plan').on(table.planId), index('plan_move_open').on(table.stage)],
);

export const recommendation = pgTable('recommendation', {
  recommendationId: text('recommendation_id').primaryKey(),
  planId: text('plan_id').$type<PlanId>().notNull(),
  datasetId: text('dataset_id').$type<DatasetId>().notNull(),
  madeAtMs: atMs('made_at_ms').notNull(),
  judge: text('judge').notNull(),
  body: jsonb('body').notNull(),
});

/* ── what was measured ─────────────────────────────────────────── */

/** Which batches of which agent life are stored; the longest prefix without a hole is the watermark. */
export const agentStream = pgTable(
  'agent_stream',
  {
    nodeId: text('node_id').$type<NodeId>().notNull(),
    incarnation: bigint('incarnation', { mode: 'number' }).notNull(),
    watermark: bigint('watermark', { mode: 'number' }).notNull().default(0),
    chain: text('chain').notNull(),
    highestSeen: bigint('highest_seen', { mode: 'number' }).notNull().default(0),
    durableUpto: bigint('durable_upto', { mode: 'number' }).notNull().default(0),
    lastBatchAtMs: atMs('last_batch_at_ms'),
  },
  (table) => [primaryKey({ columns: [table.nodeId, table.incarnation] })],
);
export const batch = pgTable(
  'batch',
  {
    nodeId: text('node_id').$type<NodeId>().notNull(),
    uid: text('uid').notNull(),
    incarnation: bigint('incarnation', { mode: 'number' }).notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    chain: text('chain').notNull(),
    records: integer('records').notNull(),
    poison: boolean('poison').notNull().default(false),
    sealedAtMs: atMs('sealed_at_ms').notNull(),
    receivedAtMs: atMs('received_at_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.nodeId, table.uid] }), index('batch_received').on(table.receivedAtMs)],
);
/** The gap index: under a new incarnation a batch that is stored already is placed again, its records are not. */
export const batchSeq = pgTable(
  'batch_seq',
  {
    nodeId: text('node_id').$type<NodeId>().notNull(),
    incarnation: bigint('incarnation', { mode: 'number' }).notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    uid: text('uid').notNull(),
    chain: text('chain').notNull(),
  },
  (table) => [primaryKey({ columns: [table.nodeId, table.incarnation, table.seq] })],
);

export const reading = pgTable(
  'reading',
  {
    deviceId: text('device_id').$type<DeviceId>().notNull(),
    nodeId: text('node_id').$type<NodeId>().notNull(),
    atMs: atMs('at_ms').notNull(),
    receivedAtMs: atMs('received_at_ms').notNull(),
    recordedDay: text('recorded_day'),
    source: text('source').notNull(),
    status: text('status').$type<'read' | 'asleep' | 'unreadable'>().notNull(),
    temperatureCelsius: doublePrecision('temperature_celsius'),
    powerOnHours: doublePrecision('power_on_hours'),
    selfAssessmentPassed: boolean('self_assessment_passed'),
    smart: jsonb('smart').$type<Record<string, number>>().notNull(),
    nvme: jsonb('nvme').$type<NvmeHealth>(),
    kernel: jsonb('kernel').$type<KernelCounts>(),
    unreadableBecause: text('unreadable_because'),
    batchUid: text('batch_uid').notNull(),
  },
  (table) => [index('reading_device').on(table.deviceId, table.atMs)],
);
export const assessment = pgTable(
  'assessment',
  {
    deviceId: text('device_id').$type<DeviceId>().notNull(),
    nodeId: text('node_id').$type<NodeId>().notNull(),
    atMs: atMs('at_ms').notNull(),
    recordedDay: text('recorded_day'),
    level: text('level').$type<RiskLevel>().notNull(),
    probability: doublePrecision('probability'),
    probability7: doublePrecision('probability7'),
    horizonDays: doublePrecision('horizon_days').notNull(),
    judge: jsonb('judge').$type<{ kind: 'rule' | 'model'; name: string; version: string }>().notNull(),
    reasons: jsonb('reasons').$type<{ text: string; attribute: string; value: number | null }[]>().notNull(),
  },
  (table) => [index('assessment_device').on(table.deviceId, table.atMs)],
);
export const accessEvent = pgTable(
  'access_event',
  {
    accessId: text('access_id').primaryKey(),
    datasetId: text('dataset_id').$type<DatasetId>().notNull(),
    kind: text('kind').$type<'read' | 'write'>().notNull(),
    count: bigint('count', { mode: 'number' }).notNull(),
    bytes: size('bytes').notNull(),
    atMs: atMs('at_ms').notNull(),
    latencyMs: doublePrecision('latency_ms'),
    source: text('source').notNull(),
    receivedAtMs: atMs('received_at_ms').notNull(),
  },
  (table) => [index('access_event_dataset').on(table.datasetId, table.atMs)],
);
/** Accesses per dataset and minute; windows and hours are sums of it. */
export const accessAggregate = pgTable(
  'access_aggregate',
  {
    datasetId: text('dataset_id').$type<DatasetId>().notNull(),
    windowStartMs: atMs('window_start_ms').notNull(),
    windowEndMs: atMs('window_end_ms').notNull(),
    reads: bigint('reads', { mode: 'number' }).notNull().default(0),
    writes: bigint('writes', { mode: 'number' }).notNull().default(0),
    readBytes: size('read_bytes').notNull().default(0),
    writtenBytes: size('written_bytes').notNull().default(0),
    lastAccessAtMs: atMs('last_access_at_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.datasetId, table.windowStartMs] })],
);
/** The running mean that each agent told last of a dataset. */
export const accessRate = pgTable(
  'access_rate',
  {
    datasetId: text('dataset_id').$type<DatasetId>().notNull(),
    nodeId: text('node_id').$type<NodeId>().notNull(),
    perHour: doublePrecision('per_hour').notNull(),
  },
  (table) => [primaryKey({ columns: [table.datasetId, table.nodeId] })],
);

/* ── what was said and done ────────────────────────────────────── */

/** Append-only: what happened, for people, the event stream and the bus. */
export const event = pgTable(
  'event',
  {
    seq: bigserial('seq', { mode: 'number' }).primaryKey(),
    atMs: atMs('at_ms').notNull(),
    type: text('type').notNull(),
    severity: text('severity').$type<'info' | 'warning' | 'error'>().notNull(),
    text: text('text').notNull(),
    ids: jsonb('ids').$type<Ids>().notNull().default({}),
    by: text('by').notNull(),
    /** The transaction that wrote it: numbers are given before the commit, so readers go by transaction, then number. */
    txId: bigint('tx_id', { mode: 'number' }).notNull().default(sql`pg_current_xact_id()::text::bigint`),
  },
  (table) => [
    index('event_at').on(table.atMs),
    index('event_order').on(table.txId, table.seq),
    index('event_type').on(table.type, table.seq),
    index('event_dataset').on(sql`(${table.ids}->>'datasetId')`, table.seq),
  ],
);
export const alert = pgTable(
  'alert',
  {
    alertId: text('alert_id').primaryKey(),
    /** Rule and subject: one open alert each. */
    key: text('key').notNull(),
    rule: text('rule').notNull(),
    severity: text('severity').$type<'info' | 'warning' | 'error'>().notNull(),
    text: text('text').notNull(),
    ids: jsonb('ids').$type<Ids>().notNull().default({}),
    sinceMs: atMs('since_ms').notNull(),
    /** When it was raised last; null when that was before this was kept. */
    lastAtMs: atMs('last_at_ms'),
    endedAtMs: atMs('ended_at_ms'),
    times: integer('times').notNull().default(1),
  },
  (table) => [uniqueIndex('alert_open').on(table.key).where(sql`ended_at_ms is null`)],
);
/** Append-only: who changed what. */
export const audit = pgTable('audit', {
  seq: bigserial('seq', { mode: 'number' }).primaryKey(),
  atMs: atMs('at_ms').notNull(),
  who: text('who').notNull(),
  role: text('role').notNull(),
  action: text('action').notNull(),
  subject: text('subject').notNull(),
  detail: jsonb('detail').$type<Record<string, unknown>>().notNull().default({}),
  outcome: text('outcome').notNull(),
});
/** What came over the bus and could not be read; kept for inspection, bounded. */
export const quarantine = pgTable('quarantine', {
  id: text('id').primaryKey(),
  atMs: atMs('at_ms').notNull(),
  topic: text('topic').notNull(),
  nodeId: text('node_id'),
  because: text('because').notNull(),
  bytes: integer('bytes').notNull(),
  /** First 64 KiB, hexadecimal. */
  hex: text('hex').notNull(),
});
export const certificate = pgTable('certificate', {
  certificateId: text('certificate_id').primaryKey(),
  deviceId: text('device_id').$type<DeviceId>().notNull(),
  nodeId: text('node_id').$type<NodeId>().notNull(),
  /** Open while copies still leave the device. */
  state: text('state').$type<'open' | 'complete'>().notNull(),
  openedAtMs: atMs('opened_at_ms').notNull(),
  issuedAtMs: atMs('issued_at_ms').notNull(),
  body: text('body').notNull(),
  signature: text('signature').notNull(),
  keyId: text('key_id').notNull(),
});
/** Replicas that a returned node must have verified before they count, and other work the reconciler owes. */
export const syncQueue = pgTable('sync_queue', {
  id: text('id').primaryKey(),
  kind: text('kind').notNull(),
  datasetId: text('dataset_id').$type<DatasetId>(),
  replicaId: text('replica_id').$type<ReplicaId>(),
  nodeId: text('node_id').$type<NodeId>(),
  state: text('state').$type<'pending' | 'applied' | 'failed'>().notNull(),
  attempts: integer('attempts').notNull().default(0),
  detail: text('detail').notNull().default(''),
  createdAtMs: atMs('created_at_ms').notNull(),
  changedAtMs: atMs('changed_at_ms').notNull(),
});
export const experiment = pgTable('experiment', {
  experimentId: text('experiment_id').primaryKey(),
  kind: text('kind').$type<FaultKind>().notNull(),
  subject: text('subject').notNull(),
  nodeId: text('node_id').$type<NodeId>().notNull(),
  parameters: jsonb('parameters').$type<Record<string, string | number>>().notNull(),
  state: text('state').$type<'sent' | 'armed' | 'refused' | 'undone' | 'expired'>().notNull(),
  detail: text('detail').notNull().default(''),
  startedAtMs: atMs('started_at_ms').notNull(),
  endsAtMs: atMs('ends_at_ms').notNull(),
  endedAtMs: atMs('ended_at_ms'),
});

/* ── who may do what ───────────────────────────────────────────── */

export const globalPolicy = pgTable('global_policy', {
  id: integer('id').primaryKey().default(1),
  rev: bigint('rev', { mode: 'number' }).notNull().default(1),
  policy: jsonb('policy').$type<Policy>().notNull(),
});
export const priceEntry = pgTable(
  'price_entry',
  {
    rev: bigint('rev', { mode: 'number' }).notNull(),
    priceClass: text('price_class').notNull(),
    validFromMs: atMs('valid_from_ms').notNull(),
    prices: jsonb('prices').$type<Prices>().notNull(),
    source: text('source').notNull(),
  },
  (table) => [primaryKey({ columns: [table.rev, table.priceClass, table.validFromMs] })],
);
export const apiKey = pgTable('api_key', {
  keyId: text('key_id').primaryKey(),
  name: text('name').notNull(),
  role: text('role').$type<'viewer' | 'operator' | 'admin'>().notNull(),
  /** SHA-256 of the secret. */
  hash: text('hash').notNull().unique(),
  createdAtMs: atMs('created_at_ms').notNull(),
  lastUsedAtMs: atMs('last_used_at_ms'),
  revokedAtMs: atMs('revoked_at_ms'),
});
/** Login tokens, console sessions and join tokens: random, stored as SHA-256, with an end; login and join tokens are used once. */
export const token = pgTable('token', {
  hash: text('hash').primaryKey(),
  kind: text('kind').$type<'login' | 'session' | 'join'>().notNull(),
  who: text('who').notNull(),
  role: text('role').notNull(),
  boundTo: text('bound_to'),
  createdAtMs: atMs('created_at_ms').notNull(),
  expiresAtMs: atMs('expires_at_ms').notNull(),
  usedAtMs: atMs('used_at_ms'),
});
/** Who may speak on the bus: agents under their node's name, clients under their own. */
export const busIdentity = pgTable('bus_identity', {
  identity: text('identity').primaryKey(),
  role: text('role').$type<'agent' | 'client'>().notNull(),
  /** scrypt, salt:hash in hexadecimal. */
  passwordHash: text('password_hash').notNull(),
  createdAtMs: atMs('created_at_ms').notNull(),
  revokedAtMs: atMs('revoked_at_ms'),
});
export const idempotency = pgTable('idempotency', {
  key: text('key').primaryKey(),
  /** SHA-256 of the request's body. */
  asked: text('asked').notNull().default(''),
  /** HTTP status of the answer; 0 while it is being worked on. */
  status: integer('status').notNull(),
  body: text('body').notNull(),
  atMs: atMs('at_ms').notNull(),
});
