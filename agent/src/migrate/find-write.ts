import type { Directory } from './directory.ts';
import { HashReader, type ManifestFiles, readManifest } from './manifest.ts';
import type { RawPath } from './raw-path.ts';
import { type Pair, pairUp } from './verify-tree.ts';

/** Times are set through a floating-point number of seconds, which is off by less than this. */
const clockGrainNs = 1_000_000n;

/**
 * Whether a copy that is known to be bad, or never counted, shows that somebody wrote to it: something that was not put there, another size,
 * kind or time. Bytes that rotted leave size and time as they were, and what is gone holds nothing to be kept, so neither counts.
 * Nothing is read but names and attributes: whoever asks would let the copy go whatever bytes it was made with.
 *
 * @returns the first sign of a write, null when there is none
 */
export async function findWrite(tree: Directory, files: ManifestFiles): Promise<{ readonly path: RawPath; readonly detail: string } | null> {
  const hashes = new HashReader(files.leaves);
  const times = new Map<RawPath, bigint>();
  try {
    for await (const pair of pairUp(readManifest(files.manifest), tree, hashes)) {
      const detail = await signOfWrite(pair, times);
      if (detail !== null) return { path: pair.path, detail };
    }
    return null;
  } finally {
    await hashes.close();
  }
}

async function signOfWrite({ entry, walked }: Pair, times: Map<RawPath, bigint>): Promise<string | null> {
  if (entry?.kind === 'f' && entry.isLinked) times.set(entry.path, entry.mtimeNs);
  if (walked === null) return null;
  if (entry === null || entry.kind === '!') return 'is there and not in the manifest';
  const parent = walked.parent.directory;
  switch (entry.kind) {
    case 'd':
      return walked.kind === 'directory' ? null : 'is no directory';
    case 'l':
      return walked.kind === 'symlink' && (await parent.readLink(walked.name)) === entry.to ? null : 'is another link';
    case 'f':
    case 'h': {
      if (walked.kind !== 'file') return 'is no file';
      const { mtimeNs, size } = await parent.lstat(walked.name);
      if (entry.kind === 'f' && size !== BigInt(entry.sizeBytes)) return `has ${size} bytes instead of ${entry.sizeBytes}`;
      const wrote = mtimeNs - (entry.kind === 'f' ? entry.mtimeNs : (times.get(entry.of) ?? 0n));
      return wrote < clockGrainNs && wrote > -clockGrainNs ? null : 'was written at another time';
    }
  }
}
