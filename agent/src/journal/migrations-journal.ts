import type { AgentRecord } from '@data-in-motion/shared/protocol/records';
import type Database from 'better-sqlite3';
import type { Journal } from './journal.ts';

/** One order, carried out once: what kind of work, for which job, under which epoch. */
export interface WorkKey {
  readonly jobId: string;
  readonly epoch: number;
  readonly kind: string;
}

/** How far a copy is on stable storage. Only the newest epoch of a job has one. */
export interface CopyPlace {
  readonly jobId: string;
  readonly epoch: number;
  readonly targetId: string;
  readonly datasetId: string;
  readonly replicaId: string;
  /** Of the version that is being copied; leaves of another one are nothing worth. */
  readonly root: string;
  /** Leaves, in the manifest's order, that need not be written again. */
  readonly leavesDone: number;
  /** Bytes that crossed from the source so far, all attempts together. */
  readonly movedBytes: number;
}

/** What a job's scan found; the source of the copies that follow. */
export interface ScanRow {
  readonly jobId: string;
  readonly epoch: number;
  /** JSON of the order's source. */
  readonly source: string;
  readonly root: string;
}

/** What a permit was used for: it is good for nothing else. */
export interface PermitRow {
  readonly permitId: string;
  readonly kind: 'retire' | 'purge';
  readonly targetId: string;
  readonly replicaId: string;
}

export interface CertificateRow {
  readonly jobId: string;
  readonly role: 'activate' | 'witness';
  readonly targetId: string | null;
  readonly datasetId: string | null;
  readonly replicaId: string;
  readonly rev: number;
  readonly certificate: string;
}

/** What the mover must remember through a crash. Every write is committed when it returns, or with the transaction around it. All throw `exhausted` (`journal.disk-full`) as the journal does. */
export interface MigrationsJournal {
  /** What was told at the end of this work; undefined while it has not ended. */
  outcome(key: WorkKey): AgentRecord[] | undefined;
  end(key: WorkKey, records: readonly AgentRecord[]): void;
  copy(jobId: string): CopyPlace | undefined;
  saveCopy(place: CopyPlace): void;
  copies(): CopyPlace[];
  /** What the copy of that epoch had on the target is not there any more; of a newer one nothing is forgotten. */
  forgetCopy(jobId: string, epoch: number): void;
  scan(jobId: string): ScanRow | undefined;
  saveScan(row: ScanRow): void;
  permit(permitId: string): PermitRow | undefined;
  /** The first use holds. */
  usePermit(row: PermitRow): void;
  /** Whether this node has worked with the target at this root before. */
  isTargetKnown(targetId: string, root: string): boolean;
  noteTarget(targetId: string, root: string): void;
  saveCertificate(row: CertificateRow): void;
  /** The highest revision of a dataset that was made current on a target; null before the first. */
  currentRev(targetId: string, datasetId: string): number | null;
  certificates(): CertificateRow[];
  /**
   * Drop what belongs to jobs that have ended. Permits and certificates stay for a year, and the newest certificate of a dataset on a target
   * for good. @returns jobs that were dropped
   */
  forgetJobsExcept(liveJobs: readonly string[], endedBeforeMs: number): string[];
}

const steps = [
  `create table mover_work (job_id text not null, epoch integer not null, kind text not null, records text not null, ended_at_ms integer not null, primary key (job_id, epoch, kind)) strict;
   create table mover_copy (job_id text primary key, epoch integer not null, target_id text not null, dataset_id text not null, replica_id text not null, root text not null,
     leaves_done integer not null, moved_bytes integer not null, saved_at_ms integer not null) strict;
   create table mover_scan (job_id text primary key, epoch integer not null, source text not null, root text not null, saved_at_ms integer not null) strict;
   create table mover_permit (permit_id text primary key, kind text not null, target_id text not null, replica_id text not null, stage text not null, used_at_ms integer not null) strict;
   create table mover_certificate (job_id text not null, role text not null, target_id text, dataset_id text, replica_id text not null, rev integer not null,
     certificate text not null, saved_at_ms integer not null, primary key (job_id, role)) strict;
   create index mover_certificate_current on mover_certificate (target_id, dataset_id, rev);`,
  `alter table mover_permit drop column stage;
   create table mover_target (target_id text not null, root text not null, primary key (target_id, root)) strict;`,
];

/** A store that is restored from a backup older than this has forgotten more than switches; a permit is never valid for so long. */
const keptForMs = 365 * 86_400_000;

/** @param nowMs wall clock, for the age of rows alone */
export function openMigrationsJournal(journal: Journal, nowMs: () => number): MigrationsJournal {
  journal.define('mover', steps);
  const { db } = journal;
  const sql = {
    outcome: db.prepare('select records from mover_work where job_id = ? and epoch = ? and kind = ?'),
    end: db.prepare('insert into mover_work values (?, ?, ?, ?, ?) on conflict do update set records = excluded.records, ended_at_ms = excluded.ended_at_ms'),
    copy: db.prepare('select * from mover_copy where job_id = ?'),
    copies: db.prepare('select * from mover_copy'),
    forgetCopy: db.prepare('delete from mover_copy where job_id = ? and epoch = ?'),
    saveCopy:
      db.prepare(`insert into mover_copy values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set epoch = excluded.epoch, target_id = excluded.target_id,
      dataset_id = excluded.dataset_id, replica_id = excluded.replica_id, root = excluded.root, leaves_done = excluded.leaves_done, moved_bytes = excluded.moved_bytes, saved_at_ms = excluded.saved_at_ms`),
    scan: db.prepare('select * from mover_scan where job_id = ?'),
    saveScan: db.prepare(
      'insert into mover_scan values (?, ?, ?, ?, ?) on conflict do update set epoch = excluded.epoch, source = excluded.source, root = excluded.root, saved_at_ms = excluded.saved_at_ms',
    ),
    permit: db.prepare('select * from mover_permit where permit_id = ?'),
    usePermit: db.prepare('insert into mover_permit (permit_id, kind, target_id, replica_id, used_at_ms) values (?, ?, ?, ?, ?) on conflict do nothing'),
    target: db.prepare('select 1 from mover_target where target_id = ? and root = ?'),
    noteTarget: db.prepare('insert into mover_target values (?, ?) on conflict do nothing'),
    saveCertificate:
      db.prepare(`insert into mover_certificate values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set target_id = excluded.target_id, dataset_id = excluded.dataset_id,
      replica_id = excluded.replica_id, rev = excluded.rev, certificate = excluded.certificate, saved_at_ms = excluded.saved_at_ms where excluded.rev >= rev`),
    currentRev: db.prepare("select max(rev) as rev from mover_certificate where role = 'activate' and target_id = ? and dataset_id = ?"),
    certificates: db.prepare('select * from mover_certificate order by rev'),
    jobs: db.prepare(`select job_id from mover_work group by job_id having max(ended_at_ms) < @before
      union select job_id from mover_copy where saved_at_ms < @before union select job_id from mover_scan where saved_at_ms < @before`),
    forgetPermits: db.prepare('delete from mover_permit where used_at_ms < ?'),
    forgetCertificates: db.prepare(`delete from mover_certificate as old where saved_at_ms < ? and (role = 'witness' or rev <
      (select max(rev) from mover_certificate newer where newer.role = 'activate' and newer.target_id = old.target_id and newer.dataset_id = old.dataset_id))`),
    forget: ['mover_work', 'mover_copy', 'mover_scan'].map((table) => db.prepare(`delete from ${table} where job_id = ?`)),
  };
  const write = (statement: Database.Statement, ...values: unknown[]): void => void journal.transaction(() => statement.run(...values));
  return {
    outcome(key) {
      const row = sql.outcome.get(key.jobId, key.epoch, key.kind) as { records: string } | undefined;
      return row === undefined ? undefined : (JSON.parse(row.records) as AgentRecord[]);
    },
    end: (key, records) => write(sql.end, key.jobId, key.epoch, key.kind, JSON.stringify(records), nowMs()),
    copy: (jobId) => copyOf(sql.copy.get(jobId) as Row | undefined),
    copies: () => (sql.copies.all() as Row[]).map((row) => copyOf(row)!),
    forgetCopy: (jobId, epoch) => write(sql.forgetCopy, jobId, epoch),
    saveCopy: (c) => write(sql.saveCopy, c.jobId, c.epoch, c.targetId, c.datasetId, c.replicaId, c.root, c.leavesDone, c.movedBytes, nowMs()),
    scan(jobId) {
      const row = sql.scan.get(jobId) as Row | undefined;
      return row === undefined ? undefined : { jobId, epoch: Number(row['epoch']), source: String(row['source']), root: String(row['root']) };
    },
    saveScan: (row) => write(sql.saveScan, row.jobId, row.epoch, row.source, row.root, nowMs()),
    permit(permitId) {
      const row = sql.permit.get(permitId) as Row | undefined;
      if (row === undefined) return undefined;
      return {
        permitId,
        kind: row['kind'] as PermitRow['kind'],
        targetId: String(row['target_id']),
        replicaId: String(row['replica_id']),
      };
    },
    usePermit: (row) => write(sql.usePermit, row.permitId, row.kind, row.targetId, row.replicaId, nowMs()),
    isTargetKnown: (targetId, root) => sql.target.get(targetId, root) !== undefined,
    noteTarget: (targetId, root) => write(sql.noteTarget, targetId, root),
    saveCertificate: (row) => write(sql.saveCertificate, row.jobId, row.role, row.targetId, row.datasetId, row.replicaId, row.rev, row.certificate, nowMs()),
    currentRev: (targetId, datasetId) => (sql.currentRev.get(targetId, datasetId) as { rev: number | null }).rev,
    certificates: () => (sql.certificates.all() as Row[]).map(certificateOf),
    forgetJobsExcept(liveJobs, endedBeforeMs) {
      const live = new Set(liveJobs);
      const ended = (sql.jobs.all({ before: endedBeforeMs }) as { job_id: string }[]).map((row) => row.job_id).filter((jobId) => !live.has(jobId));
      journal.transaction(() => {
        for (const jobId of ended) for (const statement of sql.forget) statement.run(jobId);
        for (const statement of [sql.forgetPermits, sql.forgetCertificates]) statement.run(nowMs() - keptForMs);
      });
      return ended;
    },
  };
}

type Row = Record<string, unknown>;

function copyOf(row: Row | undefined): CopyPlace | undefined {
  if (row === undefined) return undefined;
  return {
    jobId: String(row['job_id']),
    epoch: Number(row['epoch']),
    targetId: String(row['target_id']),
    datasetId: String(row['dataset_id']),
    replicaId: String(row['replica_id']),
    root: String(row['root']),
    leavesDone: Number(row['leaves_done']),
    movedBytes: Number(row['moved_bytes']),
  };
}

function certificateOf(row: Row): CertificateRow {
  return {
    jobId: String(row['job_id']),
    role: row['role'] as CertificateRow['role'],
    targetId: row['target_id'] as string | null,
    datasetId: row['dataset_id'] as string | null,
    replicaId: String(row['replica_id']),
    rev: Number(row['rev']),
    certificate: String(row['certificate']),
  };
}
