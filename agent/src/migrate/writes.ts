import { leafBytes } from './leaves.ts';

const atOnce = 24;
const bytesAtOnce = leafBytes;

/** Writes under way at the same time, bounded in number and bytes. The first that fails is thrown by the next call. */
export class Writes {
  readonly #running = new Set<Promise<void>>();
  #bytes = 0;
  #failed: { thrown: unknown } | null = null;

  /** Resolves when the write has started. */
  async start(bytes: number, write: () => Promise<void>): Promise<void> {
    while (this.#running.size > 0 && (this.#running.size >= atOnce || this.#bytes + bytes > bytesAtOnce)) await Promise.race(this.#running);
    this.#throwFailed();
    this.#bytes += bytes;
    const running: Promise<void> = write()
      .catch((thrown: unknown) => {
        this.#failed ??= { thrown };
      })
      .finally(() => {
        this.#bytes -= bytes;
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  async drain(): Promise<void> {
    await this.settle();
    this.#throwFailed();
  }

  /** All have ended, well or badly. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #throwFailed(): void {
    if (this.#failed !== null) throw this.#failed.thrown;
  }
}
