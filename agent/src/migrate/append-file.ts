import { type FileHandle, open } from 'node:fs/promises';

const bufferBytes = 256 * 1_024;

/** A file that only grows at its end, written in large pieces. */
export class AppendFile {
  readonly #handle: FileHandle;
  #pieces: Buffer[] = [];
  #waiting = 0;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Starts empty: what an earlier, killed writer left under this name is overwritten. */
  static async create(path: string): Promise<AppendFile> {
    return new AppendFile(await open(path, 'w', 0o600));
  }

  async add(piece: Buffer | string): Promise<void> {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    this.#pieces.push(bytes);
    this.#waiting += bytes.length;
    if (this.#waiting >= bufferBytes) await this.#flush();
  }

  /** On stable storage when this resolves. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#handle.sync();
    await this.#handle.close();
  }

  async discard(): Promise<void> {
    await this.#handle.close();
  }

  async #flush(): Promise<void> {
    if (this.#waiting === 0) return;
    const bytes = Buffer.concat(this.#pieces, this.#waiting);
    this.#pieces = [];
    this.#waiting = 0;
    await this.#handle.appendFile(bytes);
  }
}
