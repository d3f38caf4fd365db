import type { LeafBuffers } from './leaf-buffers.ts';
import { readFully } from './leaf-file.ts';
import { leafBytes, leafLength, leavesOf } from './leaves.ts';

/** Bytes in memory while a file of this size is read by `fileLeaves`. */
export function readingBytes(sizeBytes: number): number {
  return leavesOf(sizeBytes) > 1 ? 2 * leafLength(sizeBytes, 0) : sizeBytes;
}

/**
 * The leaves of an open file, one read ahead of the one that was yielded. A leaf is valid until the next is asked for;
 * one that is shorter than it should be means that the file is.
 */
export async function* fileLeaves(fd: number, sizeBytes: number, buffers: LeafBuffers): AsyncGenerator<Buffer> {
  const count = leavesOf(sizeBytes);
  const start = async (leaf: number): Promise<{ buffer: Buffer; got: number }> => {
    const buffer = buffers.take(leafLength(sizeBytes, leaf));
    return { buffer, got: await readFully(fd, buffer, leaf * leafBytes) };
  };
  let ahead = count > 0 ? start(0) : null;
  try {
    for (let leaf = 0; leaf < count; leaf++) {
      const { buffer, got } = await ahead!;
      ahead = leaf + 1 < count ? start(leaf + 1) : null;
      ahead?.catch(() => undefined);
      yield buffer.subarray(0, got);
      buffers.give(buffer);
    }
  } finally {
    // A read that is still under way writes into our memory and uses the caller's descriptor.
    await ahead?.catch(() => undefined);
  }
}
