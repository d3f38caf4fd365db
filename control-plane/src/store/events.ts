import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { type Db, rowsOf, type Store, type Tx } from './database.ts';
import { asStoreFailure } from './database-failure.ts';
import { event } from './schema.ts';

export type EventRow = typeof event.$inferSelect;

export interface NewEvent {
  /** Dotted, past tense where something happened: `device.level-changed`. */
  readonly type: string;
  readonly severity: 'info' | 'warning' | 'error';
  /** A sentence for a person. */
  readonly text: string;
  readonly ids: Readonly<Record<string, string | number>>;
  /** Who did it: a user, an agent, a part of the control plane. */
  readonly by: string;
}

const rowsPerRead = 500;
/** More rows are cheaper by COPY than as parameters of one statement. */
const rowsPerInsert = 50;
/** How soon to look again while an older transaction is still open. */
const unsettledMs = 50;
const awayMs = 500;

/** Append what happened and wake the followers when this transaction is committed. */
export async function appendEvents(tx: Tx, nowMs: number, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map((one) => ({ ...one, atMs: nowMs }));
  if (rows.length > rowsPerInsert) await tx.copyRows(event, rows);
  else await tx.insert(event).values(rows);
  await tx.announceEvents();
}

/** Where a follower stands: numbers are given before the commit, so the order to read in is by transaction, then by number. */
interface Position {
  readonly txId: number;
  readonly seq: number;
}

/** Transactions below this have all ended: whatever they wrote is visible, and nothing will be written below it any more. */
const settledBelow = sql`pg_snapshot_xmin(pg_current_snapshot())::text::bigint`;

async function positionOf(db: Db, afterSeq: number): Promise<Position | undefined> {
  const [row] = await db.select({ txId: event.txId, seq: event.seq }).from(event).where(sql`${event.seq} = ${afterSeq}`);
  return row;
}

/** Number of the newest event that every follower may have seen; 0 when there is none. To follow from now on, start here. */
export async function lastEventSeq(db: Db): Promise<number> {
  const [row] = await db.select({ seq: event.seq }).from(event).where(sql`${event.txId} < ${settledBelow}`).orderBy(sql`tx_id desc, seq desc`).limit(1);
  return row?.seq ?? 0;
}

async function readAfter(db: Db, position: Position | undefined, afterSeq: number): Promise<EventRow[]> {
  const after = position === undefined ? sql`seq > ${afterSeq}` : sql`(tx_id, seq) > (${position.txId}::bigint, ${position.seq}::bigint)`;
  return db.select().from(event).where(sql`${after} and tx_id < ${settledBelow}`).orderBy(sql`tx_id, seq`).limit(rowsPerRead);
}

async function hasUnsettled(db: Db): Promise<boolean> {
  return (await rowsOf(db, sql`select 1 from event where tx_id >= ${settledBelow} limit 1`)).length > 0;
}

/** What a follower finds at its position: rows, nothing yet because an older transaction is open, or nothing. */
type Look = { readonly rows: EventRow[]; readonly soon: boolean };

async function look(db: Db, position: Position | undefined, afterSeq: number): Promise<Look> {
  const rows = await readAfter(db, position ?? (await positionOf(db, afterSeq)), afterSeq);
  return { rows, soon: rows.length === 0 && (await hasUnsettled(db)) };
}

/** Wait out a database that is away or full; all else is the follower's to know, since nothing says that it will pass. */
async function lookAgain(thrown: unknown, signal: AbortSignal): Promise<Look> {
  const failure = asStoreFailure(thrown);
  if (failure.kind !== 'unavailable' && failure.kind !== 'exhausted') throw failure;
  await sleep(awayMs, undefined, { signal }).catch(() => {});
  return { rows: [], soon: true };
}

/**
 * Every event after the one numbered `afterSeq` (0: from the first), each once, in an order that never changes, until the signal aborts;
 * while the database is away or full, it waits. Numbers may go down by a little where transactions overlapped: resume with the number
 * delivered last, not with the highest.
 */
export async function* followEvents(store: Store, afterSeq: number, signal: AbortSignal): AsyncGenerator<EventRow[]> {
  let position: Position | undefined;
  let woken = false;
  let wake = (): void => {};
  const onEvents = (): void => {
    woken = true;
    wake();
  };
  store.signals.on('events', onEvents);
  store.signals.on('missed', onEvents);
  signal.addEventListener('abort', onEvents);
  try {
    while (!signal.aborted) {
      woken = false;
      const { rows, soon } = await look(store.db, position, afterSeq).catch((thrown: unknown) => lookAgain(thrown, signal));
      const last = rows.at(-1);
      if (last !== undefined) {
        position = { txId: last.txId, seq: last.seq };
        yield rows;
        continue;
      }
      if (soon) await sleep(unsettledMs, undefined, { signal }).catch(() => {});
      else if (!woken) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    store.signals.off('events', onEvents);
    store.signals.off('missed', onEvents);
    signal.removeEventListener('abort', onEvents);
  }
}
