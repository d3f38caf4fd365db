import { nobody } from '@data-in-motion/shared/api/operations';
import type { DatasetId, DeviceId } from '@data-in-motion/shared/domain/ids';
import { type SQL, sql } from 'drizzle-orm';
import { keepsCopy } from './accesses.ts';
import { type Db, rowsOf, type Store, type Tx } from './database.ts';

/** How long things are kept. Each function below deletes at most `rows` rows and answers how many; as many as that means there may be more. */
export interface Retention {
  /** Readings and assessments of a device are thinned to one an hour after this, to one a day after the other. They never end. */
  readonly hourlyAfterMs: number;
  readonly dailyAfterMs: number;
  /** The names of batches, by which a repeated one is known, once they are durable. */
  readonly batchesMs: number;
  /** The names of accesses, likewise; their sums per minute stay. */
  readonly accessNamesMs: number;
  readonly eventsMs: number;
  readonly answersMs: number;
  readonly recommendationsMs: number;
  readonly modelScoresMs: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** So many of the oldest rows are looked at in one go; far more than what is thinned already, or nothing new would be seen. */
const lookedAt = 20_000;

/** Events that tell the history of data itself stay. */
const keptEvents = sql.raw(`type not like 'certificate.%' and type not in ('dataset.pointer-moved', 'dataset.switch-learned', 'dataset.version-committed')`);

async function countOf(tx: Tx, query: SQL): Promise<number> {
  const [row] = await rowsOf<{ count: number }>(tx, query);
  return row!.count;
}

/** `what` selects the ctids to delete. An array, so that the rows are fetched by place and not by reading the whole table. */
function deletion(table: string, what: SQL): SQL {
  return sql`with gone as (delete from ${sql.raw(table)} where ctid = any(array(${what})) returning 1) select count(*)::int as count from gone`;
}

/** Of each hour, or day, the last reading that says something stays; of assessments the last of each level. */
function thinning(table: 'reading' | 'assessment', deviceId: DeviceId, fromMs: number, untilMs: number, everyMs: number, rows: number): SQL {
  const [among, best] = table === 'reading' ? [sql``, sql`(status = 'read') desc,`] : [sql`, level`, sql``];
  return deletion(
    table,
    sql`select id from (
        select aged.ctid as id, row_number() over (partition by at_ms / ${everyMs}::bigint${among} order by ${best} at_ms desc, aged.ctid desc) as place
        from (select ctid, * from ${sql.raw(table)} where device_id = ${deviceId} and at_ms >= ${fromMs}::bigint and at_ms < ${untilMs}::bigint order by at_ms limit ${lookedAt}) aged
      ) ranked where place > 1 limit ${rows}`,
  );
}

/** What a device told, and what models said of it. */
export async function pruneDevice(tx: Tx, deviceId: DeviceId, keep: Retention, nowMs: number, rows: number): Promise<number> {
  const daily = nowMs - keep.dailyAfterMs;
  const hourly = nowMs - keep.hourlyAfterMs;
  let most = 0;
  for (const table of ['reading', 'assessment'] as const) {
    most = Math.max(most, await countOf(tx, thinning(table, deviceId, 0, daily, dayMs, rows)));
    most = Math.max(most, await countOf(tx, thinning(table, deviceId, daily, hourly, hourMs, rows)));
  }
  const scores = sql`select ctid from model_score where device_id = ${deviceId} and day < ${Math.floor((nowMs - keep.modelScoresMs) / dayMs)} limit ${rows}`;
  return Math.max(most, await countOf(tx, deletion('model_score', scores)));
}

/** The names of a dataset's accesses. By both times: one that came late may still come again. */
export async function pruneAccesses(tx: Tx, datasetId: DatasetId, keep: Retention, nowMs: number, rows: number): Promise<number> {
  const before = nowMs - keep.accessNamesMs;
  return countOf(
    tx,
    deletion(
      'access_event',
      sql`select ctid from access_event where dataset_id = ${datasetId} and at_ms < ${before}::bigint and received_at_ms < ${before}::bigint limit ${rows}`,
    ),
  );
}

/** An agent that was silent may say again what was stored before; after this long of talking it has heard what need not be said. */
const talkedForMs = hourMs;

/**
 * The names of batches below the durable watermark, with their places in the stream. Those of an agent that has been silent since stay, whatever their age:
 * it may not have heard that they are stored.
 */
export async function pruneBatches(tx: Tx, durability: Store['durability'], keep: Retention, nowMs: number, rows: number): Promise<number> {
  const before = nowMs - keep.batchesMs;
  const durable = sql.raw(durability === 'commit' ? 's.watermark' : 's.durable_upto');
  return countOf(
    tx,
    sql`with talking as materialized (
        select n.node_id from node n cross join lateral (
          select 1 from batch t where t.node_id = n.node_id and t.received_at_ms >= ${before}::bigint and t.received_at_ms < ${nowMs - talkedForMs}::bigint limit 1) heard
        where n.last_heard_at_ms >= ${before}::bigint
      ), gone as (
        delete from batch where ctid = any(array(
          select b.ctid from batch b join agent_stream s on s.node_id = b.node_id and s.incarnation = b.incarnation
          where b.received_at_ms < ${before}::bigint and b.seq < ${durable} and b.node_id in (select node_id from talking)
          order by b.received_at_ms limit ${rows}))
        returning node_id, incarnation, seq
      ), places as (
        delete from batch_seq q using (select node_id, incarnation, max(seq) as upto from gone group by node_id, incarnation) g
        where q.node_id = g.node_id and q.incarnation = g.incarnation and q.seq <= g.upto
      ) select count(*)::int as count from gone`,
  );
}

export async function pruneEvents(tx: Tx, keep: Retention, nowMs: number, rows: number): Promise<number> {
  return countOf(
    tx,
    deletion('event', sql`select ctid from event where at_ms < ${nowMs - keep.eventsMs}::bigint and ${keptEvents} order by at_ms limit ${rows}`),
  );
}

/** How the features of the fleet were distributed; for as long as the scores beside which that is looked at. */
export async function pruneDriftLooks(tx: Tx, keep: Retention, nowMs: number, rows: number): Promise<number> {
  const before = Math.floor((nowMs - keep.modelScoresMs) / dayMs);
  return countOf(tx, deletion('drift_look', sql`select ctid from drift_look where day < ${before} limit ${rows}`));
}

/** Answers that a repeated request gets again. */
export async function pruneAnswers(tx: Tx, keep: Retention, nowMs: number, rows: number): Promise<number> {
  return countOf(tx, deletion('idempotency', sql`select ctid from idempotency where at_ms < ${nowMs - keep.answersMs}::bigint limit ${rows}`));
}

export async function pruneRecommendations(tx: Tx, keep: Retention, nowMs: number, rows: number): Promise<number> {
  return countOf(
    tx,
    deletion('recommendation', sql`select ctid from recommendation where made_at_ms < ${nowMs - keep.recommendationsMs}::bigint limit ${rows}`),
  );
}

/** Means of agents that keep no copy of the dataset any more: they never tell zero, and their last word would count again when a copy comes back. */
export async function pruneRates(tx: Tx, rows: number): Promise<number> {
  return countOf(tx, deletion('access_rate', sql`select ctid from access_rate r where not ${keepsCopy} limit ${rows}`));
}

const refusalsKept = 10_000;

/** What callers without an identity got nothing by (also the end of no session): anybody can ask for any number of things. Every other row of the audit stays. */
export async function pruneRefusals(tx: Tx, rows: number): Promise<number> {
  return countOf(
    tx,
    deletion(
      'audit',
      sql`select ctid from audit where who = ${nobody} and role = 'viewer' and (outcome >= '400' or action = 'DELETE /v1/session') order by seq desc offset ${refusalsKept} limit ${rows}`,
    ),
  );
}

/** Tables whose rows are changed or deleted all the time, the busiest first. */
const churning = `
  cp_leader node job agent_stream access_aggregate access_rate dataset device target replica pointer recommendation plan
  reading assessment model_score drift_look batch batch_seq access_event event idempotency quarantine sync_queue alert token audit
`
  .trim()
  .split(/\s+/);

/** Give the room of deleted rows back to one table and count its rows for the planner, table after table with each call: the embedded database does neither by itself. */
export async function vacuumNext(db: Db, turn: number): Promise<void> {
  await db.execute(sql.raw(`vacuum (analyze) ${churning[turn % churning.length]}`));
}

/** Retired models that a roll-back may go back to. */
const keptRetired = 20;

/** Older retired models, once no score, drive or agent names them any more. What was rejected stays: it is known as such when it is trained again. */
export async function pruneModels(tx: Tx, rows: number): Promise<number> {
  const newest = sql`select version from failure_model where state = 'retired' order by coalesce(promoted_at_ms, added_at_ms) desc, version limit ${keptRetired}`;
  return countOf(
    tx,
    deletion(
      'failure_model',
      sql`select m.ctid from failure_model m where m.state = 'retired' and m.version not in (${newest})
        and not exists (select 1 from model_score s where s.version = m.version)
        and not exists (select 1 from node n where n.model_version = m.version)
        and not exists (select 1 from device d where d.judge->>'version' = m.version) limit ${rows}`,
    ),
  );
}
