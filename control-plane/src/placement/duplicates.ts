import type { DatasetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { bytesPerGb } from '@data-in-motion/shared/domain/price';
import { billedBytes } from '../fleet/copy-cost.ts';
import { indexOf } from '../fleet/lookup.ts';
import type { FleetSnapshot, TargetFacts } from '../fleet/snapshot.ts';
import { isPaid } from './cost.ts';

/** What is known of a version: its root and its counts, never its files. */
export interface VersionFacts {
  readonly versionId: VersionId;
  readonly datasetId: DatasetId;
  readonly root: string;
  readonly objects: number;
  readonly sizeBytes: number;
  /** Files that repeat others of the same version, and what they hold; null when its agent did not tell. */
  readonly duplicateObjects: number | null;
  readonly duplicateBytes: number | null;
}

/** Versions with one root: the same paths, bytes, modes and times, so the same tree byte for byte. */
export interface DuplicateGroup {
  readonly root: string;
  readonly objects: number;
  readonly sizeBytes: number;
  /** Those with copies that are paid for, the one that would be kept first. */
  readonly members: readonly DuplicateMember[];
  /** What all but the first hold, and what storing it costs, US dollars per month: what is saved when the others are given up. */
  readonly extraBytes: number;
  readonly extraPerMonth: number;
}

export interface DuplicateMember {
  readonly datasetId: DatasetId;
  readonly owner: string;
  readonly versionId: VersionId;
  /** Readers of the dataset see this version. */
  readonly isCurrent: boolean;
  readonly copies: number;
  readonly bytes: number;
  readonly storagePerMonth: number;
}

/** Files inside of one version that repeat others. */
export interface RepeatedFiles {
  readonly datasetId: DatasetId;
  readonly owner: string;
  readonly versionId: VersionId;
  readonly objects: number;
  readonly bytes: number;
  /** In all copies that are paid for, by the prices of their places per GB. */
  readonly storagePerMonth: number;
}

/** Groups of versions that are the same, those with most bytes too many first. What is read and moved is not in the dollars: it is read and moved anyway. */
export function duplicateGroups(snapshot: FleetSnapshot, versions: readonly VersionFacts[]): DuplicateGroup[] {
  const held = heldVersions(snapshot, versions).filter(({ version }) => version.objects > 0);
  const byRoot = Map.groupBy(held, ({ version }) => version.root);
  return [...byRoot.values()]
    .filter((group) => group.length > 1)
    .map((group): DuplicateGroup => {
      const members = group.map(memberOf).sort(keptFirst);
      const { root, objects, sizeBytes } = group[0]!.version;
      const others = members.slice(1);
      return {
        root,
        objects,
        sizeBytes,
        members,
        extraBytes: others.reduce((sum, one) => sum + one.bytes, 0),
        extraPerMonth: others.reduce((sum, one) => sum + one.storagePerMonth, 0),
      };
    })
    .sort((a, b) => b.extraBytes - a.extraBytes || (a.root < b.root ? -1 : 1));
}

/** Present versions with files that repeat others of the same version, those with most bytes first. */
export function repeatedFiles(snapshot: FleetSnapshot, versions: readonly VersionFacts[]): RepeatedFiles[] {
  return heldVersions(snapshot, versions)
    .filter(({ version, dataset }) => version.versionId === dataset.versionId && (version.duplicateBytes ?? 0) > 0)
    .map(({ version, dataset, places }): RepeatedFiles => {
      const bytes = version.duplicateBytes ?? 0;
      return {
        datasetId: dataset.datasetId,
        owner: dataset.owner,
        versionId: version.versionId,
        objects: version.duplicateObjects ?? 0,
        bytes,
        storagePerMonth: places.reduce((sum, target) => sum + (bytes / bytesPerGb) * (target.prices?.storagePerGbMonth ?? 0), 0),
      };
    })
    .sort((a, b) => b.bytes - a.bytes || (a.datasetId < b.datasetId ? -1 : 1));
}

/** Present versions with different trees, to be compared file by file: of equal trees the one that would be kept. */
export function differentTrees(snapshot: FleetSnapshot, versions: readonly VersionFacts[]): ReadonlyMap<VersionId, PaidVersion> {
  const present = heldVersions(snapshot, versions).filter(({ version, dataset }) => version.versionId === dataset.versionId && version.objects > 0);
  const kept = [...Map.groupBy(present, ({ version }) => version.root).values()].map(
    (group) => [...group].sort((a, b) => keptFirst(memberOf(a), memberOf(b)))[0]!,
  );
  return new Map(
    kept.map(({ version, dataset, places }) => {
      const perGbMonth = places.reduce((sum, target) => sum + (target.prices?.storagePerGbMonth ?? 0), 0);
      return [version.versionId, { versionId: version.versionId, datasetId: dataset.datasetId, owner: dataset.owner, perGbMonth }];
    }),
  );
}

/** A version with what a GB of it costs a month in all copies that are paid for. */
export interface PaidVersion {
  readonly versionId: VersionId;
  readonly datasetId: DatasetId;
  readonly owner: string;
  readonly perGbMonth: number;
}

interface Held {
  readonly version: VersionFacts;
  readonly dataset: FleetSnapshot['datasets'][number];
  /** Where its copies are that are paid for; at least one. */
  readonly places: readonly TargetFacts[];
}

function heldVersions(snapshot: FleetSnapshot, versions: readonly VersionFacts[]): Held[] {
  const { datasets, targets } = indexOf(snapshot);
  return versions.flatMap((version): Held[] => {
    const dataset = datasets.get(version.datasetId);
    if (dataset === undefined) return [];
    const places = dataset.replicas.flatMap((replica) =>
      replica.versionId === version.versionId && isPaid(replica) ? (targets.get(replica.targetId) ?? []) : [],
    );
    return places.length === 0 ? [] : [{ version, dataset, places }];
  });
}

function memberOf({ version, dataset, places }: Held): DuplicateMember {
  return {
    datasetId: dataset.datasetId,
    owner: dataset.owner,
    versionId: version.versionId,
    isCurrent: dataset.versionId === version.versionId,
    copies: places.length,
    bytes: places.length * version.sizeBytes,
    storagePerMonth: places.reduce((sum, target) => sum + (billedBytes(target, version) / bytesPerGb) * (target.prices?.storagePerGbMonth ?? 0), 0),
  };
}

/** Kept is what readers see, then what has most copies, then what came first: giving up the others is the least change. */
function keptFirst(a: DuplicateMember, b: DuplicateMember): number {
  return Number(b.isCurrent) - Number(a.isCurrent) || b.copies - a.copies || (a.versionId < b.versionId ? -1 : 1);
}
