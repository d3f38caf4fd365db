import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { ulidPattern } from '@data-in-motion/shared/domain/ids';
import { randomInt, seededRandom } from '@data-in-motion/shared/random';
import { z } from 'zod';
import { defineFault, type FaultOrder, type FaultWorld, refusedFault } from './fault.ts';

/** A file that was chosen, by name and by what it is, and the byte in it. */
const plan = z.object({
  file: z.string(),
  device: z.number(),
  inode: z.number(),
  /** Permissions, to be as they were when a process died while it had them opened. Plans that earlier agents made have none. */
  mode: z.number().optional(),
  offset: z.number(),
  was: z.number(),
  becomes: z.number(),
});
type Plan = z.infer<typeof plan>;

/** Enough to choose from; a walk over millions of files would be a fault of its own. */
const mostFiles = 20_000;
const permissions = 0o7777;

/**
 * Turn one byte of one file of a copy, as a bad sector or a bad cable would: size and times stay, only reading it all shows it.
 * Files that are read-only, as most of some trees are, are made writable for the moment in which they are opened.
 * Undone by turning it back, if it is still the same file and the byte is as we left it; a copy that was repaired or removed meanwhile is left alone.
 */
export const flipByte = defineFault<Plan>({
  plan,
  prepare: chooseByte,
  async make(_, planned) {
    const answer = await replaceByte(planned, planned.was, planned.becomes);
    if (answer !== 'replaced') throw refusedFault(answer);
  },
  async takeBack(_, planned) {
    const answer = await replaceByte(planned, planned.becomes, planned.was).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR' || thrown.code === 'ELOOP') return 'the file is gone';
      throw thrown;
    });
    return answer === 'replaced' ? 'the byte is turned back' : answer;
  },
});

async function chooseByte(order: FaultOrder, world: FaultWorld): Promise<Plan> {
  const replicaId = order.subject;
  if (!ulidPattern.test(replicaId)) throw refusedFault(`"${replicaId}" is not the id of a copy`);
  const files = (await Promise.all(world.targets.map(({ root }) => filesOfReplica(root, replicaId)))).flat();
  if (files.length === 0) throw refusedFault(`no file with content of copy ${replicaId} lies on this node`);
  const random = seededRandom(order.seed);
  const file = files[randomInt(random, 0, files.length)]!;
  // As it will be done: what can not be opened for writing is refused now, not found out again and again.
  const handle = await openForWriting(file);
  try {
    const { dev, ino, mode, size } = await handle.stat();
    if (size === 0) throw refusedFault(`${file} has become empty`);
    const offset = randomInt(random, 0, size);
    const was = await byteAt(handle, offset);
    return { file, device: dev, inode: ino, mode: mode & permissions, offset, was, becomes: was ^ (1 << randomInt(random, 0, 8)) };
  } finally {
    await handle.close();
  }
}

/** Regular files with content below `<root>/<dataset>/<replica>`, in the order of their names. */
async function filesOfReplica(root: string, replicaId: string): Promise<string[]> {
  const datasets = await readdir(root, { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const dataset of datasets) {
    if (dataset.isDirectory() && !dataset.name.startsWith('.')) await collectFiles(path.join(root, dataset.name, replicaId), found);
  }
  return found;
}

async function collectFiles(directory: string, found: string[]): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (found.length >= mostFiles) return;
    const name = path.join(directory, entry.name);
    if (entry.isDirectory()) await collectFiles(name, found);
    else if (entry.isFile() && (await lstat(name).then(hasContent, () => false))) found.push(name);
  }
}

function hasContent(stats: Stats): boolean {
  return stats.size > 0;
}

async function replaceByte(planned: Plan, from: number, to: number): Promise<string> {
  const handle = await openForWriting(planned.file);
  try {
    const { dev, ino, mode, atimeMs, mtimeMs } = await handle.stat();
    if (dev !== planned.device || ino !== planned.inode) return 'another file has its name now';
    if (planned.mode !== undefined && (mode & permissions) !== planned.mode) await handle.chmod(planned.mode);
    if ((await byteAt(handle, planned.offset)) !== from) return 'the byte is not as it was left';
    await handle.write(Buffer.of(to), 0, 1, planned.offset);
    await handle.utimes(atimeMs / 1_000, mtimeMs / 1_000);
    await handle.sync();
    return 'replaced';
  } finally {
    await handle.close();
  }
}

async function byteAt(handle: FileHandle, offset: number): Promise<number> {
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, offset);
  return byte[0]!;
}

/** Its owner may write to a read-only file: the permissions are back before this answers. */
async function openForWriting(file: string): Promise<FileHandle> {
  try {
    return await openSame(file, constants.O_RDWR);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EACCES') throw thrown;
  }
  const reading = await openSame(file, constants.O_RDONLY);
  const mode = (await reading.stat()).mode & permissions;
  try {
    await reading.chmod(mode | constants.S_IWUSR);
    return await openSame(file, constants.O_RDWR);
  } finally {
    await reading.chmod(mode).finally(() => reading.close());
  }
}

function openSame(file: string, mode: number): Promise<FileHandle> {
  return open(file, mode | constants.O_NOFOLLOW);
}
