import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const program = path.join(import.meta.dirname, 'floor-process.ts');
export const floorKinds = ['empty', 'link-and-journal'] as const;
export type FloorKind = (typeof floorKinds)[number];

/** A process that is what is below any agent, started as an agent is. */
export class Floor {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** The second start of two: the first compiles. */
  static async start(kind: FloorKind, home: string, url: string, flags: readonly string[]): Promise<Floor> {
    await (await Floor.#startOnce(kind, home, url, flags)).stop();
    return Floor.#startOnce(kind, home, url, flags);
  }

  static async #startOnce(kind: FloorKind, home: string, url: string, flags: readonly string[]): Promise<Floor> {
    const env = { PATH: process.env.PATH ?? '', MALLOC_ARENA_MAX: '2', NODE_COMPILE_CACHE: path.join(home, 'compiled') };
    const child = spawn(process.execPath, [...flags, program, kind, url, home], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout!, 'data');
    return new Floor(child);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
