import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs';

const longestFileBytes = 10_000_000;
const keptFiles = 3;
const keptLines = 40;

/** A child's output in a file that can not fill the disk: `x.log`, the one before in `x.log.1`, and so on. */
export class BoundedLog {
  readonly #file: string;
  #descriptor: number;
  #writtenBytes = 0;
  #tail: string[] = [];

  constructor(file: string) {
    this.#file = file;
    this.#rotate();
    this.#descriptor = openSync(file, 'w', 0o600);
  }

  write(chunk: Buffer | string): void {
    const bytes = Buffer.from(chunk);
    if (this.#writtenBytes + bytes.length > longestFileBytes) {
      closeSync(this.#descriptor);
      this.#rotate();
      this.#descriptor = openSync(this.#file, 'w', 0o600);
      this.#writtenBytes = 0;
    }
    this.#writtenBytes += writeSync(this.#descriptor, bytes);
    this.#tail = [
      ...this.#tail,
      ...bytes
        .toString()
        .split('\n')
        .filter((line) => line.trim() !== ''),
    ].slice(-keptLines);
  }

  /** The last lines, oldest first, for saying why a process ended. */
  tail(lines = 8): string[] {
    return this.#tail.slice(-lines);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #rotate(): void {
    for (let age = keptFiles - 1; age >= 0; age--) {
      const from = age === 0 ? this.#file : `${this.#file}.${age}`;
      if (existsSync(from)) renameSync(from, `${this.#file}.${age + 1}`);
    }
  }
}
