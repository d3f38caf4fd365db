declare const brand: unique symbol;
/**
 * A file name or path as the kernel keeps it: bytes, not text. Held as a string with one character per byte (latin1), because such strings are
 * small, can be keys, and compare with `<` exactly as their bytes do; a name that is not UTF-8 survives. Parts are joined by `/`, without one at either end.
 */
export type RawPath = string & { readonly [brand]: 'RawPath' };

/** The kernel's limits, in bytes: a longer name can be in a hostile manifest, not on a disk. */
const longestName = 255;
const longestPath = 4_096;

export function rawPath(bytes: Buffer): RawPath {
  return bytes.toString('latin1') as RawPath;
}

export function bytesOf(raw: RawPath): Buffer {
  return Buffer.from(raw, 'latin1');
}

export function joinRaw(parent: RawPath, name: RawPath): RawPath {
  return (parent === '' ? name : `${parent}/${name}`) as RawPath;
}

/** The empty path is the tree itself. */
export function parentOf(path: RawPath): RawPath {
  const slash = path.lastIndexOf('/');
  return (slash < 0 ? '' : path.slice(0, slash)) as RawPath;
}

export function nameOf(path: RawPath): RawPath {
  return path.slice(path.lastIndexOf('/') + 1) as RawPath;
}

/** Why a path from outside may not be used below a root, or null when it may: it must not be able to name anything but a place inside. */
export function pathFault(path: RawPath): string | null {
  if (path === '') return 'an empty path';
  if (path.length > longestPath) return 'a path of more than 4096 bytes';
  if (path.includes('\0')) return 'a zero byte in a path';
  for (const name of path.split('/')) {
    if (name === '') return 'an absolute path or an empty name';
    if (name === '.' || name === '..') return `the name "${name}"`;
    if (name.length > longestName) return 'a name of more than 255 bytes';
  }
  return null;
}

/** For people: UTF-8 where it is UTF-8, other bytes and control characters as \xNN; at most 1,000 characters. */
export function printable(path: RawPath): string {
  const bytes = bytesOf(path);
  const text = bytes.toString('utf8');
  const isText = !text.includes('�');
  const asHex = (from: string): string => `\\x${from.charCodeAt(0).toString(16).padStart(2, '0')}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what must not reach a terminal
  const shown = isText ? text.replace(/[\x00-\x1f\x7f]/g, asHex) : path.replace(/[^\x20-\x7e]/g, asHex);
  return shown.length <= 1_000 ? shown : `${shown.slice(0, 999)}…`;
}
