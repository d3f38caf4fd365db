import { namePattern, ulidPattern } from '@data-in-motion/shared/domain/ids';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import type { Directory } from './directory.ts';
import { statedDataset, statedTotals } from './manifest.ts';
import { printable, type RawPath } from './raw-path.ts';
import { currentLink, inDirectory, type KnownTargets, manifestFilesOf, newLinkPrefix, openTarget, ownDirectory, ownPath } from './target-layout.ts';
import { leavingName } from './trash.ts';

/** Examples for a person: they must leave the copies their room in the record. */
const mostUnknown = 100;

type InventoryReplica = RecordOf<'inventory'>['replicas'][number];

export interface TargetListing {
  /** Directories of datasets, with copies or without. */
  readonly datasets: RawPath[];
  readonly replicas: InventoryReplica[];
  /** Names of trees in the making. */
  readonly staging: string[];
  /** File names in the directory of manifests; each begins with its replica. */
  readonly manifests: string[];
  /** Copies that are being deleted. */
  readonly leaving: string[];
  /** What is none of ours. */
  readonly unknown: string[];
}

/** Everything below a target's root, by names alone. Throws rather than giving a list that is not complete. */
export async function listTarget(target: TargetDescription, known: KnownTargets): Promise<TargetListing> {
  const root = await openTarget(target, known);
  try {
    const listing: TargetListing = { datasets: [], replicas: [], staging: [], manifests: [], leaving: [], unknown: [] };
    for (const child of await root.children()) {
      if (child.name === ownDirectory || child.name === 'lost+found') continue;
      if (child.kind === 'directory' && namePattern.test(child.name)) {
        listing.datasets.push(child.name);
        await inDirectory(root, child.name, (dataset) => listDataset(target, child.name, dataset, listing));
      } else listing.unknown.push(printable(child.name));
    }
    await inDirectory(root, ownPath('trash'), (trash) => listTrash(target, trash, listing));
    await inDirectory(root, ownPath('staging'), async (staging) => {
      for (const child of await staging.children()) listing.staging.push(child.name);
    });
    await inDirectory(root, ownPath('manifests'), async (manifests) => {
      for (const child of await manifests.children()) if (child.kind === 'file') listing.manifests.push(child.name);
    });
    return listing;
  } finally {
    await root.close();
  }
}

/** What is told of a target. More than a record can hold becomes a note in the outbox: then nothing is concluded from what is not listed. */
export function inventoryOf(target: TargetDescription, listed: TargetListing, atMs: number): RecordOf<'inventory'> {
  return { type: 'inventory', targetId: target.targetId, atMs, replicas: listed.replicas, unknown: listed.unknown.slice(0, mostUnknown) };
}

async function listDataset(target: TargetDescription, datasetId: string, dataset: Directory, listing: TargetListing): Promise<void> {
  for (const child of await dataset.children()) {
    if (child.name === currentLink || child.name.startsWith(newLinkPrefix)) continue;
    if (child.kind === 'directory' && ulidPattern.test(child.name)) listing.replicas.push(await described(target, child.name, datasetId, 'live'));
    else listing.unknown.push(`${datasetId}/${printable(child.name)}`);
  }
}

async function listTrash(target: TargetDescription, trash: Directory, listing: TargetListing): Promise<void> {
  for (const child of await trash.children()) {
    const replicaId = child.name.slice(0, 26);
    const datasetId = ulidPattern.test(replicaId) ? await statedDataset(manifestFilesOf(target, replicaId).manifest) : null;
    if (child.name === leavingName(replicaId)) listing.leaving.push(replicaId);
    else if (datasetId === null) listing.unknown.push(`${ownPath('trash')}/${printable(child.name)}`);
    else if (child.name === replicaId) listing.replicas.push(await described(target, child.name, datasetId, 'trash'));
  }
}

async function described(target: TargetDescription, replicaId: RawPath, datasetId: string, place: InventoryReplica['place']): Promise<InventoryReplica> {
  const totals = await statedTotals(manifestFilesOf(target, replicaId).manifest);
  return {
    replicaId: replicaId as string as InventoryReplica['replicaId'],
    datasetId: datasetId as InventoryReplica['datasetId'],
    root: totals?.root ?? null,
    place,
  };
}
