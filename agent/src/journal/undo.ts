import type { Journal } from './journal.ts';

/** How to take back a fault, written before the fault is made. */
export interface UndoRow {
  readonly experimentId: string;
  readonly kind: string;
  /** JSON; what the fault's own file needs to undo it. */
  readonly detail: string;
}

export interface UndoLog {
  /** Committed and flushed when this returns. An experiment is armed once in its life: `known` when it was armed or refused before. */
  begin(row: UndoRow, atMs: number): 'begun' | 'known';
  /** An experiment that was refused is not armed by a message that comes twice. */
  refuse(experimentId: string, kind: string, atMs: number): 'noted' | 'known';
  /** What is armed, or was when the process ended; oldest first. */
  pending(): UndoRow[];
  /** The fault is taken back and that was checked. */
  finish(experimentId: string): void;
}

const steps = [
  `create table fault_undo (
     experiment_id text primary key,
     kind text not null,
     detail text,
     at_ms integer not null
   ) strict`,
];

/** Experiments older than this are forgotten: their documents are void by their own time to live long before. */
const rememberMs = 7 * 24 * 3_600_000;

/** `detail` is null for an experiment that is over: the row stays, so that a repeated document does not arm it again. */
export function openUndoLog(journal: Journal): UndoLog {
  journal.define('undo', steps);
  const { db } = journal;
  const insert = db.prepare('insert into fault_undo (experiment_id, kind, detail, at_ms) values (?, ?, ?, ?) on conflict do nothing');
  const forget = db.prepare('delete from fault_undo where detail is null and at_ms < ?');
  const select = db.prepare('select experiment_id, kind, detail from fault_undo where detail is not null order by at_ms, experiment_id');
  const finish = db.prepare('update fault_undo set detail = null where experiment_id = ?');
  const add = (experimentId: string, kind: string, detail: string | null, atMs: number): boolean =>
    journal.transaction(() => {
      forget.run(atMs - rememberMs);
      return insert.run(experimentId, kind, detail, atMs).changes === 1;
    });
  return {
    begin: (row, atMs) => (add(row.experimentId, row.kind, row.detail, atMs) ? 'begun' : 'known'),
    refuse: (experimentId, kind, atMs) => (add(experimentId, kind, null, atMs) ? 'noted' : 'known'),
    pending: () =>
      (select.all() as { experiment_id: string; kind: string; detail: string }[]).map((row) => ({
        experimentId: row.experiment_id,
        kind: row.kind,
        detail: row.detail,
      })),
    finish: (experimentId) => void journal.transaction(() => finish.run(experimentId)),
  };
}
