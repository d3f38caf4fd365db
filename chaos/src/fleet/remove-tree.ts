import { chmodSync, lstatSync, readdirSync, rmSync, type Stats } from 'node:fs';

/** Read, write and enter, for the owner. */
const ownerAll = 0o700;

/** Remove a tree of ours although directories in it may be read-only, as copies of such directories are: for an ordinary user they hold on to their entries. */
export function removeTree(place: string): void {
  openDirectories(Buffer.from(place));
  rmSync(place, { recursive: true, force: true });
}

function openDirectories(place: Buffer): void {
  const found: Stats | undefined = lstatSync(place, { throwIfNoEntry: false });
  if (found === undefined || !found.isDirectory()) return;
  if ((found.mode & ownerAll) !== ownerAll) chmodSync(place, ownerAll);
  for (const entry of readdirSync(place, { withFileTypes: true, encoding: 'buffer' }))
    if (entry.isDirectory()) openDirectories(Buffer.concat([place, Buffer.from('/'), entry.name]));
}
