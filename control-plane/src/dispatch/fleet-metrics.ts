import type { Clock } from '@data-in-motion/shared/clock';
import type { Failure } from '@data-in-motion/shared/failure';
import { type Loop, startLoop } from '@data-in-motion/shared/loop';
import { sql } from 'drizzle-orm';
import type { Bus } from '../broker/bus.ts';
import { rowsOf, type Store } from '../store/database.ts';

const everyMs = 15_000;
const minuteMs = 60_000;

/** Tell the fleet's figures on the bus, retained, so that whoever subscribes has them at once. */
export function startFleetMetrics(store: Store, bus: Pick<Bus, 'publish'>, clock: Clock, onFailure: (failure: Failure) => void): Loop {
  return startLoop(
    async () => {
      const nowMs = await store.nowMs();
      const [figures] = await rowsOf<Record<string, number>>(
        store.db,
        sql`select
          (select count(*)::int from node) as nodes,
          (select count(*)::int from node where agent_state = 'online') as "nodesOnline",
          (select count(*)::int from device) as devices,
          (select count(*)::int from device where level in ('at-risk', 'failing')) as "devicesAtRisk",
          (select count(*)::int from dataset) as datasets,
          (select count(*)::int from replica where state = 'verified') as "copiesVerified",
          (select count(*)::int from job where active) as "jobsActive",
          (select count(*)::int from batch where received_at_ms > ${nowMs - minuteMs}) as "batchesPerMinute",
          (select coalesce(sum(records), 0)::int from batch where received_at_ms > ${nowMs - minuteMs}) as "recordsPerMinute"`,
      );
      await bus.publish('metrics', '', {
        specversion: '1.0',
        id: String(nowMs),
        source: '/data-in-motion/control-plane',
        type: 'dim.fleet.metrics',
        time: new Date(nowMs).toISOString(),
        datacontenttype: 'application/json',
        data: { atMs: nowMs, ...figures },
      });
    },
    everyMs,
    clock,
    onFailure,
  );
}
