import { randomFillSync } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';

/**
 * Real blocks kept beside the journal so that there is something to give back when the disk is full:
 * SQLite can then not even delete a row (measured), so room has to come from outside it.
 */
export interface Ballast {
  /** Make the file again when the disk has at least twice its size free; true when it stands. */
  restore(): boolean;
  /** Give its blocks back; false when there was none. */
  release(): boolean;
}

const pieceBytes = 1024 * 1024;

export function openBallast(file: string, sizeBytes: number): Ballast {
  const stands = (): boolean => existsSync(file) && statSync(file).size === sizeBytes;
  return {
    restore() {
      if (stands()) return true;
      const { bavail, bsize } = statfsSync(path.dirname(file));
      if (bavail * bsize < 2 * sizeBytes) return false;
      try {
        fill(file, sizeBytes);
        return true;
      } catch {
        // Somebody else took the room meanwhile: half a ballast is worth giving back at once.
        rmSync(file, { force: true });
        return false;
      }
    },
    release() {
      if (!existsSync(file)) return false;
      rmSync(file, { force: true });
      return true;
    },
  };
}

/** Random bytes, so that no file system stores them as a hole or compresses them away. */
function fill(file: string, sizeBytes: number): void {
  const descriptor = openSync(file, 'w', 0o600);
  try {
    const piece = randomFillSync(Buffer.alloc(Math.min(pieceBytes, sizeBytes)));
    for (let left = sizeBytes; left > 0; left -= piece.length) writeSync(descriptor, piece, 0, Math.min(left, piece.length));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
