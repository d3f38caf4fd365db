import type { Clock } from '@data-in-motion/shared/clock';
import type { Access } from '@data-in-motion/shared/domain/heat';
import type { Failure } from '@data-in-motion/shared/failure';
import { type Loop, startLoop } from '@data-in-motion/shared/loop';
import { pick, type Random, randomInt } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { storeAccesses } from './store/accesses.ts';
import type { Store } from './store/database.ts';
import { dataset } from './store/schema.ts';

const everyMs = 5_000;
/** One look in twelve is a burst: many reads of one dataset, some of them slow. */
const burstShare = 1 / 12;

/** Make up accesses in the background: a steady trickle, bursts, and reads that waited long. Uses nothing but the store. */
export function startSyntheticLoad(store: Store, clock: Clock, random: Random, onFailure: (failure: Failure) => void): Loop {
  return startLoop(
    async () => {
      const datasets = await store.db.select({ datasetId: dataset.datasetId }).from(dataset).orderBy(dataset.datasetId);
      if (datasets.length === 0) return;
      const nowMs = await store.nowMs();
      const burst = random.next() < burstShare;
      const chosen = burst ? pick(random, datasets).datasetId : null;
      const accesses: Access[] = Array.from({ length: burst ? 200 : randomInt(random, 1, 5) }, () => ({
        accessId: `load-${ulid(clock.nowMs(), random)}`,
        datasetId: chosen ?? pick(random, datasets).datasetId,
        kind: random.next() < 0.9 ? 'read' : 'write',
        count: 1,
        bytes: randomInt(random, 4_096, 1_048_576),
        atMs: nowMs - randomInt(random, 0, everyMs),
        latencyMs: random.next() < 0.05 ? 500 + random.next() * 1_500 : 1 + random.next() * 30,
        source: 'synthetic',
      }));
      await store.transaction((tx) => storeAccesses(tx, nowMs, accesses));
    },
    everyMs,
    clock,
    onFailure,
  );
}
