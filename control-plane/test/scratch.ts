import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const memory = '/dev/shm';
/** What all databases of a run that are open at one time take, several times over. */
const plentyBytes = 4 * 1024 ** 3;

/**
 * Where databases of tests lie: in memory where there is plenty of it, since a thousand files for each test cost ten times as much on a disk.
 * What a test ends is a process and never the machine, and memory outlives a process.
 */
export const scratchFolder: string = hasPlenty() ? memory : tmpdir();

function hasPlenty(): boolean {
  try {
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize >= plentyBytes;
  } catch {
    return false;
  }
}
