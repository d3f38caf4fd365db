import type { DatasetId, DeviceId, NodeId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { Spread } from '@data-in-motion/shared/domain/policy';
import { ByDataset } from './by-dataset.ts';
import type { DatasetFacts, DeviceFacts, FleetSnapshot, NodeFacts, ReplicaFacts, TargetFacts } from './snapshot.ts';

/** The snapshot's lists by name. */
export interface FleetIndex {
  readonly nodes: ReadonlyMap<NodeId, NodeFacts>;
  readonly devices: ReadonlyMap<DeviceId, DeviceFacts>;
  readonly targets: ReadonlyMap<TargetId, TargetFacts>;
  readonly datasets: ReadonlyMap<DatasetId, DatasetFacts>;
}

const indexes = new WeakMap<FleetSnapshot, FleetIndex>();
const places = new WeakMap<FleetSnapshot['datasets'], ReadonlyMap<DatasetId, number>>();

/** Say where each dataset stands in a list, for who looks it up there. */
export function notePlaces(datasets: FleetSnapshot['datasets'], at: ReadonlyMap<DatasetId, number>): void {
  places.set(datasets, at);
}

/** Where each dataset stands in the snapshot. */
export function placesOf({ datasets }: FleetSnapshot): ReadonlyMap<DatasetId, number> {
  const known = places.get(datasets) ?? new Map(datasets.map(({ datasetId }, at) => [datasetId, at]));
  places.set(datasets, known);
  return known;
}

/** Look the snapshot's things up by name; made once for each snapshot. */
export function indexOf(snapshot: FleetSnapshot): FleetIndex {
  const known = indexes.get(snapshot);
  if (known !== undefined) return known;
  let datasets: FleetIndex['datasets'] | undefined;
  const index: FleetIndex = {
    nodes: new Map(snapshot.nodes.map((node) => [node.nodeId, node])),
    devices: new Map(snapshot.devices.map((device) => [device.deviceId, device])),
    targets: new Map(snapshot.targets.map((target) => [target.targetId, target])),
    // There may be a hundred thousand, and most who look something up ask for no dataset.
    get datasets() {
      const at = places.get(snapshot.datasets);
      datasets ??=
        at === undefined ? new Map(snapshot.datasets.map((dataset) => [dataset.datasetId, dataset])) : new ByDataset(at, (place) => snapshot.datasets[place]);
      return datasets;
    },
  };
  indexes.set(snapshot, index);
  return index;
}

/** Bytes that may still be promised on a target: never below its reserve, never what jobs under way will fill. At least 0. */
export function freeBytes(target: TargetFacts): number {
  return Math.max(0, target.capacityBytes - target.usedBytes - target.reserveBytes - target.reservedBytes);
}

/** What must differ between two copies under a spread: places with the same answer fall together. */
export function domainOf(target: TargetFacts, spread: Spread): string {
  if (spread === 'site') return target.siteId;
  if (spread === 'node') return target.nodeId;
  if (spread === 'provider') return target.provider;
  return target.targetId;
}

/**
 * The dataset with the bytes and objects that a copy holds: those of the copy's own version. It is the dataset itself for a copy of the current version, and
 * for one of a version that nobody knows any more, which is taken to be as large.
 */
export function asHeldBy(dataset: DatasetFacts, replica: Pick<ReplicaFacts, 'versionId'>): DatasetFacts {
  if (replica.versionId === dataset.versionId) return dataset;
  const held = dataset.otherVersions?.find(({ versionId }) => versionId === replica.versionId);
  return held === undefined ? dataset : { ...dataset, objects: held.objects, sizeBytes: held.sizeBytes };
}

/** The copies of the version that counts now, oldest first. */
export function currentReplicas(dataset: DatasetFacts): readonly ReplicaFacts[] {
  return dataset.replicas.filter((replica) => replica.versionId === dataset.versionId);
}
