import { lstat, realpath } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '@data-in-motion/shared/failure';
import { Directory, errnoOf } from './directory.ts';
import { isMissing } from './fetch-manifest.ts';
import { rawPath } from './raw-path.ts';

export interface ImportBounds {
  readonly importRoots: readonly string[];
  /** Roots of our targets and our own state: what we write is never a source. */
  readonly own: readonly string[];
}

/**
 * Open a directory of the host for import: below one of the import roots once every link is resolved, a directory by its own name,
 * and neither inside nor around anything of ours. It is then opened again name by name, so that what was checked is what is read.
 *
 * @throws Failure `refused` with the reason
 */
export async function openImportSource(given: string, bounds: ImportBounds): Promise<Directory> {
  if (!path.isAbsolute(given) || given.includes('\0')) throw refusal('import.not-absolute', given, 'is not an absolute path');
  const source = await resolved(given);
  const roots = await Promise.all(bounds.importRoots.map(resolvedIfThere));
  const root = roots.find((one) => one !== null && isWithin(source, one));
  if (root === undefined || root === null) {
    throw refusal(
      'import.outside-roots',
      given,
      'is not below any directory that this agent may import from',
      'add it to importRoots in the settings of the agent',
    );
  }
  for (const own of await Promise.all(bounds.own.map(resolvedIfThere))) {
    if (own === null) continue;
    if (isWithin(source, own)) throw refusal('import.inside-target', given, 'lies inside a place that the agent itself writes to');
    if (isWithin(own, source)) throw refusal('import.around-target', given, 'contains a place that the agent itself writes to');
  }
  const top = await Directory.open(root);
  try {
    return await top.descend(rawPath(Buffer.from(path.relative(root, source))));
  } catch (thrown) {
    throw ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(thrown)) ? gone(given) : thrown;
  } finally {
    await top.close();
  }
}

/** Compare by names: `/data-old` is not within `/data`. Both absolute, without links. */
export function isWithin(inner: string, outer: string): boolean {
  const way = path.relative(outer, inner);
  return way === '' || (way !== '..' && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way));
}

async function resolved(given: string): Promise<string> {
  try {
    // Without a trailing slash: with one, lstat would look through a link.
    const last = await lstat(path.resolve(given));
    if (last.isSymbolicLink()) throw refusal('import.link', given, 'is a symbolic link', 'name the directory that it points to');
    if (!last.isDirectory()) throw refusal('import.no-directory', given, 'is not a directory');
    return await realpath(given);
  } catch (thrown) {
    if (isMissing(thrown)) throw gone(given);
    throw thrown;
  }
}

async function resolvedIfThere(given: string): Promise<string | null> {
  try {
    return await realpath(given);
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return null;
    throw thrown;
  }
}

function gone(given: string): Failure {
  return new Failure('refused', { code: 'source.gone', message: `${given} is not there` });
}

function refusal(code: string, given: string, says: string, hint?: string): Failure {
  return new Failure('refused', { code, message: `${given} ${says}`, ...(hint === undefined ? {} : { hint }) });
}
