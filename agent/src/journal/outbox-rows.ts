import { chainAfter, chainStart } from '@data-in-motion/shared/chain';
import type { Random } from '@data-in-motion/shared/random';
import { ulidAfter } from '@data-in-motion/shared/ulid';
import type { Journal } from './journal.ts';
import type { Meta } from './meta.ts';

/**
 * A sealed batch. `open` the control plane has not said that it stored it · `stored` it said so, but could still lose it ·
 * `durable` it can not lose it: kept a while, then pruned.
 */
export interface SealedBatch {
  /** Order of sealing; never used twice. */
  readonly position: number;
  readonly uid: string;
  readonly inc: number;
  readonly seq: number;
  readonly prevChain: string;
  readonly chain: string;
  readonly sealedAtMs: number;
  /** JSON text of the records; what the chain covers. */
  readonly records: string;
}

const steps = [
  `create table outbox (
     position integer primary key autoincrement,
     uid text not null unique,
     inc integer not null,
     seq integer not null,
     prev_chain text not null,
     chain text not null,
     state text not null check (state in ('open', 'stored', 'durable')),
     sealed_at_ms integer not null,
     size_bytes integer not null,
     unique (inc, seq)
   ) strict`,
  'create index outbox_by_state on outbox (state, position)',
  // Apart from the numbers, because numbering anew must not rewrite the texts.
  'create table outbox_records (position integer primary key references outbox on delete cascade, records text not null) strict',
];

/** The batches of the outbox as rows. What writes is a part of the caller's transaction. */
export interface OutboxRows {
  /** A name for a batch, or for a start: it sorts behind all that is kept and all given before, so that names tell the order, whatever the clock says. */
  nextUid(nowMs: number, random: Random): string;
  /** Number a batch under the present incarnation and keep it. */
  add(uid: string, records: string, sealedAtMs: number): void;
  /** Oldest first; batches of the present incarnation that are not acknowledged. */
  oldestOpen(limit: number): SealedBatch[];
  chainAt(inc: number, seq: number): string | undefined;
  /** @returns how many rows changed */
  markStored(inc: number, upto: number): number;
  markDurable(inc: number, upto: number): number;
  /** Everything that is not durable gets numbers from 1 and a chain of its own under `inc`, in its old order, and is open again. */
  numberAnew(inc: number): { seq: number; chain: string };
  /** The store came back without what it had called durable: kept batches after `watermark` of `inc` are open again, and older incarnations' when it has none of `inc`. */
  reopenKept(inc: number, watermark: number): void;
  /** Forget durable batches that are older than the time, then the oldest ones until the rest is below the size. */
  prune(sealedBeforeMs: number, keepBytes: number): void;
  /** Bytes of what is not durable. */
  undeliveredBytes(): number;
  /** Put other records in place of a batch's (fewer than it had); `null` drops the batch. Its uid stays: if it was stored whole already, the rest is known there. */
  replaceRecords(position: number, records: string | null): void;
  /** Oldest first, undelivered, starting after a position. */
  undelivered(afterPosition: number, limit: number): SealedBatch[];
}

interface Row {
  position: number;
  uid: string;
  inc: number;
  seq: number;
  prev_chain: string;
  chain: string;
  sealed_at_ms: number;
  records: string;
}

const whole = 'select o.position, uid, inc, seq, prev_chain, chain, sealed_at_ms, records from outbox o join outbox_records r using (position)';

export function openOutboxRows(journal: Journal, meta: Meta): OutboxRows {
  journal.define('outbox', steps);
  const { db } = journal;
  const insert = db.prepare('insert into outbox (uid, inc, seq, prev_chain, chain, state, sealed_at_ms, size_bytes) values (?, ?, ?, ?, ?, ?, ?, ?)');
  const insertRecords = db.prepare('insert into outbox_records (position, records) values (?, ?)');
  const selectOpen = db.prepare(`${whole} where state = 'open' order by position limit ?`);
  const selectUndelivered = db.prepare(`${whole} where state in ('open', 'stored') and o.position > ? order by o.position limit ?`);
  const selectChain = db.prepare('select chain from outbox where inc = ? and seq = ?').pluck();
  const store = db.prepare("update outbox set state = 'stored' where inc = ? and seq <= ? and state = 'open'");
  const settle = db.prepare("update outbox set state = 'durable' where inc = ? and seq <= ? and state <> 'durable'");
  const selectNumbering = db.prepare(
    "select position, records from outbox join outbox_records using (position) where state <> 'durable' and position > ? order by position limit 1",
  );
  const number = db.prepare("update outbox set inc = ?, seq = ?, prev_chain = ?, chain = ?, state = 'open' where position = ?");
  const reopen = db.prepare(
    "update outbox set state = 'open' where state = 'durable' and ((inc = @inc and seq > @watermark) or (inc < @inc and @watermark = 0))",
  );
  const forgetOld = db.prepare("delete from outbox where state = 'durable' and sealed_at_ms < ?");
  const selectKept = db.prepare("select position, size_bytes from outbox where state = 'durable' order by position desc");
  const forgetUpto = db.prepare("delete from outbox where state = 'durable' and position <= ?");
  const sumUndelivered = db.prepare("select coalesce(sum(size_bytes), 0) from outbox where state <> 'durable'").pluck();
  const rewrite = db.prepare('update outbox_records set records = ? where position = ?');
  const resize = db.prepare('update outbox set size_bytes = ? where position = ?');
  const drop = db.prepare('delete from outbox where position = ?');
  let newest = db.prepare('select max(uid) from outbox').pluck().get() as string | null;

  return {
    nextUid(nowMs, random) {
      newest = ulidAfter(newest, Math.max(0, nowMs), random);
      return newest;
    },
    add(uid, records, sealedAtMs) {
      if (newest === null || uid > newest) newest = uid;
      const { incarnation, seq, chain } = meta.read();
      const next = chainAfter(chain, records);
      const { lastInsertRowid } = insert.run(uid, incarnation, seq + 1, chain, next, 'open', sealedAtMs, Buffer.byteLength(records));
      insertRecords.run(lastInsertRowid, records);
      meta.write({ seq: seq + 1, chain: next });
    },
    oldestOpen: (limit) => (selectOpen.all(limit) as Row[]).map(batchOf),
    chainAt: (inc, seq) => selectChain.get(inc, seq) as string | undefined,
    markStored: (inc, upto) => store.run(inc, upto).changes,
    markDurable: (inc, upto) => settle.run(inc, upto).changes,
    numberAnew(inc) {
      let seq = 0;
      let chain = chainStart;
      for (let position = 0; ; ) {
        const row = selectNumbering.get(position) as { position: number; records: string } | undefined;
        if (row === undefined) return { seq, chain };
        const next = chainAfter(chain, row.records);
        number.run(inc, ++seq, chain, next, row.position);
        chain = next;
        position = row.position;
      }
    },
    reopenKept: (inc, watermark) => void reopen.run({ inc, watermark }),
    prune(sealedBeforeMs, keepBytes) {
      forgetOld.run(sealedBeforeMs);
      let sum = 0;
      let forgetAt: number | undefined;
      for (const row of selectKept.iterate() as IterableIterator<{ position: number; size_bytes: number }>) {
        sum += row.size_bytes;
        if (sum > keepBytes) {
          forgetAt = row.position;
          break;
        }
      }
      if (forgetAt !== undefined) forgetUpto.run(forgetAt);
    },
    undeliveredBytes: () => sumUndelivered.get() as number,
    replaceRecords(position, records) {
      if (records === null) {
        drop.run(position);
        return;
      }
      rewrite.run(records, position);
      resize.run(Buffer.byteLength(records), position);
    },
    undelivered: (afterPosition, limit) => (selectUndelivered.all(afterPosition, limit) as Row[]).map(batchOf),
  };
}

function batchOf(row: Row): SealedBatch {
  return {
    position: row.position,
    uid: row.uid,
    inc: row.inc,
    seq: row.seq,
    prevChain: row.prev_chain,
    chain: row.chain,
    sealedAtMs: row.sealed_at_ms,
    records: row.records,
  };
}
