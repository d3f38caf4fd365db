import { setFlagsFromString } from 'node:v8';

/** No optimising compilers, and memory of the old generation in steps of a tenth. */
const atRest = ['--no-opt', '--no-maglev', '--heap-growing-percent=10'];
/** As V8 is by itself. */
const atWork = ['--opt', '--maglev', '--heap-growing-percent=0'];

/**
 * V8, which compiles what is hot and lets its memory grow only while data is moved or checked. The compilers are 8 MB of Node's program, which are in no
 * memory before they are used, and of what they make. A pass over the drives is not quicker by them, a copy of small files by a sixth.
 *
 * V8 asks for these flags each time that it decides, so they may change while it runs, for all threads of the process at once. What was compiled stays
 * in use. They are set here and not where Node is started: one that began without compilers stays 16 to 25 % slower at a copy when it gets them later.
 */
export class Engine {
  readonly #setFlag: (flag: string) => void;
  readonly #collect: (() => void) | undefined;
  #isSmall = false;
  #works = 0;

  constructor(setFlag: (flag: string) => void, collect?: () => void) {
    this.#setFlag = setFlag;
    this.#collect = collect;
  }

  /** From now on, but for `atWork`, which changes nothing before. To be called as early as can be: a compiler that compiled once stays in memory. */
  beSmall(): void {
    this.#isSmall = true;
    this.#set(this.#works > 0 ? atWork : atRest);
  }

  /** Work that is worth it; several may run at once. */
  async atWork<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#works++ === 0) this.#set(atWork);
    try {
      return await work();
    } finally {
      if (--this.#works === 0) this.#set(atRest);
    }
  }

  /** A pass over the drives ended: what it left behind is collected now (5 ms), not when V8 needs the room. Needs `--expose-gc`; does nothing without. */
  tidy(): void {
    if (this.#works === 0) this.#collect?.();
  }

  #set(flags: readonly string[]): void {
    if (this.#isSmall) for (const flag of flags) this.#setFlag(flag);
  }
}

/** The one of this process. */
export const engine = new Engine(setFlagsFromString, globalThis.gc);
