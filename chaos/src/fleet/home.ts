import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '@data-in-motion/shared/clock';
import { Failure } from '@data-in-motion/shared/failure';
import { z } from 'zod';
import { identify, isAlive, type ProcessIdentity, signalProcess } from './process-identity.ts';
import { removeTree } from './remove-tree.ts';

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
/** As the control plane writes it. */
const databaseLock = z
  .object({ pid: z.number().int(), bootId: z.string(), startedAt: z.string() })
  .transform(({ startedAt, ...rest }) => ({ ...rest, startTicks: startedAt }));
const marker = 'fleet.json';
const lockName = 'fleet.lock';
/** All that a fleet and its control plane make in their home, besides lock and marker. */
const state = ['address', 'admin.key', 'agents', 'control-plane.key', 'control-plane.pub', 'database', 'logs', 'run', 'targets'];

/**
 * Make the directory ours: one fleet at a time. A lock whose owner is gone is taken over.
 *
 * @throws Failure `refused` when somebody else's files are in it (DIM_HOME may be set to anything), or a fleet runs on it
 */
export function openHome(directory: string): Home {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (!isOurs(directory)) {
    throw new Failure('refused', {
      code: 'home.not-ours',
      message: `${directory} holds something that is not a fleet's state.`,
      hint: 'Set DIM_HOME to another directory, a new or an empty one.',
    });
  }
  const home: Home = {
    directory,
    logs: path.join(directory, 'logs'),
    run: path.join(directory, 'run'),
    adminKeyFile: path.join(directory, 'admin.key'),
    addressFile: path.join(directory, 'address'),
    agent: (nodeId) => path.join(directory, 'agents', nodeId),
    release: () => rmSync(path.join(directory, lockName), { force: true }),
  };
  takeLock(path.join(directory, lockName), directory);
  // Before anything else: a start that dies here leaves a directory that the next one knows.
  if (!existsSync(path.join(directory, marker)))
    writeFileSync(path.join(directory, marker), `${JSON.stringify({ kind: 'data-in-motion local fleet', v: 1 })}\n`);
  mkdirSync(home.logs, { recursive: true });
  mkdirSync(home.run, { recursive: true });
  return home;
}

/**
 * A control plane that runs alone takes no lock of ours, but that of its database.
 *
 * @throws Failure `refused` while that one lives: under it nothing may be forgotten
 */
export function assertDatabaseFree(home: Home): void {
  const holder = readIdentity(path.join(home.directory, 'database/lock'), databaseLock);
  if (holder === undefined || !isAlive(holder)) return;
  throw new Failure('refused', {
    code: 'home.in-use',
    message: `Process ${holder.pid} uses the database in ${home.directory}.`,
    hint: 'Stop it, or set DIM_HOME to another directory.',
  });
}

/** Delete all state of a fleet that we hold and whose processes are ended; what no fleet made stays where it is. */
export function forgetState(home: Home): void {
  const made = readdirSync(home.directory).filter(isState);
  for (const name of made) removeTree(path.join(home.directory, name));
  mkdirSync(home.logs);
  mkdirSync(home.run);
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

/** Children of a fleet that was itself killed still hold ports and state: exactly those that it recorded are ended. True when there were any. */
export function endLeftovers(home: Home): boolean {
  const left = [...recordedProcesses(home.directory).values()];
  for (const one of left) signalProcess(one, 'SIGKILL');
  const untilMs = systemClock.monotonicMs() + 5_000;
  while (left.some(isAlive) && systemClock.monotonicMs() < untilMs) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  for (const name of readdirSync(home.run)) rmSync(path.join(home.run, name));
  return left.length > 0;
}

/** Write the whole file under another name first: a reader sees the old text or the new, never half. */
export function replaceFile(file: string, text: string, mode = 0o644): void {
  const partial = `${file}.${process.pid}.partial`;
  writeFileSync(partial, text, { mode });
  renameSync(partial, file);
}

/** It has our mark, is empty, holds no more than the lock of a start that died before it made its mark, or is what a control plane made that runs alone. */
function isOurs(directory: string): boolean {
  if (existsSync(path.join(directory, marker))) return true;
  const others = readdirSync(directory).filter((name) => !/^fleet\.lock(\.\d+)?$/.test(name));
  return others.length === 0 || (others.includes('control-plane.key') && others.every(isState));
}

/** Also what a write that was interrupted left of it. */
function isState(name: string): boolean {
  return state.includes(name.replace(/\.\d+\.partial$/, ''));
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

function readIdentity(file: string, form: z.ZodType<ProcessIdentity> = identity): ProcessIdentity | undefined {
  try {
    return form.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
