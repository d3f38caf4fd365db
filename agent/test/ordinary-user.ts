import { execFileSync } from 'node:child_process';

/** Of nobody in particular; owns nothing. */
export const nobody = 65_534;
export const isRoot = process.geteuid?.() === 0;

/** Root may do what permissions forbid to everybody else. Of the process, so all its threads: only one test at a time may do it. */
export async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  if (isRoot) process.seteuid?.(nobody);
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

/** Give a tree to the ordinary user; links themselves, not what they name. */
export function giveAway(place: string): void {
  if (isRoot) execFileSync('chown', ['-hR', `${nobody}:${nobody}`, place]);
}
