import { createHash } from 'node:crypto';
import type { DatasetId, DeviceId, JobId, NodeId, ReplicaId, SiteId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { and, eq, ne } from 'drizzle-orm';
import type { RecordedLife } from '../../agent/src/telemetry/recorded-life.ts';
import { dataset, datasetVersion, device, job, pointer, replica, target } from '../../control-plane/src/store/schema.ts';
import { type DiskCopy, diskDescription, type FakeFleet } from '../../control-plane/test/jobs/fake-fleet.ts';

/** A place for data: a replayed drive on its server. */
export interface Place {
  readonly life: RecordedLife;
  readonly nodeId: NodeId;
  readonly targetId: TargetId;
}

interface StoreNode {
  readonly site: SiteId;
  readonly nodeId: NodeId;
}

/** What a server that never fills up may hold. */
const plentyBytes = 1e17;
const copyBytesPerSec = 50e6;

/** What lies where at the start, and what a person changes: data is put on drives and taken away. Everything between is done by the control plane. */
export class ReplayedCopies {
  readonly #fleet: FakeFleet;
  readonly #options: { readonly copies: number; readonly fill: number; readonly stores: readonly (readonly StoreNode[])[] };
  readonly #bytes = new Map<DatasetId, number>();
  readonly #on = new Map<TargetId, DatasetId>();
  #made = 0;

  constructor(fleet: FakeFleet, options: { readonly copies: number; readonly fill: number; readonly stores: readonly (readonly StoreNode[])[] }) {
    this.#fleet = fleet;
    this.#options = options;
  }

  get storeNodes(): { readonly nodeId: NodeId; readonly siteId: SiteId }[] {
    return this.#options.stores.flat().map(({ nodeId, site }) => ({ nodeId, siteId: site }));
  }

  bytesOf(datasetId: DatasetId): number {
    return this.#bytes.get(datasetId) ?? 0;
  }

  async buildStores(): Promise<void> {
    const { store, clock } = this.#fleet;
    for (const { nodeId } of this.storeNodes) {
      await store.db.insert(target).values(this.#target(storeTarget(nodeId), nodeId, storeDevice(nodeId), plentyBytes, 0));
      await store.db.insert(device).values({
        deviceId: storeDevice(nodeId),
        nodeId,
        serial: nodeId,
        model: 'array',
        kind: 'hdd',
        transport: 'unknown',
        capacityBytes: plentyBytes,
        path: '/dev/array',
        level: 'healthy',
        lastReadingAtMs: clock.nowMs(),
      });
    }
  }

  /** One dataset on each of the places, with its other copies at other sites, all verified; the target is declared if it was not. */
  async fill(places: readonly Place[]): Promise<void> {
    if (places.length === 0) return;
    const { store, clock } = this.#fleet;
    const nowMs = clock.nowMs();
    const made = places.map((place) => this.#newDataset(place, nowMs));
    await store.transaction(async (tx) => {
      await tx
        .insert(target)
        .values(made.map((one) => one.target))
        .onConflictDoNothing();
      await tx.insert(dataset).values(made.map((one) => one.dataset));
      await tx.insert(datasetVersion).values(made.map((one) => one.version));
      await tx.insert(replica).values(made.flatMap((one) => one.replicas));
      await tx.insert(pointer).values(made.map((one) => one.pointer));
    });
  }

  #newDataset({ life, nodeId, targetId }: Place, nowMs: number) {
    const name = `data-${life.device.serial}-${++this.#made}` as DatasetId;
    const sizeBytes = Math.round(life.device.capacityBytes * this.#options.fill);
    const root = createHash('sha256').update(name).digest('hex');
    const versionId = ulid(nowMs, systemRandom) as VersionId;
    const jobId = ulid(nowMs, systemRandom) as JobId;
    const others = this.#options.stores.slice(1, this.#options.copies).map((site) => site[this.#made % site.length]!.nodeId);
    const at = [{ nodeId, targetId }, ...others.map((other) => ({ nodeId: other, targetId: storeTarget(other) }))];
    const replicas = at.map((place) => {
      const replicaId = ulid(nowMs, systemRandom) as ReplicaId;
      this.#fleet.agents.get(place.nodeId)!.disk.set(replicaId, { root, datasetId: name, targetId: place.targetId, place: 'live' });
      const verified = { verifiedRoot: root, verifiedAtMs: nowMs, verifiedLevel: 'L2' as const, verifiedBy: place.nodeId };
      return { replicaId, datasetId: name, versionId, targetId: place.targetId, state: 'verified' as const, ...verified, activated: true, createdAtMs: nowMs };
    });
    this.#bytes.set(name, sizeBytes);
    this.#on.set(targetId, name);
    return {
      // Nothing else may come to a replayed drive: what leaves one would else be lost with another, and count twice.
      target: this.#target(targetId, nodeId, life.device.deviceId, sizeBytes, sizeBytes),
      dataset: { datasetId: name, owner: 'replay', createdAtMs: nowMs },
      version: { versionId, datasetId: name, root, objects: 1, sizeBytes, jobId, committedAtMs: nowMs },
      replicas,
      pointer: { datasetId: name, versionId, replicaId: replicas[0]!.replicaId, rev: 1, changedByJob: jobId, changedAtMs: nowMs },
    };
  }

  #target(targetId: TargetId, nodeId: NodeId, deviceId: DeviceId, capacityBytes: number, usedBytes: number) {
    const description = diskDescription(targetId, nodeId, deviceId);
    const measured = { latencyP95Ms: 5, readBytesPerSec: copyBytesPerSec, writeBytesPerSec: copyBytesPerSec, measuredAtMs: this.#fleet.clock.nowMs() };
    return { targetId, nodeId, description, capacityBytes, usedBytes, freeBytes: capacityBytes - usedBytes, ...measured };
  }

  /** Good copies on disks that live, without the one that is about to leave. */
  standing(leaving: DiskCopy): number {
    const disks = [...this.#fleet.agents.values()].flatMap((agent) => [...agent.disk.values()]);
    return disks.filter((copy) => copy !== leaving && copy.datasetId === leaving.datasetId && copy.root === leaving.root && copy.place === 'live').length;
  }

  /** A job of what was put on this place is under way. */
  async isMoving(targetId: TargetId): Promise<boolean> {
    const rows = await this.#fleet.store.db
      .select({ jobId: job.jobId })
      .from(job)
      .where(and(eq(job.datasetId, this.#on.get(targetId)!), eq(job.active, true), ne(job.state, 'trashed')))
      .limit(1);
    return rows.length > 0;
  }

  /** A person takes what was put on this place out of the fleet, wherever it is by now, and the place with it if wanted. */
  async forget({ targetId }: Place, how: 'with-target' | 'keep-target'): Promise<void> {
    const datasetId = this.#on.get(targetId)!;
    await this.#fleet.store.transaction(async (tx) => {
      await tx.delete(job).where(eq(job.datasetId, datasetId));
      await tx.delete(pointer).where(eq(pointer.datasetId, datasetId));
      await tx.delete(replica).where(eq(replica.datasetId, datasetId));
      await tx.delete(datasetVersion).where(eq(datasetVersion.datasetId, datasetId));
      await tx.delete(dataset).where(eq(dataset.datasetId, datasetId));
      if (how === 'with-target') await tx.delete(target).where(eq(target.targetId, targetId));
    });
    for (const agent of this.#fleet.agents.values()) for (const [replicaId, copy] of agent.disk) if (copy.datasetId === datasetId) agent.disk.delete(replicaId);
  }

  /** The disk is gone with all that is on it. */
  async burn({ nodeId, targetId }: Place): Promise<void> {
    const { disk } = this.#fleet.agents.get(nodeId)!;
    for (const [replicaId, copy] of disk) if (copy.targetId === targetId) disk.delete(replicaId);
  }

  /** What was only on a dead drive is lost, and nobody asks for it any more. */
  async forgetLost(place: Place): Promise<void> {
    const datasetId = this.#on.get(place.targetId)!;
    const stands = [...this.#fleet.agents.values()].some((agent) =>
      [...agent.disk.values()].some((copy) => copy.datasetId === datasetId && copy.place === 'live'),
    );
    if (!stands) await this.forget(place, 'keep-target');
  }
}

function storeTarget(nodeId: NodeId): TargetId {
  return `on-${nodeId}` as TargetId;
}

function storeDevice(nodeId: NodeId): DeviceId {
  return `array-${nodeId}` as DeviceId;
}
