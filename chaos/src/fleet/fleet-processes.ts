import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '@data-in-motion/shared/clock';
import { Failure } from '@data-in-motion/shared/failure';
import type { Home } from './home.ts';
import { type ProcessExit, SupervisedProcess } from './supervised-process.ts';

/** Our own directory: programs, packages and samples. */
export const root = path.resolve(import.meta.dirname, '../../..');
const flagsOf = (file: string): string[] => readFileSync(path.join(root, file), 'utf8').trim().split(' ');
/** What keeps them small: an agent's work is in the kernel and in hashing; a control plane computes, but its young garbage is small, for which V8 would keep halves of 16 MB. */
const flags = { agent: flagsOf('agent/node-flags'), 'control-plane': flagsOf('control-plane/node-flags') };
/** Two arenas of the C library instead of eight per core: measured, that is what the control plane's memory grew by with each export of its database. */
const smallProcess = { MALLOC_ARENA_MAX: '2' };
/** The C library gives free memory back from this many bytes on, where else that limit grows with the largest block: 1 MB less. */
const smallAgentProcess = { ...smallProcess, MALLOC_TRIM_THRESHOLD_: '131072' };
/** Kept beside the packages: a start from sources that finds its modules compiled need not load the compiler that strips the types. */
export const compiledModules = { NODE_COMPILE_CACHE: path.join(root, 'node_modules/.cache/compiled') };

/** The processes of one fleet, by name. Each sees of our environment only what it is given. */
export class FleetProcesses {
  readonly #all = new Map<string, SupervisedProcess>();
  readonly #home: Home;
  readonly #clock: Clock;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #onExit: (exit: ProcessExit) => void;

  constructor(home: Home, clock: Clock, environment: Readonly<Record<string, string>>, onExit: (exit: ProcessExit) => void) {
    this.#home = home;
    this.#clock = clock;
    this.#environment = environment;
    this.#onExit = onExit;
  }

  get all(): SupervisedProcess[] {
    return [...this.#all.values()];
  }

  /** Start one under a new name, and keep it running. */
  start(name: string, kind: 'agent' | 'control-plane', script: string, args: readonly string[], env: Readonly<Record<string, string>>): void {
    const supervised = new SupervisedProcess(
      {
        name,
        program: process.execPath,
        args: [...flags[kind], script, ...args],
        env: { ...(kind === 'agent' ? smallAgentProcess : { ...smallProcess, ...compiledModules }), ...this.#environment, ...env },
        workingDirectory: root,
        logs: this.#home.logs,
        run: this.#home.run,
      },
      this.#clock,
      this.#onExit,
    );
    this.#all.set(name, supervised);
    supervised.start();
  }

  find(name: string): SupervisedProcess | undefined {
    return this.#all.get(name);
  }

  /** @throws Failure `refused` that names those there are */
  get(name: string): SupervisedProcess {
    const found = this.#all.get(name);
    if (found === undefined)
      throw new Failure('refused', {
        code: 'fleet.no-such-process',
        message: `The fleet has no process "${name}".`,
        hint: `It has ${[...this.#all.keys()].join(', ')}.`,
      });
    return found;
  }

  /** That one of them was waited for in vain, with what it said last and where the rest is. */
  notReady(name: string, message: string): Failure {
    const lines = this.get(name).lastLines();
    return new Failure('unavailable', {
      code: 'fleet.not-ready',
      message: `${message}${lines.length === 0 ? '' : `\nIts last lines:\n  ${lines.join('\n  ')}`}`,
      hint: `The whole log is ${path.join(this.#home.logs, `${name}.log`)}`,
    });
  }
}
