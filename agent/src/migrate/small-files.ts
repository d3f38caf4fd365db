import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { SmallAnswer, SmallTask } from './small-file.ts';

/** A thread for each place, so that a disk that hangs keeps nobody waiting but who works on it. */
export class SmallFileThreads {
  readonly #byPlace = new Map<string | null, SmallFiles>();

  /** @param place name of a target; null for all that is imported */
  at(place: string | null): SmallFiles {
    const known = this.#byPlace.get(place) ?? new SmallFiles();
    this.#byPlace.set(place, known);
    return known;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#byPlace.values()].map((one) => one.close()));
  }
}

/** A few files are done before a thread has started; it costs 12 MB while it is there. */
const worthAThread = 128;
const idleMs = 3_000;
const tasksAtOnce = 32;
/** One list is worked on, the next one waits beside it: the thread never waits for us. */
const listsAtOnce = 2;

interface Asked {
  readonly task: SmallTask;
  readonly answer: (answer: SmallAnswer<SmallTask>) => void;
}

/**
 * Small files, one call each, on a thread of their own: a disk that hangs then hangs that thread and not the agent. The thread starts when
 * there are many such files and ends when there are none for a while. Without it, or when a file is not the ordinary case, the answer is
 * null, and whoever asked takes the careful way through `Directory`; so nothing depends on the thread but the time it takes.
 */
export class SmallFiles {
  #thread: { readonly worker: Worker; isReady: boolean } | null = null;
  #asked = 0;
  #waiting: Asked[] = [];
  #sent: Asked[][] = [];
  #idle: NodeJS.Timeout | undefined;
  #isBroken = false;

  /** The directory and the memory of the task stay as they are until the answer is there. */
  ask<Task extends SmallTask>(task: Task): Promise<SmallAnswer<Task>> {
    this.#asked++;
    if (this.#asked >= worthAThread) this.#start();
    this.#restWhenIdle();
    if (this.#thread?.isReady !== true) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#waiting.push({ task, answer: resolve as Asked['answer'] });
      // After what is asked in the same turn: lists are cheaper than single tasks.
      if (this.#waiting.length === 1) setImmediate(() => this.#send());
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#thread?.worker;
    this.#end();
    await worker?.terminate();
  }

  #start(): void {
    if (this.#thread !== null || this.#isBroken) return;
    // Beside us, as a source or as it was built.
    const worker = new Worker(new URL(`./small-file-thread${path.extname(import.meta.filename)}`, import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 32 },
    });
    const thread = { worker, isReady: false };
    this.#thread = thread;
    worker.unref();
    worker.on('message', (answers: 'ready' | SmallAnswer<SmallTask>[]) => {
      if (this.#thread !== thread) return;
      if (answers === 'ready') thread.isReady = true;
      else for (const [i, { answer }] of this.#sent.shift()!.entries()) answer(answers[i]!);
      this.#send();
    });
    // It holds nothing: without it all goes on, more slowly.
    worker.on('error', () => {
      this.#isBroken = true;
      if (this.#thread === thread) this.#end();
    });
  }

  #send(): void {
    while (this.#thread !== null && this.#waiting.length > 0 && this.#sent.length < listsAtOnce) {
      const list = this.#waiting.splice(0, tasksAtOnce);
      this.#sent.push(list);
      this.#thread.worker.ref();
      this.#thread.worker.postMessage(list.map(({ task }) => task));
    }
    if (this.#sent.length === 0) this.#thread?.worker.unref();
  }

  #end(): void {
    this.#thread = null;
    this.#asked = 0;
    for (const { answer } of [...this.#sent.flat(), ...this.#waiting]) answer(null);
    this.#sent = [];
    this.#waiting = [];
  }

  #restWhenIdle(): void {
    if (this.#idle !== undefined) return void this.#idle.refresh();
    this.#idle = setTimeout(() => {
      this.#idle = undefined;
      if (this.#sent.length > 0 || this.#waiting.length > 0) return this.#restWhenIdle();
      void this.close();
    }, idleMs);
    this.#idle.unref();
  }
}
