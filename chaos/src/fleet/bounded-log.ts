import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs';

const longestFileBytes = 10_000_000;
const keptFiles = 3;
const keptLines = 40;

/**
 * A child's output in a file that can not fill the disk: `x.log`, the one before in `x.log.1`, and so on.
 * On a disk that is full, or fails, what comes is missing in the file until there is room again; the last lines are known all the same.
 */
export class BoundedLog {
  readonly #file: string;
  #descriptor: number | undefined;
  #writtenBytes = 0;
  #tail: string[] = [];

  constructor(file: string) {
    this.#file = file;
    // At once, also for a child that says nothing: the file named so is this run's.
    this.#unlessFull(() => this.#begin());
  }

  write(chunk: Buffer | string): void {
    const bytes = Buffer.from(chunk);
    this.#tail = [
      ...this.#tail,
      ...bytes
        .toString()
        .split('\n')
        .filter((line) => line.trim() !== ''),
    ].slice(-keptLines);
    this.#unlessFull(() => {
      if (this.#descriptor === undefined || this.#writtenBytes + bytes.length > longestFileBytes) this.#begin();
      this.#writtenBytes += writeSync(this.#descriptor!, bytes);
    });
  }

  /** The last lines, oldest first, for saying why a process ended. */
  tail(lines = 8): string[] {
    return this.#tail.slice(-lines);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** Its supervisor must outlive a full disk, and has nobody else to tell. */
  #unlessFull(act: () => void): void {
    try {
      act();
    } catch {
      // Tried again with the next chunk.
    }
  }

  /** Older files move on only when there is one to make room for: tries that fail on a full disk cost none of them. */
  #begin(): void {
    this.close();
    for (let age = keptFiles - 1; age >= 0 && existsSync(this.#file); age--) {
      const from = age === 0 ? this.#file : `${this.#file}.${age}`;
      if (existsSync(from)) renameSync(from, `${this.#file}.${age + 1}`);
    }
    this.#descriptor = openSync(this.#file, 'w', 0o600);
    this.#writtenBytes = 0;
  }
}
