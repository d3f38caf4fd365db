import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { asFailure, Failure, wordsOf } from '@data-in-motion/shared/failure';
import { Directory, errnoOf } from './directory.ts';
import type { ManifestFiles } from './manifest.ts';
import type { RawPath } from './raw-path.ts';

/** The one copy of a dataset's version that an order speaks of. */
export interface ReplicaPlace {
  readonly targetId: string;
  readonly datasetId: string;
  readonly replicaId: string;
}

/** The same, of a target that is at hand. */
export type DatasetPlace = Omit<ReplicaPlace, 'targetId'>;

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
 * @throws Failure `unavailable` (`target.not-mounted`), `exhausted` when the disk of the journal is full; or what the system says of the root or the layout
 */
export async function openTarget(target: TargetDescription, known: KnownTargets): Promise<Directory> {
  const root = await openRoot(target, known);
  try {
    await root.makeDirectory(ownDirectory, 0o700);
    await inDirectory(root, ownDirectory, async (own) => {
      for (const name of ownNames) await own.makeDirectory(name as RawPath, 0o700);
      if (known.isTargetKnown(target.targetId, target.root)) return;
      // A target that is known is missed when its layout is: a power cut must not take the one and leave the other.
      await own.sync();
      await root.sync();
      known.noteTarget(target.targetId, target.root);
    });
    return root;
  } catch (thrown) {
    await root.close();
    throw thrown;
  }
}

/** Why a target is not there, for people; null when it is. Makes nothing. @throws what the system says of a root that can not be opened */
export async function absentBecause(target: TargetDescription, known: KnownTargets): Promise<string | null> {
  try {
    await (await openRoot(target, known)).close();
    return null;
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.code !== 'target.not-mounted') throw thrown;
    return wordsOf(failure);
  }
}

async function openRoot(target: TargetDescription, known: KnownTargets): Promise<Directory> {
  const isKnown = known.isTargetKnown(target.targetId, target.root);
  const root = await Directory.open(target.root).catch((thrown: unknown) => {
    throw errnoOf(thrown) === 'ENOENT' ? notMounted(target, 'is not there', isKnown) : thrown;
  });
  try {
    if (isKnown && !(await hasManifests(root))) throw notMounted(target, `is not what it was: it has no ${ownPath('manifests')} any more`, isKnown);
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

function notMounted({ targetId, root }: TargetDescription, how: string, isKnown: boolean): Failure {
  return new Failure('unavailable', {
    code: 'target.not-mounted',
    message: `${root} ${how}`,
    ids: { targetId },
    hint: isKnown
      ? `mount what was there; if the target is empty on purpose, make the directory ${root}/${ownPath('manifests')}, and give it to the user that the agent runs as`
      : 'mount it, or make it and give it to the user that the agent runs as',
  });
}

/** Whether a copy lies under its own name; not where even its dataset has no directory. */
export async function isPlaced(root: Directory, { datasetId, replicaId }: DatasetPlace): Promise<boolean> {
  try {
    return await inDirectory(root, datasetId, (dataset) => dataset.exists(replicaId as RawPath));
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return false;
    throw thrown;
  }
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
