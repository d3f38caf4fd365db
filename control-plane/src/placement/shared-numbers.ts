/** Lists of so many numbers in memory that threads can share. */
export const sharedFloats = (count: number): Float64Array => new Float64Array(new SharedArrayBuffer(8 * count));
export const sharedInts = (count: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count));
export const sharedShorts = (count: number): Int16Array => new Int16Array(new SharedArrayBuffer(2 * count));
export const sharedWords = (count: number): Uint16Array => new Uint16Array(new SharedArrayBuffer(2 * count));
export const sharedBytes = (count: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(count));

type Numbers = Float64Array | Int32Array | Int16Array | Uint16Array | Uint8Array;

/** The same numbers in memory that threads can share; the list itself where it lies there. */
export function shared<List extends Numbers>(list: List): List {
  if (list.buffer instanceof SharedArrayBuffer) return list;
  const copy = new (list.constructor as new (buffer: SharedArrayBuffer) => List)(new SharedArrayBuffer(list.byteLength));
  copy.set(list);
  return copy;
}
