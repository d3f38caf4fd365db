import type { Dirent } from 'node:fs';
import { lstat, readdir, statfs } from 'node:fs/promises';
import type { Clock } from '@data-in-motion/shared/clock';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';

export interface Space {
  /** What we may use in all: the operator's bound or the file system, whichever is smaller. */
  readonly capacityBytes: number;
  readonly usedBytes: number;
  /** What may still be written now; the reserve is taken off already. */
  readonly freeBytes: number;
}

/** How long a count of what changes (staging) is good for: at least this … */
const changingForMs = 60_000;
/** … and so many times what counting took, so that counting stays below a twentieth of the time. */
const restPerWork = 20;

/**
 * Capacity, used and free bytes of targets.
 *
 * A target without a bound owns its file system, so the kernel's figures are the answer. A target with a bound shares one, so its own bytes are
 * counted: allocated blocks of everything under the root. A replica never changes once it has its name and its name is never used twice, so each is
 * walked once and remembered: a walk over 100,000 files takes four seconds, the remembered answer half a millisecond [measured].
 * Staging is walked again after a while. Copies that arrive meanwhile show in `freeBytes` at once only where they fill the file system itself.
 */
export class SpaceMeter {
  readonly #replicaBytes = new Map<string, number>();
  readonly #changing = new Map<string, { bytes: number; untilMs: number }>();

  /** @throws the system's error when the root can not be reached */
  async measure(target: TargetDescription, clock: Clock): Promise<Space> {
    const fs = await statfs(target.root, { bigint: true });
    const totalBytes = Number(fs.blocks * fs.bsize);
    const availableBytes = Number(fs.bavail * fs.bsize);
    if (target.capacityBytes === null) {
      return { capacityBytes: totalBytes, usedBytes: totalBytes - Number(fs.bfree * fs.bsize), freeBytes: Math.max(0, availableBytes - target.reserveBytes) };
    }
    const capacityBytes = Math.min(target.capacityBytes, totalBytes);
    const usedBytes = await this.#countOwn(target.root, clock);
    return { capacityBytes, usedBytes, freeBytes: Math.max(0, Math.min(availableBytes, capacityBytes - usedBytes) - target.reserveBytes) };
  }

  async #countOwn(root: string, clock: Clock): Promise<number> {
    let bytes = 0;
    const seen = new Set<string>();
    for (const dataset of await directories(root)) {
      if (dataset === '.dim') continue;
      for (const replica of await directories(`${root}/${dataset}`)) bytes += await this.#countOnce(`${root}/${dataset}/${replica}`, seen);
    }
    // A replica in the trash is as unchanging as it was in its place.
    for (const replica of await directories(`${root}/.dim/trash`)) bytes += await this.#countOnce(`${root}/.dim/trash/${replica}`, seen);
    for (const changing of ['staging', 'manifests']) bytes += await this.#countChanging(`${root}/.dim/${changing}`, clock);
    for (const directory of this.#replicaBytes.keys()) if (directory.startsWith(`${root}/`) && !seen.has(directory)) this.#replicaBytes.delete(directory);
    return bytes;
  }

  async #countOnce(directory: string, seen: Set<string>): Promise<number> {
    seen.add(directory);
    const bytes = this.#replicaBytes.get(directory) ?? (await allocatedBytes(directory));
    this.#replicaBytes.set(directory, bytes);
    return bytes;
  }

  async #countChanging(directory: string, clock: Clock): Promise<number> {
    const startedMs = clock.monotonicMs();
    const known = this.#changing.get(directory);
    if (known !== undefined && startedMs < known.untilMs) return known.bytes;
    const bytes = await allocatedBytes(directory);
    const endedMs = clock.monotonicMs();
    this.#changing.set(directory, { bytes, untilMs: endedMs + Math.max(changingForMs, (endedMs - startedMs) * restPerWork) });
    return bytes;
  }
}

async function directories(parent: string): Promise<string[]> {
  const entries = await entriesOf(parent);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name.toString());
}

/** Blocks allocated to a tree, links not followed; names may be any bytes. What vanishes meanwhile counts nothing. */
async function allocatedBytes(root: string): Promise<number> {
  let bytes = 0;
  const waiting: Buffer[] = [Buffer.from(root)];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    for (const entry of await entriesOf(directory)) {
      const full = Buffer.concat([directory, Buffer.from('/'), entry.name]);
      if (entry.isDirectory()) waiting.push(full);
      const stat = await lstat(full).catch(() => null);
      if (stat !== null) bytes += stat.blocks * 512;
    }
  }
  return bytes;
}

async function entriesOf(directory: string | Buffer): Promise<Dirent<Buffer>[]> {
  return readdir(directory, { withFileTypes: true, encoding: 'buffer' }).catch(() => []);
}
