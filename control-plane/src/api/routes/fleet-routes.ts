import {
  acknowledgeRequest,
  deviceHistory,
  deviceOutcome,
  deviceOutcomeRequest,
  deviceView as deviceSchema,
  fleetStatus,
  listOf,
  nodeDetail,
  nodeView as nodeSchema,
  targetView as targetSchema,
} from '@data-in-motion/shared/api/fleet';
import { statsView } from '@data-in-motion/shared/api/operations';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { Failure } from '@data-in-motion/shared/failure';
import { z } from '@hono/zod-openapi';
import { and, desc, eq, gt, inArray, sql } from 'drizzle-orm';
import { acknowledgeDevice } from '../../store/acknowledgements.ts';
import { readDeviceHistory, readEvacuations } from '../../store/device-history.ts';
import { driveOutcomeOf, reportDriveOutcome } from '../../store/drive-outcomes.ts';
import { accessEvent, batch, device, event, job, quarantine, reading } from '../../store/schema.ts';
import type { ApiContext } from '../context.ts';
import { type Api, endpoint } from '../endpoint.ts';
import { type FleetRows, replicasByTarget, rowsOfDataset } from '../fleet-rows.ts';
import { datasetTally } from '../views/dataset-tally.ts';
import { fleetCostOf } from '../views/fleet-cost.ts';
import { deviceView, deviceViews, nodeView, targetView, targetViews } from '../views/fleet-views.ts';
import { statusView } from '../views/status-view.ts';

const hourMs = 3_600_000;

export function fleetRoutes(app: Api, context: ApiContext): void {
  const { store, fleet, settings, loop } = context;

  endpoint(app, 'status', {
    role: 'viewer',
    says: 'The fleet in one sentence, with the figures behind it',
    answer: fleetStatus,
    async run({ newest }) {
      const rows = await fleet.show({ newest });
      const sums = { cost: await fleetCostOf(rows), tally: await datasetTally(rows), replicasAt: await replicasByTarget(rows) };
      const [[failed], lastHour] = await Promise.all([
        store.db.select({ count: sql<number>`count(*)` }).from(job).where(eq(job.state, 'dead-letter')),
        store.db
          .select({ atMs: event.atMs, text: event.text })
          .from(event)
          .where(
            and(
              gt(event.atMs, rows.asOfMs - hourMs),
              inArray(event.severity, ['warning', 'error', 'info']),
              sql`${event.type} not in ('job.transition', 'job.progress')`,
            ),
          )
          .orderBy(desc(event.seq))
          .limit(12),
      ]);
      return {
        body: statusView(rows, sums, {
          version: settings.version,
          mode: store.kind === 'pglite' ? 'embedded' : 'postgres',
          uptimeMs: context.clock.nowMs() - settings.startedAtMs,
          storeEpoch: store.storeEpoch,
          failedJobs: Number(failed?.count ?? 0),
          lastHour,
        }),
      };
    },
  });

  endpoint(app, 'nodes', {
    role: 'viewer',
    says: 'All storage hosts',
    answer: listOf(nodeSchema),
    async run({ newest }) {
      const rows = await fleet.show({ newest });
      return { body: { items: rows.nodes.map((row) => nodeView(rows, row)), next: null, asOfMs: rows.asOfMs } };
    },
  });

  endpoint(app, 'node', {
    role: 'viewer',
    says: 'One host with its targets and devices',
    answer: nodeDetail,
    async run({ params, newest }) {
      const rows = await fleet.show({ newest });
      const row = found(
        rows.nodes.find((one) => one.nodeId === params['nodeId']),
        'node',
        params['nodeId']!,
      );
      const [cost, replicasAt] = [await fleetCostOf(rows), await replicasByTarget(rows)];
      return {
        body: {
          node: nodeView(rows, row),
          targets: rows.targets.filter((one) => one.nodeId === row.nodeId).map((one) => targetView(rows, one, cost, replicasAt)),
          devices: rows.devices.filter((one) => one.nodeId === row.nodeId).map((one) => deviceView(rows, one, replicasAt)),
        },
      };
    },
  });

  endpoint(app, 'devices', {
    role: 'viewer',
    says: 'All drives with their risk',
    answer: listOf(deviceSchema),
    async run({ newest }) {
      const rows = await fleet.show({ newest });
      return { body: { items: await deviceViews(rows), next: null, asOfMs: rows.asOfMs } };
    },
  });

  endpoint(app, 'device', {
    role: 'viewer',
    says: 'One drive with what became of it, its evacuations, readings and assessments, oldest first: evenly thinned to at most `points` of each, changes of level kept',
    query: z.object({ points: z.coerce.number().int().min(2).max(2_000).default(500) }),
    answer: deviceHistory,
    async run({ params, query, newest }) {
      const rows = await fleet.show({ newest });
      const row = found(
        rows.devices.find((one) => one.deviceId === params['deviceId']),
        'device',
        params['deviceId']!,
      );
      const outcome = (await driveOutcomeOf(store.db, row.deviceId)) ?? null;
      const evacuations = await readEvacuations(store.db, row.deviceId);
      const view = deviceView(rows, row, await replicasByTarget(rows));
      return { body: { device: view, outcome, evacuations, ...(await readDeviceHistory(store.db, row.deviceId, query.points)) } };
    },
  });

  endpoint(app, 'reportDeviceOutcome', {
    role: 'operator',
    says: 'Say what became of a drive: failed, removed, or that it works; that stands over what is concluded, and models are measured by it',
    body: deviceOutcomeRequest,
    answer: deviceOutcome,
    async run({ params, body: { outcome, note }, caller }) {
      const deviceId = params['deviceId'] as DeviceId;
      const said = { deviceId, outcome, by: caller.who, note: note === undefined || note === '' ? null : note };
      const body = await store.transaction(async (tx) => reportDriveOutcome(tx, await store.nowMs(tx), said));
      fleet.forget();
      loop.wake();
      return { body };
    },
  });

  endpoint(app, 'acknowledgeDevice', {
    role: 'operator',
    says: 'Take the counters of a drive, as it reported them last, for seen: judged is what comes on top. Its agent hears of it within a minute',
    body: acknowledgeRequest,
    answer: deviceSchema,
    async run({ params, body, caller }) {
      const deviceId = params['deviceId'] as DeviceId;
      const note = body.note === undefined || body.note === '' ? null : body.note;
      await store.transaction(async (tx) => acknowledgeDevice(tx, await store.nowMs(tx), { deviceId, by: caller.who, note }));
      fleet.forget();
      const rows = await fleet.read();
      return {
        body: deviceView(
          rows,
          found(
            rows.devices.find((one) => one.deviceId === deviceId),
            'device',
            deviceId,
          ),
          await replicasByTarget(rows),
        ),
      };
    },
  });

  endpoint(app, 'targets', {
    role: 'viewer',
    says: 'All places that bytes can live',
    answer: listOf(targetSchema),
    async run({ newest }) {
      const rows = await fleet.show({ newest });
      return { body: { items: await targetViews(rows), next: null, asOfMs: rows.asOfMs } };
    },
  });

  endpoint(app, 'target', {
    role: 'viewer',
    says: 'One target',
    answer: targetSchema,
    async run({ params, newest }) {
      const rows = await fleet.show({ newest });
      const row = found(
        rows.targets.find((one) => one.targetId === params['targetId']),
        'target',
        params['targetId']!,
      );
      return { body: targetView(rows, row, await fleetCostOf(rows), await replicasByTarget(rows)) };
    },
  });

  endpoint(app, 'stats', {
    role: 'viewer',
    says: 'Figures of the telemetry and of the work done, from the database',
    answer: statsView,
    async run() {
      return { body: await stats(context) };
    },
  });
}

const whatThereIs = {
  model: 'dim models list names them.',
  node: 'dim nodes lists them.',
  target: 'dim targets lists them.',
  device: 'dim devices lists them.',
  dataset: 'dim datasets lists them.',
  job: 'dim jobs lists them.',
  certificate: 'dim certificate lists them.',
  experiment: 'dim chaos lists them.',
  plan: 'dim plan shows the current one.',
} as const;

/** @throws refused `<noun>.not-found` */
export function found<Row>(row: Row | undefined, noun: keyof typeof whatThereIs, name: string): Row {
  if (row !== undefined) return row;
  throw new Failure('refused', { code: `${noun}.not-found`, message: `There is no ${noun} "${name}".`, hint: whatThereIs[noun] });
}

/** @throws refused `dataset.not-found`, with the first that there is not */
export function assertDatasets(rows: FleetRows, datasetIds: readonly string[]): void {
  for (const datasetId of datasetIds) found(rowsOfDataset(rows, datasetId), 'dataset', datasetId);
}

async function stats({ store }: ApiContext) {
  const { db } = store;
  const asOfMs = await store.nowMs();
  const count = sql<number>`count(*)`;
  const [readings] = await db.select({ count }).from(reading);
  const [accesses] = await db.select({ count: sql<number>`coalesce(sum(${accessEvent.count}), 0)` }).from(accessEvent);
  const [batches] = await db.select({ count }).from(batch);
  const [recent] = await db
    .select({ count, records: sql<number>`coalesce(sum(${batch.records}), 0)` })
    .from(batch)
    .where(gt(batch.receivedAtMs, asOfMs - 60_000));
  const [active] = await db
    .select({ count })
    .from(device)
    .where(gt(device.lastReadingAtMs, asOfMs - 600_000));
  const [moved] = await db
    .select({
      bytes: sql<number>`coalesce(sum(${job.movedBytes}), 0)`,
      done: sql<number>`count(*) filter (where ${job.state} = 'done')`,
      failed: sql<number>`count(*) filter (where ${job.state} = 'dead-letter')`,
    })
    .from(job);
  const [kept] = await db.select({ count }).from(quarantine);
  const [conflicts] = await db.select({ count }).from(event).where(eq(event.type, 'sync_conflict'));
  return {
    asOfMs,
    readings: Number(readings?.count),
    accesses: Number(accesses?.count),
    batches: Number(batches?.count),
    batchesPerMinute: Number(recent?.count),
    recordsPerMinute: Number(recent?.records),
    activeDevices: Number(active?.count),
    movedBytes: Number(moved?.bytes),
    jobsDone: Number(moved?.done),
    jobsFailed: Number(moved?.failed),
    quarantined: Number(kept?.count),
    syncConflicts: Number(conflicts?.count),
  };
}
