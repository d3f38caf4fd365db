/**
 * How a file system keeps access times. `every-read` (strictatime) · `once-a-day` (relatime, the kernel's default: an access time moves only when it is
 * older than the last change or than 24 hours, so many reads of a day can look like one) · `never` (noatime).
 */
export type AtimeOption = 'every-read' | 'once-a-day' | 'never';

/**
 * The option of the mount that holds a path.
 *
 * @param mounts the text of /proc/self/mounts; later lines hide earlier ones at the same place
 * @returns undefined when no mount holds the path
 */
export function atimeOption(mounts: string, path: string): AtimeOption | undefined {
  let found: { place: string; options: string[] } | undefined;
  for (const line of mounts.split('\n')) {
    const [, encoded, , options] = line.split(' ');
    if (encoded === undefined || options === undefined) continue;
    const place = encoded.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    const holds = path === place || path.startsWith(place.endsWith('/') ? place : `${place}/`);
    if (holds && place.length >= (found?.place.length ?? 0)) found = { place, options: options.split(',') };
  }
  if (found === undefined) return undefined;
  if (found.options.includes('noatime')) return 'never';
  return found.options.includes('relatime') ? 'once-a-day' : 'every-read';
}
