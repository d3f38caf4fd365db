import { leafLength, leavesOf } from './leaves.ts';
import { readFully } from './leaf-file.ts';

/** Files below this are read and written several at once; above it two leaves of one file are in memory at a time. */
export const smallFileBytes = 1_024 * 1_024;

/** Bytes in memory while a file of this size is read by `fileLeaves`. */
export function readingBytes(sizeBytes: number): number {
  return leavesOf(sizeBytes) > 1 ? 2 * leafLength(sizeBytes, 0) : sizeBytes;
}

/**
 * The leaves of an open file, one read ahead of the one that was yielded. A leaf is valid until the next is asked for;
 * one that is shorter than it should be means that the file is.
 */
export async function* fileLeaves(fd: number, sizeBytes: number, fromLeaf = 0): AsyncGenerator<Buffer> {
  const count = leavesOf(sizeBytes);
  const buffers: Buffer[] = [];
  const start = (leaf: number): Promise<Buffer> => {
    const length = leafLength(sizeBytes, leaf);
    const buffer = buffers.pop() ?? Buffer.allocUnsafeSlow(leafLength(sizeBytes, 0));
    return readFully(fd, buffer.subarray(0, length), leaf * leafLength(sizeBytes, 0)).then((got) => buffer.subarray(0, got));
  };
  let ahead: Promise<Buffer> | null = fromLeaf < count ? start(fromLeaf) : null;
  try {
    for (let leaf = fromLeaf; leaf < count; leaf++) {
      const here = await ahead!;
      ahead = leaf + 1 < count ? start(leaf + 1) : null;
      ahead?.catch(() => undefined);
      yield here;
      if (here.length === leafLength(sizeBytes, 0)) buffers.push(here);
    }
  } finally {
    // A read that is still under way writes into our memory and uses the caller's descriptor.
    await ahead?.catch(() => undefined);
  }
}
