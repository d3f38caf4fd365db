import { createCipheriv, createHash } from 'node:crypto';
import { mkdir, open, rename, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { randomInt, seededRandom } from '@data-in-motion/shared/random';
import { syncDirectoryAt } from '../directory.ts';
import { noStateSpace, ofStateDisk } from '../error-class.ts';

/** Powers of two between which file sizes are drawn: many small files and a few that are large, as in a home directory. */
const smallestBits = 6;
const largestBits = 25;
const filesPerDirectory = 40;
const chunkBytes = 1_024 * 1_024;

interface SampleOf {
  readonly bytes: number;
  readonly seed: number;
}

export interface SampleFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/** The files of a sample: the same bytes and seed give the same names and sizes, whose sum is exactly `bytes`. */
export function planSample(bytes: number, seed: number): SampleFile[] {
  const random = seededRandom(seed);
  const files: SampleFile[] = [];
  // No file is more than a small part of the whole.
  const mostBits = Math.max(smallestBits, Math.min(largestBits, Math.log2(bytes / 16)));
  let left = bytes;
  while (left > 0) {
    const bits = smallestBits + (mostBits - smallestBits) * random.next() ** 2;
    const sizeBytes = Math.min(left, Math.floor(2 ** bits) + randomInt(random, 0, 64));
    const shelf = Math.floor(files.length / filesPerDirectory);
    const depth = 1 + (shelf % 3);
    const folders = Array.from(
      { length: depth },
      (_, level) => `${['set', 'part', 'group'][level]}-${String(Math.floor(shelf / 3 ** level) + 1).padStart(3, '0')}`,
    );
    files.push({ path: [...folders, `sample ${String(files.length + 1).padStart(5, '0')}.bin`].join('/'), sizeBytes });
    left -= sizeBytes;
  }
  return files;
}

/**
 * Make the sample tree of a job below the agent's state, once: it gets its name when every file is written, or there is none.
 * @returns the absolute path of the tree
 * @throws Failure `exhausted` (`state.no-space`), or what the system says of the file that could not be written
 */
export async function makeSample(stateDirectory: string, jobId: string, sample: SampleOf, signal: AbortSignal): Promise<string> {
  try {
    return await haveTree(stateDirectory, jobId, sample, signal);
  } catch (thrown) {
    throw ofStateDisk(thrown, doesNotFit(sample));
  }
}

function doesNotFit({ bytes }: SampleOf): string {
  return `a sample of ${bytes} bytes does not fit where the agent keeps its state`;
}

async function haveTree(stateDirectory: string, jobId: string, sample: SampleOf, signal: AbortSignal): Promise<string> {
  const home = path.join(stateDirectory, 'samples', jobId);
  const tree = path.join(home, 'tree');
  const unfinished = path.join(home, 'unfinished');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  const exists = await open(tree, 'r').then(
    (handle) => handle.close().then(() => true),
    () => false,
  );
  if (exists) return tree;
  const { bavail, bsize } = await statfs(home);
  if (bavail * bsize < sample.bytes * 1.02) throw noStateSpace(doesNotFit(sample));
  try {
    await mkdir(unfinished);
    const folders = new Set<string>();
    for (const [n, file] of planSample(sample.bytes, sample.seed).entries()) {
      signal.throwIfAborted();
      const folder = path.dirname(file.path);
      if (!folders.has(folder)) await mkdir(path.join(unfinished, folder), { recursive: true });
      folders.add(folder);
      await writeSampleFile(path.join(unfinished, file.path), file.sizeBytes, `${sample.seed}/${n}`);
    }
    await rename(unfinished, tree);
    await syncDirectoryAt(home);
    return tree;
  } catch (thrown) {
    await rm(unfinished, { recursive: true, force: true });
    throw thrown;
  }
}

/** Bytes that look random and follow from the name alone: a cipher's key stream. */
async function writeSampleFile(file: string, sizeBytes: number, name: string): Promise<void> {
  const key = createHash('sha256').update(name).digest();
  const stream = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  const handle = await open(file, 'wx');
  try {
    for (let left = sizeBytes; left > 0; left -= chunkBytes) await handle.writeFile(stream.update(Buffer.alloc(Math.min(left, chunkBytes))));
  } finally {
    await handle.close();
  }
}
