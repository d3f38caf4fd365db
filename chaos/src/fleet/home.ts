import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Failure } from '@data-in-motion/shared/failure';
import { z } from 'zod';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

/** Where a local fleet keeps everything: DIM_HOME. */
export interface Home {
  readonly directory: string;
  readonly logs: string;
  /** One JSON per running process, so that others (and the next start) can find exactly it. */
  readonly run: string;
  /** The control plane writes it at its first start, mode 600. */
  readonly adminKeyFile: string;
  /** Where the HTTP interface is; for `dim`. */
  readonly addressFile: string;
  agent(nodeId: string): string;
  /** Gives the directory back to the next fleet. */
  release(): void;
}

const identity = z.object({ pid: z.number().int(), bootId: z.string(), startTicks: z.string() });
const marker = 'fleet.json';

/** Make the directory ours: one fleet at a time. A lock whose owner is gone is taken over. */
export function openHome(directory: string): Home {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const home: Home = {
    directory,
    logs: path.join(directory, 'logs'),
    run: path.join(directory, 'run'),
    adminKeyFile: path.join(directory, 'admin.key'),
    addressFile: path.join(directory, 'address'),
    agent: (nodeId) => path.join(directory, 'agents', nodeId),
    release: () => rmSync(path.join(directory, 'fleet.lock'), { force: true }),
  };
  takeLock(path.join(directory, 'fleet.lock'), directory);
  mkdirSync(home.logs, { recursive: true });
  mkdirSync(home.run, { recursive: true });
  if (!existsSync(path.join(directory, marker)))
    writeFileSync(path.join(directory, marker), `${JSON.stringify({ kind: 'data-in-motion local fleet', v: 1 })}\n`);
  return home;
}

/**
 * Delete all state of a fleet that is not running.
 * A directory that holds something else (no marker of ours) is refused: DIM_HOME may be set to anything.
 */
export function forgetHome(directory: string): void {
  if (!existsSync(directory) || readdirSync(directory).length === 0) return;
  if (!existsSync(path.join(directory, marker))) {
    throw new Failure('refused', {
      code: 'home.not-ours',
      message: `${directory} holds something that is not a fleet's state, so it is not emptied.`,
      hint: 'Set DIM_HOME to another directory, or empty this one yourself.',
    });
  }
  const lock = path.join(directory, 'fleet.lock');
  takeLock(lock, directory);
  for (const name of readdirSync(directory)) if (name !== 'fleet.lock' && name !== marker) rmSync(path.join(directory, name), { recursive: true, force: true });
  rmSync(path.join(directory, marker));
  rmSync(lock);
}

/** The processes that a fleet recorded below this home and that still live. */
export function recordedProcesses(directory: string): Map<string, ProcessIdentity> {
  const found = new Map<string, ProcessIdentity>();
  const run = path.join(directory, 'run');
  for (const file of existsSync(run) ? readdirSync(run) : []) {
    if (!file.endsWith('.json')) continue;
    const recorded = readIdentity(path.join(run, file));
    if (recorded !== undefined && isAlive(recorded)) found.set(file.slice(0, -'.json'.length), recorded);
  }
  return found;
}

/** Write the whole file under another name first: a reader sees the old text or the new, never half. */
export function replaceFile(file: string, text: string, mode = 0o644): void {
  const partial = `${file}.${process.pid}.partial`;
  writeFileSync(partial, text, { mode });
  renameSync(partial, file);
}

/** A hard link to a complete file appears whole and only if no lock is there: two starts at once can not both win. */
function takeLock(lock: string, directory: string): void {
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(identify(process.pid)));
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        linkSync(mine, lock);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const owner = readIdentity(lock);
      if (owner !== undefined && isAlive(owner)) {
        throw new Failure('refused', {
          code: 'home.in-use',
          message: `A fleet is already running on ${directory} (process ${owner.pid}).`,
          hint: 'Stop it with Ctrl-C where it runs, or set DIM_HOME to another directory.',
        });
      }
      rmSync(lock, { force: true });
    }
    throw new Failure('refused', { code: 'home.in-use', message: `Another fleet is starting on ${directory} at this moment.`, hint: 'Try again.' });
  } finally {
    unlinkSync(mine);
  }
}

function readIdentity(file: string): ProcessIdentity | undefined {
  try {
    return identity.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
