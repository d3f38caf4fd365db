import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '@data-in-motion/shared/clock';
import { BoundedLog } from './bounded-log.ts';
import { replaceFile } from './home.ts';
import { identify, type ProcessIdentity, signalProcess } from './process-identity.ts';

export interface ProcessPlan {
  /** Unique in the fleet; names its log and its record. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly logs: string;
  readonly run: string;
}

export interface ProcessExit {
  readonly name: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lastLines: readonly string[];
  /** How long until it is started again; null when it stays down. */
  readonly restartInMs: number | null;
}

const firstBackOffMs = 250;
const longestBackOffMs = 10_000;
/** A process that lived this long was well: its next restart is quick again. */
const settledAfterMs = 20_000;
const recordAgainMs = 1_000;

/** One child process that is started again, ever more slowly, when it ends without being asked to. */
export class SupervisedProcess {
  readonly plan: ProcessPlan;
  readonly #clock: Clock;
  readonly #onExit: (exit: ProcessExit) => void;
  readonly #log: BoundedLog;
  #child: ChildProcess | undefined;
  #identity: ProcessIdentity | undefined;
  #wanted = false;
  #quickDeaths = 0;
  #startedAtMs = 0;
  #napping = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  restarts = 0;

  constructor(plan: ProcessPlan, clock: Clock, onExit: (exit: ProcessExit) => void) {
    this.plan = plan;
    this.#clock = clock;
    this.#onExit = onExit;
    this.#log = new BoundedLog(path.join(plan.logs, `${plan.name}.log`));
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  lastLines(lines?: number): string[] {
    return this.#log.tail(lines);
  }

  start(): void {
    this.#wanted = true;
    if (this.#child === undefined) this.#spawn();
  }

  /** Without a `stop` before it the process comes back by itself. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#identity !== undefined) signalProcess(this.#identity, signal);
    return this.#ended;
  }

  /** Ask it to end, and end it when it has not within the limit. It stays down until `start`. */
  async stop(limitMs: number): Promise<'ended' | 'killed'> {
    this.#wanted = false;
    this.#napping.abort();
    if (this.#child === undefined) return 'ended';
    const waiting = new AbortController();
    void this.kill('SIGTERM');
    const outcome = await Promise.race([this.#ended.then(() => 'ended' as const), this.#clock.sleep(limitMs, waiting.signal).then(() => 'killed' as const)]);
    waiting.abort();
    if (outcome === 'killed') await this.kill('SIGKILL');
    return outcome;
  }

  close(): void {
    this.#log.close();
  }

  #spawn(): void {
    const { plan } = this;
    // A process group of its own: Ctrl-C in the terminal is for the supervisor, which stops the rest in order.
    const child = spawn(plan.program, plan.args, { cwd: plan.workingDirectory, env: plan.env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#child = child;
    this.#startedAtMs = this.#clock.monotonicMs();
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => this.#log.write(chunk));
    if (child.pid !== undefined) {
      this.#identity = identify(child.pid);
      this.#record(this.#identity);
    }
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => this.#log.write(`${error.message}\n`));
      child.once('close', (code, signal) => {
        this.#child = undefined;
        this.#identity = undefined;
        rmSync(this.#recordFile, { force: true });
        this.#afterExit(code, signal);
        resolve();
      });
    });
  }

  /** On a full disk it is tried again as long as the process lives; until then only we know of it. */
  #record(of: ProcessIdentity): void {
    try {
      replaceFile(this.#recordFile, JSON.stringify(of));
    } catch {
      void this.#clock.sleep(recordAgainMs).then(() => {
        if (this.#identity === of) this.#record(of);
      });
    }
  }

  #afterExit(code: number | null, signal: NodeJS.Signals | null): void {
    const livedMs = this.#clock.monotonicMs() - this.#startedAtMs;
    this.#quickDeaths = livedMs >= settledAfterMs ? 0 : this.#quickDeaths + 1;
    const restartInMs = this.#wanted ? Math.min(longestBackOffMs, firstBackOffMs * 2 ** Math.max(0, this.#quickDeaths - 1)) : null;
    this.#onExit({ name: this.plan.name, code, signal, lastLines: this.#log.tail(), restartInMs });
    if (restartInMs === null) return;
    this.#napping = new AbortController();
    void this.#clock.sleep(restartInMs, this.#napping.signal).then(() => {
      if (!this.#wanted || this.#child !== undefined) return;
      this.restarts++;
      this.#spawn();
    });
  }

  get #recordFile(): string {
    return path.join(this.plan.run, `${this.plan.name}.json`);
  }
}
