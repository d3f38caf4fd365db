import { leafBytes } from './leaves.ts';

/** Sizes in which memory is kept, with how many of each: most files are small, and leaves are 8 MiB. */
const kept = [
  { bytes: 64 * 1_024, most: 32 },
  { bytes: 1_024 * 1_024, most: 8 },
  { bytes: leafBytes, most: 4 },
];

/**
 * Memory that is used again. Without it every leaf is new memory, the collector comes late, and an agent that needs 40 MB takes 300.
 * Who takes a buffer gives it back when nobody looks at it any more; one that is never given back is only collected.
 */
export class LeafBuffers {
  readonly #free = new Map<number, Buffer[]>(kept.map(({ bytes }) => [bytes, []]));

  /** A buffer of exactly this length, with anything in it. */
  take(length: number): Buffer {
    const size = kept.find(({ bytes }) => bytes >= length)?.bytes ?? length;
    return (this.#free.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size)).subarray(0, length);
  }

  give(buffer: Buffer): void {
    const whole = Buffer.from(buffer.buffer);
    const size = kept.find(({ bytes }) => bytes === whole.length);
    const free = this.#free.get(whole.length);
    if (size !== undefined && free !== undefined && free.length < size.most) free.push(whole);
  }
}
