/** Lists of so many numbers in memory that threads can share. */
export const sharedFloats = (count: number): Float64Array => new Float64Array(new SharedArrayBuffer(8 * count));
export const sharedInts = (count: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count));
export const sharedShorts = (count: number): Int16Array => new Int16Array(new SharedArrayBuffer(2 * count));
export const sharedWords = (count: number): Uint16Array => new Uint16Array(new SharedArrayBuffer(2 * count));
export const sharedBytes = (count: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(count));

export function isShared({ buffer }: { readonly buffer: ArrayBufferLike }): boolean {
  return buffer instanceof SharedArrayBuffer;
}
