/**
 * Stores what agents report, as another control plane on the same database would take it in: `node report-meanwhile.ts URL REPORTS_PER_SEC`, until it is ended.
 * Each report is one transaction: accesses to some datasets, a copy that was read back, and an event.
 */
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { pick, seededRandom } from '@data-in-motion/shared/random';
import { eq } from 'drizzle-orm';
import { storeAccesses } from '../src/store/accesses.ts';
import { openStore } from '../src/store/database.ts';
import { appendEvents } from '../src/store/events.ts';
import { dataset, replica } from '../src/store/schema.ts';

const [databaseUrl = '', perSec = '5'] = process.argv.slice(2);
const accessesPerReport = 20;
const random = seededRandom(1);
const store = await openStore({ databaseUrl, directory: '' });
const names = (await store.db.select({ datasetId: dataset.datasetId }).from(dataset)).map(({ datasetId }) => datasetId);
for (let report = 0; ; report++) {
  await store.transaction(async (tx) => {
    const nowMs = await store.nowMs(tx);
    const used = Array.from({ length: accessesPerReport }, (): DatasetId => pick(random, names));
    await storeAccesses(
      tx,
      nowMs,
      used.map((datasetId, n) => ({
        accessId: `${process.pid}-${report}-${n}`,
        datasetId,
        kind: 'read',
        count: 3,
        bytes: 1e6,
        atMs: nowMs,
        latencyMs: null,
        source: 'bus',
      })),
    );
    await tx.update(replica).set({ verifiedAtMs: nowMs }).where(eq(replica.datasetId, used[0]!));
    await appendEvents(tx, nowMs, [
      { type: 'replica.verified', severity: 'info', text: `the copies of ${used[0]} were read back`, ids: { datasetId: used[0]! }, by: 'made up' },
    ]);
  });
  await new Promise((resolve) => setTimeout(resolve, 1_000 / Number(perSec)));
}
