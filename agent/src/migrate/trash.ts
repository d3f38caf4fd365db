import type { Directory } from './directory.ts';
import type { RawPath } from './raw-path.ts';
import type { StepParts } from './step-parts.ts';
import { currentLink, type DatasetPlace, inDirectory, isPlaced, ownPath } from './target-layout.ts';

/** A copy's name from the moment when the first of its files may be unlinked: half of it is never taken for a changed whole. */
export function leavingName(replicaId: string): RawPath {
  return `${replicaId}.leaving` as RawPath;
}

/** Rename a copy from its place into the trash, where nothing can newly open it and a person can fetch it back from; durable when it returns. */
export async function moveToTrash(root: Directory, { datasetId, replicaId }: DatasetPlace, parts: StepParts): Promise<void> {
  const replica = replicaId as RawPath;
  await inDirectory(root, datasetId, (dataset) =>
    inDirectory(root, ownPath('trash'), async (trash) => {
      await dropCurrent(dataset, replica);
      await dataset.moveTo(replica, trash, replica);
      parts.faults.failpoint('C23');
      await dataset.sync();
      await trash.sync();
    }),
  );
}

/** Whether a copy is on the target under any of its names. Looked for in the order in which it leaves, so that one on its way is not missed. */
export async function isAnywhere(root: Directory, place: DatasetPlace): Promise<boolean> {
  if (await isPlaced(root, place)) return true;
  return inDirectory(
    root,
    ownPath('trash'),
    async (trash) => (await trash.exists(place.replicaId as RawPath)) || (await trash.exists(leavingName(place.replicaId))),
  );
}

/** A link that names what leaves would lead nowhere. A newer one, to another copy, stays. */
async function dropCurrent(dataset: Directory, replica: RawPath): Promise<void> {
  if (!(await dataset.exists(currentLink))) return;
  if ((await dataset.readLink(currentLink)) === replica) await dataset.removeFile(currentLink);
}
