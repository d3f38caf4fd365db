import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { Failure } from '@data-in-motion/shared/failure';
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
export const ownNames = ['manifests', 'staging', 'trash'] as const;
export type OwnName = (typeof ownNames)[number];
export const currentLink = 'current' as RawPath;
/** Before the name of the job that makes a new `current`. */
export const newLinkPrefix = `.${currentLink}.`;

/** Which targets this node has worked with, and where. */
export interface KnownTargets {
  isTargetKnown(targetId: string, root: string): boolean;
  noteTarget(targetId: string, root: string): void;
}

/**
 * Open a target's root and make what is missing of the layout below it. A root that is not there is never made, and one that had the layout
 * and has lost it is not begun anew: most likely nothing is mounted there now, and everything would seem gone.
 *
 * @throws Failure `unavailable` (`target.not-mounted`)
 */
export async function openTarget(target: TargetDescription, known: KnownTargets): Promise<Directory> {
  const root = await Directory.open(target.root);
  try {
    const isKnown = known.isTargetKnown(target.targetId, target.root);
    if (isKnown && !(await hasManifests(root))) throw notMounted(target);
    await root.makeDirectory(ownDirectory, 0o700);
    await inDirectory(root, ownDirectory, async (own) => {
      for (const name of ownNames) await own.makeDirectory(name as RawPath, 0o700);
    });
    if (!isKnown) known.noteTarget(target.targetId, target.root);
    return root;
  } catch (thrown) {
    await root.close();
    throw thrown;
  }
}

/** The directory of ours that only the mover makes: measuring a target makes one beside it. */
async function hasManifests(root: Directory): Promise<boolean> {
  if (!(await root.exists(ownDirectory))) return false;
  return inDirectory(root, ownDirectory, (own) => own.exists('manifests' as RawPath));
}

function notMounted({ targetId, root }: TargetDescription): Failure {
  return new Failure('unavailable', {
    code: 'target.not-mounted',
    message: `${root} is not what it was: it has no ${ownPath('manifests')} any more`,
    ids: { targetId },
    hint: `mount what was there; if the target is empty on purpose, make the directory ${root}/${ownPath('manifests')}`,
  });
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
