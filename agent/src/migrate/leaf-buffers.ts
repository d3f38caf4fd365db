import { pageMemory, release } from '@data-in-motion/shared/page-memory';
import { leafBytes } from './leaves.ts';
import { smallFileBytes } from './small-file.ts';

/** Small files come in great numbers: their memory is one piece, cut into slots. */
const slotBytes = 64 * 1_024;
const slots = 96;
/** Larger sizes in which memory is kept, with how many of each. */
const kept = [
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
  #slab: SharedArrayBuffer | null = null;
  #freeSlots: number[] = [];
  readonly #free = new Map<number, Buffer[]>(kept.map(({ bytes }) => [bytes, []]));
  #idle: NodeJS.Timeout | undefined;

  /** A buffer of exactly this length, with anything in it. */
  take(length: number): Buffer {
    if (length <= slotBytes) {
      const slot = this.#takeSlot(length);
      if (slot !== null) return slot;
    }
    const size = kept.find(({ bytes }) => bytes >= length)?.bytes ?? length;
    return (this.#free.get(size)?.pop() ?? fresh(size)).subarray(0, length);
  }

  give(buffer: Buffer): void {
    this.#emptyWhenIdle();
    if (buffer.buffer === this.#slab) return void this.#freeSlots.push(buffer.byteOffset / slotBytes);
    const size = kept.find(({ bytes }) => bytes === buffer.buffer.byteLength);
    const free = this.#free.get(buffer.buffer.byteLength);
    const whole = Buffer.from(buffer.buffer);
    if (size !== undefined && free !== undefined && free.length < size.most) free.push(whole);
    else release(whole);
  }

  #takeSlot(length: number): Buffer | null {
    if (this.#slab === null) {
      this.#slab = sharedMemory(slotBytes * slots);
      this.#freeSlots = Array.from({ length: slots }, (_, slot) => slot);
    }
    const slot = this.#freeSlots.pop();
    return slot === undefined ? null : Buffer.from(this.#slab, slot * slotBytes, length);
  }

  #emptyWhenIdle(): void {
    if (this.#idle !== undefined) return void this.#idle.refresh();
    this.#idle = setTimeout(() => {
      this.#idle = undefined;
      // What is still out belongs to the old piece of memory, which goes when the last of it is not looked at.
      this.#slab = null;
      for (const free of this.#free.values()) for (const whole of free.splice(0)) release(whole);
    }, idleMs);
    this.#idle.unref();
  }
}

/** In whole pages, as `pageMemory`. */
function sharedMemory(size: number): SharedArrayBuffer {
  return new SharedArrayBuffer(size, { maxByteLength: size });
}

/** Small ones can be lent to the thread that reads small files; large ones go back to the system at once when they are not needed. */
function fresh(size: number): Buffer {
  return size <= smallFileBytes ? Buffer.from(sharedMemory(size)) : pageMemory(size);
}
