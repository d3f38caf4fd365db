import { chainStart } from '@data-in-motion/shared/chain';
import type { NodeId } from '@data-in-motion/shared/domain/ids';
import { sql } from 'drizzle-orm';
import { type Db, rowsOf, type Tx } from './database.ts';
import { agentStream } from './schema.ts';

/** One life of one agent: sequence numbers count from 1 in it. */
export interface StreamName {
  readonly nodeId: NodeId;
  readonly incarnation: number;
}

export interface ReceivedBatch extends StreamName {
  readonly uid: string;
  readonly seq: number;
  readonly prevChain: string;
  readonly chain: string;
  readonly sealedAtMs: number;
  /** How many records; 0 of a batch whose records can not be read. */
  readonly records: number;
  /** Counted as received, so that the watermark moves on, but its records can not be stored. */
  readonly poison: boolean;
}

export interface StreamWatermark extends StreamName {
  readonly watermark: number;
}

/** What an acknowledgement says. */
export interface StreamState extends StreamWatermark {
  /** The chain after the batch at the watermark. */
  readonly chain: string;
  readonly durableUpto: number;
  /** Not stored between the watermark and the highest sequence seen; the first thousand. */
  readonly holes: readonly number[];
}

export interface StoredBatch<Batch> {
  readonly batch: Batch;
  /** A batch sealed after it may be stored before it: what it tells may be older than what is known. */
  readonly isLate: boolean;
}

export interface BatchOutcome<Batch> {
  /** Those that were not stored before, in the order of their streams: only their records may be stored. */
  readonly fresh: readonly StoredBatch<Batch>[];
  /** Streams in which a sequence or a chain contradicts what is stored: two outboxes speak under one name. */
  readonly forked: readonly StreamName[];
}

const streamKey = (stream: StreamName): string => `${stream.nodeId} ${stream.incarnation}`;
const byStream = (a: StreamName, b: StreamName): number => (a.nodeId === b.nodeId ? a.incarnation - b.incarnation : a.nodeId < b.nodeId ? -1 : 1);

function streamsOf(batches: readonly StreamName[]): StreamName[] {
  return [...new Map(batches.map(({ nodeId, incarnation }) => [streamKey({ nodeId, incarnation }), { nodeId, incarnation }])).values()].sort(byStream);
}

/** Streams as a table for a query. */
function asRows(streams: readonly StreamName[]) {
  return sql`jsonb_to_recordset(${JSON.stringify(streams.map(({ nodeId, incarnation }) => ({ node: nodeId, inc: incarnation })))}::jsonb) as g(node text, inc bigint)`;
}

/** What tells whether a batch is late. */
interface StreamBefore {
  /** The highest sequence seen in this stream before. */
  readonly highest: number;
  /** The agent's newest life, and the name of the start that began it; the text is empty where no start is known. */
  readonly life: number;
  readonly bootUid: string;
}

/** Make and lock the rows of these streams, in one order everywhere. */
async function lockStreams(tx: Tx, streams: readonly StreamName[]): Promise<Map<string, StreamBefore>> {
  await tx
    .insert(agentStream)
    .values(streams.map((stream) => ({ ...stream, chain: chainStart })))
    .onConflictDoNothing();
  const rows = await rowsOf<StreamBefore & { node: NodeId; inc: number }>(
    tx,
    sql`select s.node_id as node, s.incarnation as inc, s.highest_seen as highest, coalesce(n.incarnation, 0) as life, coalesce(n.boot_uid, '') as "bootUid"
      from agent_stream s join ${asRows(streams)} on s.node_id = g.node and s.incarnation = g.inc left join node n on n.node_id = s.node_id
      order by s.node_id, s.incarnation for update of s`,
  );
  return new Map(rows.map((row) => [streamKey({ nodeId: row.node, incarnation: row.inc }), row]));
}

/** A ULID begins with its time, ten characters that sort as text. */
const timeOf = (ulid: string): string => ulid.slice(0, 10);

/**
 * Whether something sealed after this batch may be stored already: in its own stream, or, when it is from an older life of its agent, in another. After a
 * start the batches of before are placed anew, ahead of all others, though some that followed them may have come through; their names tell their age.
 */
function isLate(batch: ReceivedBatch, { highest, life, bootUid }: StreamBefore): boolean {
  return batch.seq < highest || batch.incarnation < life || timeOf(batch.uid) < timeOf(bootUid);
}

/** Insert what is new. A batch is known by its uid in every incarnation; its place is by incarnation and sequence. */
async function insertBatches(tx: Tx, nowMs: number, batches: readonly ReceivedBatch[]): Promise<{ fresh: Set<string>; contradictions: StreamName[] }> {
  const rows = batches.map((one) => ({
    node: one.nodeId,
    uid: one.uid,
    inc: one.incarnation,
    seq: one.seq,
    prev: one.prevChain,
    chain: one.chain,
    records: one.records,
    poison: one.poison,
    sealed: one.sealedAtMs,
  }));
  const given = sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as g(node text, uid text, inc bigint, seq bigint, prev text, chain text, records int, poison boolean, sealed bigint)`;
  const inserted = await rowsOf<{ node: string; uid: string }>(
    tx,
    sql`insert into batch (node_id, uid, incarnation, seq, chain, records, poison, sealed_at_ms, received_at_ms)
      select node, uid, inc, seq, chain, records, poison, sealed, ${nowMs}::bigint from ${given} on conflict do nothing returning node_id as node, uid`,
  );
  await tx.execute(sql`insert into batch_seq (node_id, incarnation, seq, uid, chain) select node, inc, seq, uid, chain from ${given} on conflict do nothing`);
  const contradictions = await rowsOf<{ node: NodeId; inc: number }>(
    tx,
    sql`select distinct g.node, g.inc from ${given}
      join batch_seq at on at.node_id = g.node and at.incarnation = g.inc and at.seq = g.seq
      left join batch_seq before on before.node_id = g.node and before.incarnation = g.inc and before.seq = g.seq - 1
      where at.uid <> g.uid or at.chain <> g.chain or g.prev <> case when g.seq = 1 then ${chainStart} else coalesce(before.chain, g.prev) end`,
  );
  return {
    fresh: new Set(inserted.map((row) => `${row.node} ${row.uid}`)),
    contradictions: contradictions.map((row) => ({ nodeId: row.node, incarnation: row.inc })),
  };
}

/** Move each watermark to the end of the longest prefix without a hole. */
async function advanceWatermarks(tx: Tx, nowMs: number, streams: readonly StreamName[]): Promise<void> {
  await tx.execute(sql`
    with prefix as (
      select s.node_id, s.incarnation, greatest(s.watermark, coalesce(p.upto, 0)) as upto, coalesce(p.highest, 0) as highest
      from agent_stream s join ${asRows(streams)} on s.node_id = g.node and s.incarnation = g.inc
      cross join lateral (
        select max(n.seq) filter (where n.seq = s.watermark + n.place) as upto, max(n.seq) as highest
        from (select b.seq, row_number() over (order by b.seq) as place from batch_seq b where b.node_id = s.node_id and b.incarnation = s.incarnation and b.seq > s.watermark) n
      ) p
    )
    update agent_stream s set watermark = p.upto, highest_seen = greatest(s.highest_seen, p.highest, p.upto), last_batch_at_ms = ${nowMs}::bigint,
      chain = coalesce((select b.chain from batch_seq b where b.node_id = p.node_id and b.incarnation = p.incarnation and b.seq = p.upto), s.chain)
    from prefix p where s.node_id = p.node_id and s.incarnation = p.incarnation`);
}

/**
 * Take note of batches, each once whatever the network repeats or reorders, in the transaction that stores their records.
 * Their streams stay locked until its end, so two control planes take the same stream in turn.
 */
export async function storeBatches<Batch extends ReceivedBatch>(tx: Tx, nowMs: number, received: readonly Batch[]): Promise<BatchOutcome<Batch>> {
  const batches = [...received].sort((a, b) => byStream(a, b) || a.seq - b.seq);
  const streams = streamsOf(batches);
  const before = await lockStreams(tx, streams);
  const { fresh, contradictions } = await insertBatches(tx, nowMs, batches);
  await advanceWatermarks(tx, nowMs, streams);
  const first: StoredBatch<Batch>[] = [];
  for (const batch of batches) {
    if (fresh.delete(`${batch.nodeId} ${batch.uid}`)) first.push({ batch, isLate: isLate(batch, before.get(streamKey(batch))!) });
  }
  return { fresh: first, forked: contradictions };
}

/** What to acknowledge of these streams. Without an export every commit is durable. */
export async function streamStates(db: Db, durability: 'commit' | 'export', names: readonly StreamName[]): Promise<StreamState[]> {
  const streams = streamsOf(names);
  if (streams.length === 0) return [];
  const rows = await rowsOf<{ node: NodeId; inc: number; watermark: number; chain: string; durable: number; holes: number[] | null }>(
    db,
    sql`select s.node_id as node, s.incarnation as inc, s.watermark, s.chain, s.durable_upto as durable, case when s.highest_seen > s.watermark then (
        select jsonb_agg(h.seq) from (
          select n as seq from generate_series(s.watermark + 1, least(s.highest_seen, s.watermark + 2000)) n
          where not exists (select 1 from batch_seq b where b.node_id = s.node_id and b.incarnation = s.incarnation and b.seq = n) order by n limit 1000) h) end as holes
      from agent_stream s join ${asRows(streams)} on s.node_id = g.node and s.incarnation = g.inc order by s.node_id, s.incarnation`,
  );
  return rows.map((row) => ({
    nodeId: row.node,
    incarnation: row.inc,
    watermark: row.watermark,
    chain: row.chain,
    durableUpto: durability === 'commit' ? row.watermark : row.durable,
    holes: row.holes ?? [],
  }));
}

/** Up to where each agent life is stored without a hole. */
export async function streamWatermarks(db: Db): Promise<StreamWatermark[]> {
  return db.select({ nodeId: agentStream.nodeId, incarnation: agentStream.incarnation, watermark: agentStream.watermark }).from(agentStream);
}

/** Say of these that they survive power loss now; answers whether any grew. */
export async function advanceDurable(db: Db, stored: readonly StreamWatermark[]): Promise<boolean> {
  const rows = stored.map((row) => ({ node: row.nodeId, inc: row.incarnation, upto: row.watermark }));
  const grew = await rowsOf(
    db,
    sql`update agent_stream s set durable_upto = d.upto from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as d(node text, inc bigint, upto bigint)
      where s.node_id = d.node and s.incarnation = d.inc and s.durable_upto < d.upto returning 1 as grew`,
  );
  return grew.length > 0;
}
