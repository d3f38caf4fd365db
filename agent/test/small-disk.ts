import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmdirSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';

/** Whether this user may mount; where not, what needs a disk of its own is skipped, and one line says so. */
export const canMount = mountable();

/** Have a file system of its own, of a few MiB, at a directory while the work lasts. */
export async function onSmallDisk(place: string, sizeMebibytes: number, work: () => Promise<void>): Promise<void> {
  mkdirSync(place, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMebibytes}m`, 'tmpfs', place]);
  try {
    await work();
  } finally {
    execFileSync('umount', ['-l', place]);
  }
}

/** Take the last byte of a disk. @returns the file that has it */
export function fillUp(place: string): string {
  const file = path.join(place, 'somebody else');
  const fd = openSync(file, 'a');
  expect(() => {
    for (;;) writeSync(fd, Buffer.alloc(4_096, 1));
  }).toThrow('ENOSPC');
  closeSync(fd);
  return file;
}

function mountable(): boolean {
  const place = mkdtempSync(path.join(tmpdir(), 'dim-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place], { stdio: 'ignore' });
    execFileSync('umount', ['-l', place]);
    return true;
  } catch {
    console.log('no tmpfs can be mounted here: tests on a disk that is full are skipped');
    return false;
  } finally {
    rmdirSync(place);
  }
}
