/** Memory that comes from the system in whole pages and can go back there at once; other memory comes from a heap that stays large. */
export function pageMemory(bytes: number): Buffer {
  return Buffer.from(new ArrayBuffer(bytes, { maxByteLength: bytes }));
}

/** Give it back, when nobody looks at it any more, not even the kernel. Waiting for the collector keeps tens of megabytes of a process that has nothing to do. */
export function release({ buffer }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.resizable) buffer.resize(0);
}
