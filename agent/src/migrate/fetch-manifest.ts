import { copyFile, open, rm } from 'node:fs/promises';
import { errnoOf } from './directory.ts';
import { appear, assertSameVersion, checkManifest, type ManifestFiles } from './manifest.ts';
import type { VersionIdentity } from './verify-tree.ts';

/**
 * Have the manifest of a version beside its replica-to-be: the one that is there already when it is right, else a fresh one.
 * It gets its name only when it is on stable storage and is the version that was asked for.
 *
 * @param fetch writes both files of the manifest to the given names
 * @throws Failure `corrupt` when what was fetched is no manifest, or of another version
 */
export async function haveManifest(files: ManifestFiles, version: VersionIdentity, fetch: (into: ManifestFiles) => Promise<void>): Promise<void> {
  try {
    assertSameVersion(await checkManifest(files), version);
    return;
  } catch {
    // Missing, torn, or of another version: whichever it is, a fresh one is made and checked.
  }
  const fresh = { manifest: `${files.manifest}.new`, leaves: `${files.leaves}.new` };
  await fetch(fresh);
  assertSameVersion(await checkManifest(fresh), version);
  for (const file of [fresh.leaves, fresh.manifest]) await syncFile(file);
  await appear(files);
}

export async function copyManifest(from: ManifestFiles, to: ManifestFiles): Promise<void> {
  await copyFile(from.manifest, to.manifest);
  await copyFile(from.leaves, to.leaves);
}

/** The manifest goes first: leaves without it mean nothing, it without them would be taken for damage. */
export async function removeManifest(files: ManifestFiles): Promise<void> {
  await rm(files.manifest, { force: true });
  await rm(files.leaves, { force: true });
}

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function isMissing(thrown: unknown): boolean {
  return errnoOf(thrown) === 'ENOENT' || errnoOf(thrown) === 'ENOTDIR';
}
