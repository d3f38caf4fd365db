import { leafBytes } from './leaves.ts';
import { smallFileBytes } from './small-file.ts';

/** Sizes in which memory is kept, with how many of each: most files are small, and leaves are 8 MiB. */
const kept = [
  { bytes: 64 * 1_024, most: 48 },
  { bytes: smallFileBytes, most: 4 },
  { bytes: leafBytes, most: 3 },
];

/** After this long without work nothing is kept. */
const idleMs = 1_000;

/**
 * Memory that is used again. Without it every leaf is new memory, the collector comes late, and an agent that needs 40 MB takes 300.
 * Who takes a buffer gives it back when nobody looks at it any more, not even the kernel; one that is never given back is only collected.
 */
export class LeafBuffers {
  readonly #free = new Map<number, Buffer[]>(kept.map(({ bytes }) => [bytes, []]));

  #idle: NodeJS.Timeout | undefined;

  /** A buffer of exactly this length, with anything in it. */
  take(length: number): Buffer {
    const size = kept.find(({ bytes }) => bytes >= length)?.bytes ?? length;
    return (this.#free.get(size)?.pop() ?? fresh(size)).subarray(0, length);
  }

  give(buffer: Buffer): void {
    const whole = Buffer.from(buffer.buffer);
    const size = kept.find(({ bytes }) => bytes === whole.length);
    const free = this.#free.get(whole.length);
    if (size !== undefined && free !== undefined && free.length < size.most) free.push(whole);
    else release(whole);
    this.#emptyWhenIdle();
  }

  #emptyWhenIdle(): void {
    if (this.#idle !== undefined) return void this.#idle.refresh();
    this.#idle = setTimeout(() => {
      this.#idle = undefined;
      for (const free of this.#free.values()) for (const whole of free.splice(0)) release(whole);
    }, idleMs);
    this.#idle.unref();
  }
}

/** Small ones can be lent to the thread that reads small files; large ones go back to the system at once when they are not needed. */
function fresh(size: number): Buffer {
  return Buffer.from(size <= smallFileBytes ? new SharedArrayBuffer(size) : new ArrayBuffer(size, { maxByteLength: size }));
}

/** Waiting for the collector keeps tens of megabytes of a process that has nothing to do. */
function release({ buffer }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.resizable) buffer.resize(0);
}
