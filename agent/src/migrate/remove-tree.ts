import { type Directory, errnoOf } from './directory.ts';
import type { RawPath } from './raw-path.ts';

/** Unlink a name and all below it, without ever following a link. What is missing already is fine. `onRemoved` hears of each file. */
export async function removeTree(parent: Directory, name: RawPath, onRemoved: () => void = () => undefined): Promise<void> {
  let tree: Directory;
  try {
    tree = await parent.directory(name);
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return;
    if (['ENOTDIR', 'ELOOP'].includes(errnoOf(thrown))) return parent.removeFile(name);
    throw thrown;
  }
  try {
    await tree.makeWritable().catch(() => undefined);
    for (const child of await tree.children()) {
      if (child.kind === 'directory') await removeTree(tree, child.name, onRemoved);
      else {
        await tree.removeFile(child.name);
        onRemoved();
      }
    }
  } finally {
    await tree.close();
  }
  await parent.removeEmptyDirectory(name);
}
