import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { Directory } from './directory.ts';
import type { ManifestFiles } from './manifest.ts';
import type { RawPath } from './raw-path.ts';

/** The one copy of a dataset's version that an order speaks of. */
export interface ReplicaPlace {
  readonly targetId: string;
  readonly datasetId: string;
  readonly replicaId: string;
}

/** Ours, below each target's root; everything else there is a dataset. */
export const ownDirectory = '.dim' as RawPath;
export const ownNames = ['manifests', 'staging', 'trash', 'quarantine'] as const;
export type OwnName = (typeof ownNames)[number];
export const currentLink = 'current' as RawPath;

/** Make what is missing of the layout; the root itself must be there, or may be made when its parent is. */
export async function openTarget(target: TargetDescription): Promise<Directory> {
  const root = await Directory.open(target.root);
  await root.makeDirectory(ownDirectory, 0o700);
  const own = await root.directory(ownDirectory);
  try {
    for (const name of ownNames) await own.makeDirectory(name as RawPath, 0o700);
  } finally {
    await own.close();
  }
  return root;
}

/** Open a directory below the root, do the work, and close it. */
export async function inDirectory<T>(root: Directory, path: string, work: (directory: Directory) => Promise<T>): Promise<T> {
  const directory = await root.descend(path as RawPath);
  try {
    return await work(directory);
  } finally {
    await directory.close();
  }
}

/** `<root>/.dim/manifests/<replica>.jsonl` and the leaves beside it. */
export function manifestFilesOf(target: TargetDescription, replicaId: string): ManifestFiles {
  const base = `${target.root}/${ownDirectory}/manifests/${replicaId}`;
  return { manifest: `${base}.jsonl`, leaves: `${base}.leaves` };
}

export function ownPath(name: OwnName): string {
  return `${ownDirectory}/${name}`;
}
