import type { AgentRecord } from '@data-in-motion/shared/protocol/records';
import type { Meta } from './meta.ts';
import type { OutboxRows, SealedBatch } from './outbox-rows.ts';

/** Figures that are taken again and again: one a minute is enough when room is short. Everything else happened once and is kept while it can be. */
const samples: ReadonlySet<AgentRecord['type']> = new Set(['reading', 'target-stats', 'ewma', 'progress']);
const oneEachMs = 60_000;
/** Thinned down to this part of the quota, so that it is not done again at once. */
const downTo = 0.8;
const rowsAtOnce = 16;

export interface Thinned {
  readonly fromSeq: number;
  readonly toSeq: number;
  /** How many records are gone. */
  readonly records: number;
}

/**
 * When undelivered batches pass the quota, thin the oldest samples to one a minute and subject, and if that is not enough drop the oldest batches whole.
 * Batches keep their uid, for one that is stored already is then still known as stored; what is left is numbered anew under the next incarnation,
 * so no hole is ever seen, only the `gap` record that the caller tells.
 *
 * @returns what went, or null when nothing had to
 */
export function thinOldest(rows: OutboxRows, meta: Meta, quotaBytes: number): Thinned | null {
  const wantedBytes = quotaBytes * downTo;
  let left = rows.undeliveredBytes();
  if (left <= quotaBytes) return null;

  let gone: Thinned | null = null;
  const lose = (batch: SealedBatch, kept: readonly AgentRecord[], before: number): void => {
    const text = kept.length === 0 ? null : JSON.stringify(kept);
    rows.replaceRecords(batch.position, text);
    left -= Buffer.byteLength(batch.records) - (text === null ? 0 : Buffer.byteLength(text));
    const seqs = gone ?? { fromSeq: batch.seq, toSeq: batch.seq, records: 0 };
    gone = { fromSeq: Math.min(seqs.fromSeq, batch.seq), toSeq: Math.max(seqs.toSeq, batch.seq), records: seqs.records + before - kept.length };
  };

  const lastAtMs = new Map<string, number>();
  eachUndelivered(
    rows,
    () => left > wantedBytes,
    (batch, records) => {
      const kept = records.filter((record) => isKept(record, lastAtMs));
      if (kept.length < records.length) lose(batch, kept, records.length);
    },
  );
  eachUndelivered(
    rows,
    () => left > wantedBytes,
    (batch, records) => lose(batch, [], records.length),
  );

  if (gone !== null) meta.write({ renumber: true });
  return gone;
}

function eachUndelivered(rows: OutboxRows, goOn: () => boolean, visit: (batch: SealedBatch, records: AgentRecord[]) => void): void {
  for (let position = 0; ; ) {
    const batches = rows.undelivered(position, rowsAtOnce);
    for (const batch of batches) {
      if (!goOn()) return;
      visit(batch, JSON.parse(batch.records) as AgentRecord[]);
      position = batch.position;
    }
    if (batches.length === 0) return;
  }
}

function isKept(record: AgentRecord, lastAtMs: Map<string, number>): boolean {
  if (!samples.has(record.type) || !('atMs' in record)) return true;
  const subject = `${record.type} ${'deviceId' in record ? record.deviceId : 'targetId' in record ? record.targetId : 'jobId' in record ? record.jobId : ''}${'datasetId' in record ? record.datasetId : ''}`;
  const last = lastAtMs.get(subject);
  if (last !== undefined && Math.abs(record.atMs - last) < oneEachMs) return false;
  lastAtMs.set(subject, record.atMs);
  return true;
}
