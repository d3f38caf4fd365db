import { readdir, readlink, realpath } from 'node:fs/promises';

/** Find a process that has something below a directory open; null when none does, among the processes that this user may look into. */
export async function findOpenFileBelow(path: string): Promise<{ pid: number } | null> {
  const prefix = `${await realpath(path)}/`;
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const opened = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      if (opened.startsWith(prefix)) return { pid: Number(pid) };
    }
  }
  return null;
}
