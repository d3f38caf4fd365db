import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';

/** What the times of a tree's files say about an interval. */
export interface FileTimeCounts {
  readonly readFiles: number;
  /** Sizes of those files: what was read at most. */
  readonly readBytes: number;
  readonly lastReadAtMs: number | null;
  readonly writtenFiles: number;
  readonly writtenBytes: number;
  readonly lastWriteAtMs: number | null;
}

/**
 * Count the regular files of a tree whose access (or modification) time lies in an interval, after `fromMs` up to and with `toMs`.
 * A file read many times counts once. Links are not followed, names may be any bytes, what vanishes meanwhile counts nothing.
 *
 * @param readsFromMs access times up to here are ours (copying, verifying, serving) and are not counted
 */
export async function countFileTimes(
  root: string,
  interval: { readonly fromMs: number; readonly toMs: number; readonly readsFromMs: number },
  signal: AbortSignal,
): Promise<FileTimeCounts> {
  const counts = { readFiles: 0, readBytes: 0, lastReadAtMs: null as number | null, writtenFiles: 0, writtenBytes: 0, lastWriteAtMs: null as number | null };
  const waiting: Buffer[] = [Buffer.from(root)];
  for (let directory = waiting.pop(); directory !== undefined && !signal.aborted; directory = waiting.pop()) {
    for (const entry of await entriesOf(directory)) {
      const full = Buffer.concat([directory, Buffer.from('/'), entry.name]);
      if (entry.isDirectory()) waiting.push(full);
      if (!entry.isFile() || signal.aborted) continue;
      const stat = await lstat(full).catch(() => null);
      if (stat === null) continue;
      if (within(stat.atimeMs, Math.max(interval.fromMs, interval.readsFromMs), interval.toMs)) {
        counts.readFiles += 1;
        counts.readBytes += stat.size;
        counts.lastReadAtMs = Math.max(counts.lastReadAtMs ?? 0, stat.atimeMs);
      }
      if (within(stat.mtimeMs, interval.fromMs, interval.toMs)) {
        counts.writtenFiles += 1;
        counts.writtenBytes += stat.size;
        counts.lastWriteAtMs = Math.max(counts.lastWriteAtMs ?? 0, stat.mtimeMs);
      }
    }
  }
  return counts;
}

function within(ms: number, fromMs: number, toMs: number): boolean {
  return ms > fromMs && ms <= toMs;
}

async function entriesOf(directory: Buffer): Promise<Dirent<Buffer>[]> {
  return readdir(directory, { withFileTypes: true, encoding: 'buffer' }).catch(() => []);
}
