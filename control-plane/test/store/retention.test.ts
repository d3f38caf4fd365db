import { sql } from 'drizzle-orm';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { defaultLoopSettings, leaderWrite } from '../../src/control-loop/parts.ts';
import { Pruner } from '../../src/control-loop/prune.ts';
import { rowsOf, type Store } from '../../src/store/database.ts';
import { holdLeadership } from '../../src/store/leader.ts';
import { vacuumNext } from '../../src/store/retention.ts';
import { startedFleet } from '../jobs/started-fleet.ts';
import { storeKinds } from '../stores.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A round hour long after all that is told here. */
const nowMs = 500 * dayMs;

describe.each(storeKinds)('what is kept, on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  let store: Store;
  afterAll(() => open.stop());
  beforeEach(async () => {
    store = await open.open();
  });

  /** Passes of a leader whose clock stands still, until there is nothing left to delete. */
  async function prune(rowsPerSlice = 50, slicesPerPass = 1): Promise<number> {
    const settings = { ...defaultLoopSettings, pruning: { ...defaultLoopSettings.pruning, rowsPerSlice, slicesPerPass } };
    const still = Object.assign(Object.create(store) as Store, { nowMs: async () => nowMs });
    const failures: unknown[] = [];
    const pruner = new Pruner({ store: still, settings, onFailure: (failure: unknown) => failures.push(failure) } as never);
    const write = leaderWrite(still, (await holdLeadership(still, 'one', 1))!);
    let passes = 0;
    for (let rows = -1; ; passes++) {
      const left = await count('reading', 'assessment', 'batch', 'batch_seq', 'access_event', 'event', 'idempotency', 'recommendation', 'audit');
      if (left === rows && passes > 40) break;
      rows = left;
      await pruner.pass(write);
    }
    expect(failures).toEqual([]);
    return passes;
  }
  const run = (text: string) => store.db.execute(sql.raw(text));
  async function count(...tables: string[]): Promise<number> {
    let sum = 0;
    for (const table of tables) sum += (await rowsOf<{ n: number }>(store.db, sql.raw(`select count(*)::int as n from ${table}`)))[0]!.n;
    return sum;
  }

  test('readings are thinned with their age and their history stays; a level that was told stays too', async () => {
    await run(
      `insert into device (device_id, node_id, serial, model, kind, transport, capacity_bytes, path) values ('d', 'n', 's', 'm', 'hdd', 'ata', 1, '/dev/x')`,
    );
    // Four an hour over a hundred days; the last of each hour could not be read.
    await run(`insert into reading (device_id, node_id, at_ms, received_at_ms, source, status, smart, batch_uid)
      select 'd', 'n', ${nowMs} - n * 900000::bigint, 0, 'smartctl', case when n % 4 = 1 then 'unreadable' else 'read' end, '{}', 'u' from generate_series(1, ${100 * 96}) n`);
    await run(`insert into assessment (device_id, node_id, at_ms, level, horizon_days, judge, reasons)
      select 'd', 'n', ${nowMs - 8 * dayMs} + n * 60000::bigint, case when n = 7 then 'watch' else 'healthy' end, 30, '{}', '[]' from generate_series(0, 59) n`);
    await prune(1_000);
    const ages = await rowsOf<{ age: number; status: string }>(store.db, sql.raw(`select (${nowMs} - at_ms)::bigint as age, status from reading`));
    const between = (fromDays: number, toDays: number) => ages.filter(({ age }) => age > fromDays * dayMs && age <= toDays * dayMs);
    expect([between(0, 7).length, between(7, 90).length, between(90, 100).length]).toEqual([7 * 96, 83 * 24, 10]);
    expect(between(7, 100).filter(({ status }) => status !== 'read')).toEqual([]);
    expect((await rowsOf<{ level: string }>(store.db, sql`select level from assessment order by level`)).map((row) => row.level)).toEqual(['healthy', 'watch']);
  });

  test('names of accesses end when they are old, those of each of many datasets', async () => {
    const datasets = 1_100;
    await run(`insert into dataset (dataset_id, owner, created_at_ms) select 'set-' || n, 'me', 0 from generate_series(1, ${datasets}) n`);
    await run(`insert into access_event (access_id, dataset_id, kind, count, bytes, at_ms, source, received_at_ms)
      select n || ' ' || age, 'set-' || n, 'read', 1, 1, age, 'bus', age from generate_series(1, ${datasets}) n, unnest(array[0, ${nowMs}]::bigint[]) age`);
    await prune(50, 100);
    expect(await rowsOf(store.db, sql`select distinct at_ms as "atMs" from access_event`)).toEqual([{ atMs: nowMs }]);
    expect(await count('access_event')).toBe(datasets);
    await run('truncate access_event, dataset');
  });

  test('names of batches end when they are old and durable, unless their agent has been silent since', async () => {
    const old = nowMs - 8 * dayMs;
    for (const [node, upto, heard] of [
      ['talks', 90, nowMs],
      ['silent', 90, old],
      ['returned', 90, nowMs],
    ] as const) {
      await run(`insert into node (node_id, site_id, last_heard_at_ms) values ('${node}', 's', ${heard})`);
      await run(`insert into agent_stream (node_id, incarnation, watermark, durable_upto, chain) values ('${node}', 1, ${upto}, ${upto}, 'c')`);
      await run(`insert into batch (node_id, uid, incarnation, seq, chain, records, sealed_at_ms, received_at_ms)
        select '${node}', 'u' || n, 1, n, 'c', 1, ${old}, ${old} from generate_series(1, 100) n`);
      await run(`insert into batch_seq (node_id, incarnation, seq, uid, chain) select '${node}', 1, n, 'u' || n, 'c' from generate_series(1, 100) n`);
    }
    const later = (node: string, atMs: number) =>
      run(
        `insert into batch (node_id, uid, incarnation, seq, chain, records, sealed_at_ms, received_at_ms) values ('${node}', 'later', 1, 101, 'c', 1, 0, ${atMs})`,
      );
    await later('talks', nowMs - 2 * hourMs);
    await later('returned', nowMs - 60_000);
    expect(await prune(20)).toBeGreaterThan(4);
    const left = async (table: string) =>
      await rowsOf<{ node: string; least: number; rows: number }>(
        store.db,
        sql.raw(`select node_id as node, min(seq) as least, count(*)::int as rows from ${table} group by 1 order by 1`),
      );
    expect(await left('batch')).toEqual([
      { node: 'returned', least: 1, rows: 101 },
      { node: 'silent', least: 1, rows: 100 },
      { node: 'talks', least: 90, rows: 12 },
    ]);
    expect(await left('batch_seq')).toEqual([
      { node: 'returned', least: 1, rows: 100 },
      { node: 'silent', least: 1, rows: 100 },
      { node: 'talks', least: 90, rows: 11 },
    ]);
  });

  test('accesses lose their names and keep their sums; old events, answers and recommendations go, the history of the data stays', async () => {
    await run(`insert into dataset (dataset_id, owner, created_at_ms) values ('photos', 'o', 0)`);
    const access = (id: string, atMs: number, receivedAtMs: number) =>
      run(
        `insert into access_event (access_id, dataset_id, kind, count, bytes, at_ms, source, received_at_ms) values ('${id}', 'photos', 'read', 1, 1, ${atMs}, 'api', ${receivedAtMs})`,
      );
    await access('old', nowMs - 8 * dayMs, nowMs - 8 * dayMs);
    await access('late', nowMs - 8 * dayMs, nowMs - dayMs);
    await access('new', nowMs, nowMs);
    await run(`insert into access_aggregate (dataset_id, window_start_ms, window_end_ms, last_access_at_ms) values ('photos', 0, 60000, 0)`);
    for (const type of ['job.transition', 'certificate.opened', 'dataset.pointer-moved'])
      for (const atMs of [nowMs - 91 * dayMs, nowMs - 89 * dayMs])
        await run(`insert into event (at_ms, type, severity, text, by) values (${atMs}, '${type}', 'info', '', 'x')`);
    for (const atMs of [nowMs - 2 * dayMs, nowMs]) await run(`insert into idempotency (key, status, body, at_ms) values ('${atMs}', 200, '', ${atMs})`);
    for (const atMs of [nowMs - 31 * dayMs, nowMs])
      await run(
        `insert into recommendation (recommendation_id, plan_id, dataset_id, made_at_ms, judge, body) values ('${atMs}', 'p', 'photos', ${atMs}, '', '{}')`,
      );
    await prune();
    const names = (await rowsOf<{ id: string }>(store.db, sql`select access_id as id from access_event order by 1`)).map((row) => row.id);
    expect(names).toEqual(['late', 'new']);
    expect(await count('access_aggregate')).toBe(1);
    const types = (await rowsOf<{ type: string }>(store.db, sql`select type from event order by type`)).map((row) => row.type);
    expect(types).toEqual(['certificate.opened', 'certificate.opened', 'dataset.pointer-moved', 'dataset.pointer-moved', 'job.transition']);
    expect([await count('idempotency'), await count('recommendation')]).toEqual([1, 1]);
  });

  test('every table that churns can be vacuumed', async () => {
    for (let turn = 0; turn < 26; turn++) await vacuumNext(store.db, turn);
    const [row] = await rowsOf<{ n: number }>(store.db, sql`select count(*)::int as n from pg_stat_user_tables where last_vacuum is not null`);
    if (store.kind === 'postgres') expect(row!.n).toBe(26);
  });

  test('what was refused to callers without an identity is kept in its newest 10,000 rows, the rest of the audit for ever', async () => {
    await run(`insert into audit (at_ms, who, role, action, subject, outcome)
      select n, case when n % 10 = 0 then 'ada' else 'nobody' end, 'viewer', case when n % 10 = 2 then 'DELETE /v1/session' else 'POST /v1/datasets' end, '',
        case when n % 10 = 1 then '201' when n % 10 = 2 then '200' else '401' end
      from generate_series(1, 15000) n`);
    await prune(1_000);
    const left = await rowsOf<{ who: string; outcome: string; n: number; oldest: number }>(
      store.db,
      sql.raw(`select who, outcome, count(*)::int as n, min(at_ms) as oldest from audit group by 1, 2 order by 1, 2`),
    );
    expect(left).toEqual([
      { who: 'ada', outcome: '401', n: 1_500, oldest: 10 },
      { who: 'nobody', outcome: '200', n: 1_250, oldest: 2_502 },
      { who: 'nobody', outcome: '201', n: 1_500, oldest: 1 },
      { who: 'nobody', outcome: '401', n: 8_750, oldest: 2_503 },
    ]);
  });

  test('what an agent told of a dataset that it keeps no copy of any more is forgotten', async () => {
    const { fleet, addPhotos } = await startedFleet(store);
    const { targetId } = await addPhotos();
    await run(`insert into access_rate (dataset_id, node_id, per_hour) select 'photos', node_id, 100 from node`);
    await prune();
    const left = await rowsOf<{ nodeId: string }>(store.db, sql`select node_id as "nodeId" from access_rate`);
    const kept = await rowsOf<{ nodeId: string }>(store.db, sql`select node_id as "nodeId" from target where target_id = ${targetId}`);
    expect([left.length, left]).toEqual([1, kept]);
    await fleet.dispatch.stop();
  });
});
