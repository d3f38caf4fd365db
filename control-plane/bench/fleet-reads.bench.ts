import { rmSync } from 'node:fs';
import { sql } from 'drizzle-orm';
import { FleetReader } from '../src/api/fleet-reader.ts';
import { datasetView } from '../src/api/views/dataset-views.ts';
import { openStore } from '../src/store/database.ts';
import { loadSnapshot } from '../src/store/load-snapshot.ts';
import { freshDirectory } from '../test/empty-database.ts';
import { FakeFleet } from '../test/jobs/fake-fleet.ts';

/** What a look at 500 datasets of three copies costs on the embedded database, each used in 140 minutes of its last day, with 60 jobs under way. */
const directory = await freshDirectory();
const store = await openStore({ databaseUrl: null, directory });
const fleet = new FakeFleet(store);
await fleet.build({ nodes: 6, targetsPerNode: 3 });
const nowMs = fleet.clock.nowMs();
const name = `'d' || lpad(n::text, 4, '0')`;
const id = (letter: string, number: string): string => `'01${letter}' || lpad((${number})::text, 23, '0')`;
for (const text of [
  `insert into dataset (dataset_id, owner, created_at_ms) select ${name}, 'o', 0 from generate_series(1, 500) n`,
  `insert into dataset_version (version_id, dataset_id, root, objects, size_bytes, job_id, committed_at_ms)
    select ${id('V', 'n')}, ${name}, repeat('a', 64), 10, 1000000, 'j' || n, 0 from generate_series(1, 500) n`,
  `insert into replica (replica_id, dataset_id, version_id, target_id, state, verified_root, verified_at_ms, verified_level, created_at_ms)
    select ${id('R', 'n * 3 + k')}, ${name}, ${id('V', 'n')}, 't' || ((n + k * 2) % 6 + 1) || (1 + n % 3), 'verified', repeat('a', 64), ${nowMs}, 'L2', 0
    from generate_series(1, 500) n, generate_series(0, 2) k`,
  `insert into pointer (dataset_id, version_id, replica_id, rev, changed_by_job, changed_at_ms)
    select ${name}, ${id('V', 'n')}, ${id('R', 'n * 3')}, 1, 'j', 0 from generate_series(1, 500) n`,
  `insert into access_aggregate (dataset_id, window_start_ms, window_end_ms, reads, last_access_at_ms)
    select ${name}, ${nowMs} - m * 600000::bigint, ${nowMs} - m * 600000::bigint + 60000, 3, 0 from generate_series(1, 500) n, generate_series(1, 140) m`,
  `insert into job (job_id, key, dataset_id, purpose, state, version_id, from_replica_id, to_replica_id, mover_node_id, source_node_id, epoch, created_at_ms)
    select ${id('J', 'n')}, 'k' || n, ${name}, 'move', 'copying', ${id('V', 'n')}, ${id('R', 'n * 3')}, ${id('R', 'n * 3 + 1')}, 'node-' || (1 + n % 6), 'node-' || (1 + (n + 1) % 6), 1, 0
    from generate_series(1, 60) n`,
  'vacuum analyze',
])
  await store.db.execute(sql.raw(text));

async function time(what: string, work: () => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < 9; i++) {
    const from = performance.now();
    await work();
    times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  console.log(`${what.padEnd(34)} ${times[4]!.toFixed(0).padStart(5)} ms in the middle, ${times[0]!.toFixed(0)} ms at best`);
}

const reader = new FleetReader(fleet.store);
await time('the snapshot of decisions', () => loadSnapshot(fleet.store));
await time('the rows of the pages', () => {
  reader.forget();
  return reader.read();
});
const rows = await reader.read();
await time('the list of datasets from them', async () => rows.datasets.map((dataset) => datasetView(rows, dataset)));
await fleet.dispatch.nudgeChanged();
await time('orders of six agents compared', () => fleet.dispatch.nudgeChanged());
await fleet.dispatch.stop();
await store.close();
rmSync(directory, { recursive: true, force: true });
