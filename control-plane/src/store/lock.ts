import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '@data-in-motion/shared/failure';

/** Who holds a directory: a process is the same one only while its id, its start time and the machine's boot are the same. */
interface Holder {
  readonly pid: number;
  /** Clock ticks since boot (field 22 of /proc/<pid>/stat); empty where there is no /proc. */
  readonly startedAt: string;
  readonly bootId: string;
  /** See `DirectoryLock`; handed on until it was settled. */
  readonly machineEnded?: boolean;
}

export interface DirectoryLock {
  /**
   * The holder before never released it, and the machine was started anew since (or its lock is torn, which only a power cut does): what it wrote without
   * flushing may be lost, or half there.
   */
  readonly machineEnded: boolean;
  /** Of the machine's present run; empty where it has none. */
  readonly bootId: string;
  /** What follows from `machineEnded` was done: who takes this lock over need not do it again. */
  settle(): void;
  /** Let the next one in. A lock whose `machineEnded` is not settled stays where it is: it is all that tells the next start of it. */
  release(): void;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** A lock that its holder takes away at this moment is no torn one; any other failure to read it is told. */
function readUnlessGone(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

/** The name of the program may hold blanks and brackets, so count the fields after the last bracket. */
function startOf(pid: number): string {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function describe(pid: number): Holder {
  return { pid, startedAt: startOf(pid), bootId: readOrEmpty('/proc/sys/kernel/random/boot_id').trim() };
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = describe(holder.pid);
  return now.startedAt === holder.startedAt && now.bootId === holder.bootId;
}

function parseHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Holder;
    return Number.isInteger(holder.pid) ? holder : undefined;
  } catch {
    return undefined;
  }
}

function flush(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Let `place` (a link, a rename) put the finished file at its path in one step, so nobody ever reads half of it. Flushed: it tells of a power cut. */
function put(path: string, text: string, place: (own: string, path: string) => void): void {
  const own = `${path}.${process.pid}.new`;
  writeFileSync(own, text, { mode: 0o600 });
  try {
    flush(own);
    place(own, path);
    flush(dirname(path));
  } finally {
    rmSync(own, { force: true });
  }
}

function tryCreate(path: string, text: string): boolean {
  try {
    put(path, text, linkSync);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}

/** Take a dead holder's lock aside; when it turns out to be somebody's fresh one, put it back. */
function removeStale(path: string, stale: string): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw thrown;
  }
  if (readOrEmpty(aside) !== stale) linkSync(aside, path);
  rmSync(aside, { force: true });
}

/**
 * Take the exclusive lock of a directory: two processes on one embedded database lose rows silently.
 * Throws `store.in-use`, naming the other process, while that lives; a dead holder's lock is taken over.
 */
export function lockDirectory(directory: string): DirectoryLock {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'lock');
  const own = describe(process.pid);
  let machineEnded = false;
  for (let attempt = 0; attempt < 5; attempt++) {
    const settled = JSON.stringify(own);
    if (tryCreate(path, machineEnded ? JSON.stringify({ ...own, machineEnded }) : settled)) {
      return {
        machineEnded,
        bootId: own.bootId,
        settle: () => put(path, settled, renameSync),
        release() {
          if (readOrEmpty(path) === settled) rmSync(path, { force: true });
        },
      };
    }
    const found = readUnlessGone(path);
    if (found === undefined) continue;
    const holder = parseHolder(found);
    if (holder !== undefined && isAlive(holder)) {
      throw new Failure('refused', {
        code: 'store.in-use',
        message: `process ${holder.pid} already uses the data directory ${directory}`,
        ids: { pid: holder.pid },
        hint: 'Stop that process, name another directory, or set DATABASE_URL to a PostgreSQL server that several processes may share.',
      });
    }
    // A lock that can not be read was not written to its end.
    machineEnded ||= holder === undefined || holder.machineEnded === true || holder.bootId !== own.bootId;
    removeStale(path, found);
  }
  throw new Failure('unavailable', { code: 'store.lock-contended', message: `the lock of ${directory} changes hands too fast` });
}
