import type { JobId } from '@data-in-motion/shared/domain/ids';
import { sql } from 'drizzle-orm';
import type { FleetSnapshot } from '../src/fleet/snapshot.ts';
import { openStore, type Store } from '../src/store/database.ts';
import { accessAggregate, dataset, datasetVersion, device, node, pointer, priceEntry, replica, target } from '../src/store/schema.ts';
import { madeUpFleet } from './fleet-snapshot.ts';

const minuteMs = 60_000;
const sha = 'a'.repeat(64);

/** Write a made-up fleet into an empty store, moved in time so that it was taken now: reading it back gives the same fleet. */
export async function storeFleet(store: Store, fleet: FleetSnapshot): Promise<void> {
  await store.transaction(async (tx) => {
    const laterMs = (await store.nowMs(tx)) - fleet.takenAtMs;
    const now = (atMs: number): number => atMs + laterMs;
    const maybe = (atMs: number | null): number | null => (atMs === null ? null : now(atMs));
    await tx.copyRows(
      node,
      fleet.nodes.map((row) => ({ ...row, lastHeardAtMs: maybe(row.lastHeardAtMs) })),
    );
    await tx.copyRows(
      device,
      fleet.devices.map(({ deviceId, nodeId, level, probability, horizonDays }) => ({
        deviceId,
        nodeId,
        serial: deviceId,
        model: 'made up',
        kind: 'hdd',
        transport: 'ata',
        capacityBytes: 4e12,
        path: `/dev/${deviceId}`,
        level,
        probability,
        horizonDays,
        levelSinceMs: now(fleet.takenAtMs - 86_400_000),
        assessedAtMs: now(fleet.takenAtMs),
        judge: { kind: 'rule', name: 'rules', version: '1' },
        judgeSinceMs: now(fleet.takenAtMs - 30 * 86_400_000),
      })),
    );
    await tx
      .insert(priceEntry)
      .values(fleet.targets.map(({ targetId, prices }) => ({ rev: 1, priceClass: `of-${targetId}`, validFromMs: 0, prices: prices!, source: 'made up' })));
    await tx.copyRows(
      target,
      fleet.targets.map((place) => ({
        targetId: place.targetId,
        nodeId: place.nodeId,
        capacityBytes: place.capacityBytes,
        usedBytes: place.usedBytes,
        freeBytes: place.capacityBytes - place.usedBytes,
        latencyP95Ms: place.latencyP95Ms,
        readBytesPerSec: place.readBytesPerSec,
        writeBytesPerSec: place.writeBytesPerSec,
        description: {
          targetId: place.targetId,
          store: 'posix',
          root: `/srv/${place.targetId}`,
          tier: place.tier,
          locationKind: place.locationKind,
          provider: place.provider,
          region: place.region,
          failureDomain: place.failureDomain,
          encryptedAtRest: place.encryptedAtRest,
          priceClass: `of-${place.targetId}`,
          capacityBytes: null,
          reserveBytes: place.reserveBytes,
          deviceIds: place.deviceIds,
          addedLatencyMs: 0,
          requestsPerSec: place.requestsPerSec,
        },
      })),
    );
    await tx.copyRows(
      dataset,
      fleet.datasets.map(({ datasetId, owner, policy, lastAccessAtMs, createdAtMs }) => {
        const own = Object.entries(policy).filter(([field, value]) => value !== fleet.globalPolicy[field as keyof typeof policy]);
        return { datasetId, owner, ownPolicy: Object.fromEntries(own), lastAccessAtMs: maybe(lastAccessAtMs), createdAtMs: now(createdAtMs) };
      }),
    );
    await tx.copyRows(
      datasetVersion,
      fleet.datasets.map(({ versionId, datasetId, objects, sizeBytes, versionMadeAtMs }) => ({
        versionId,
        datasetId,
        root: sha,
        objects,
        sizeBytes,
        notes: [],
        jobId: `import-${datasetId}` as JobId,
        committedAtMs: maybe(versionMadeAtMs),
      })),
    );
    await tx.copyRows(
      pointer,
      fleet.datasets.map(({ datasetId, versionId, primaryReplicaId, createdAtMs }) => ({
        datasetId,
        versionId,
        replicaId: primaryReplicaId,
        rev: 1,
        changedByJob: `import-${datasetId}` as JobId,
        changedAtMs: now(createdAtMs),
      })),
    );
    await tx.copyRows(
      replica,
      fleet.datasets.flatMap(({ datasetId, replicas }) =>
        replicas.map(({ verifiedAtMs, createdAtMs, ...copy }) => ({
          ...copy,
          datasetId,
          verifiedRoot: sha,
          verifiedLevel: 'L2',
          verifiedAtMs: maybe(verifiedAtMs),
          createdAtMs: now(createdAtMs),
        })),
      ),
    );
    // One minute half an hour ago holds all uses of a dataset, so that each window counts them.
    const startMs = Math.floor((now(fleet.takenAtMs) - 30 * minuteMs) / minuteMs) * minuteMs;
    await tx.copyRows(
      accessAggregate,
      fleet.datasets.flatMap(({ datasetId, windows, lastAccessAtMs }) => {
        const { reads = 0, writes = 0, readBytes = 0, writtenBytes = 0 } = windows.find(({ window }) => window === '1h') ?? {};
        if (reads + writes === 0) return [];
        return [
          { datasetId, windowStartMs: startMs, windowEndMs: startMs + minuteMs, reads, writes, readBytes, writtenBytes, lastAccessAtMs: maybe(lastAccessAtMs) },
        ];
      }),
    );
  });
}

/** Run alone it fills a database, so that the memory this takes is not that of who reads it: `node store-fleet.ts URL DATASETS TARGETS SEED`. */
if (process.argv[1] === import.meta.filename) {
  const [databaseUrl = '', datasets, targets, seed] = process.argv.slice(2);
  const store = await openStore({ databaseUrl, directory: '' });
  await storeFleet(store, madeUpFleet(Number(datasets), Number(targets), Number(seed)));
  await store.db.execute(sql`vacuum analyze`);
  await store.close();
}
