import { readdir, readFile, readlink, realpath } from 'node:fs/promises';

/**
 * Find a process that can still reach something at or below a directory: a file or directory of it open, a file mapped into its memory
 * (which needs no open descriptor), or its working directory or root there. Null when none does, among the processes that this user may
 * look into and that see the directory under the same name: neither those of other users nor of other hosts or containers are known.
 */
export async function findUserOf(path: string): Promise<{ readonly pid: number } | null> {
  const top = await realpath(path);
  const isBelow = (name: string): boolean => name === top || name.startsWith(`${top}/`);
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    if ((await namesHeldBy(`/proc/${pid}`)).some(isBelow)) return { pid: Number(pid) };
  }
  return null;
}

/** Nothing of a process that ended meanwhile, or that is not ours to look into. */
async function namesHeldBy(process: string): Promise<string[]> {
  const descriptors = await readdir(`${process}/fd`).catch(() => []);
  const links = [`${process}/cwd`, `${process}/root`, ...descriptors.map((descriptor) => `${process}/fd/${descriptor}`)];
  const names = await Promise.all(links.map((link) => readlink(link).catch(() => '')));
  const maps = await readFile(`${process}/maps`, 'utf8').catch(() => '');
  return [...names, ...mappedFiles(maps)];
}

/** The sixth column, from its slash on; line ends in a name are written as `\012`. */
function mappedFiles(maps: string): string[] {
  return maps.split('\n').flatMap((line) => {
    const slash = line.indexOf('/');
    return slash < 0 ? [] : [line.slice(slash).replaceAll('\\012', '\n')];
  });
}
