import { type FileSample, isSampled, mostLargeFiles, mostSampledFiles, type SampledFile, sampledHash } from '@data-in-motion/shared/domain/file-sample';

/** Sizes beyond what a sample writes down (256 TiB) do not occur; they would be told as this. */
const mostBytes = 2 ** 48 - 1;

/** Takes the sample of one scan, in memory for some thousand files, whatever their number. */
export class FileSampler {
  readonly #mostSampled: number;
  readonly #mostLarge: number;
  #level = 0;
  #sampled = new Map<number, number>();
  #completeFromBytes = 0;
  #large = new Map<number, number>();

  constructor(mostSampled = mostSampledFiles, mostLarge = mostLargeFiles) {
    this.#mostSampled = mostSampled;
    this.#mostLarge = mostLarge;
  }

  /** @param sha256 of all bytes of the file, hexadecimal */
  saw(sha256: string, sizeBytes: number): void {
    if (sizeBytes === 0) return;
    const [hash, size] = [sampledHash(sha256), Math.min(sizeBytes, mostBytes)];
    if (isSampled(hash, this.#level)) this.#sampled.set(hash, size);
    while (this.#sampled.size > this.#mostSampled) this.#thin();
    if (size >= this.#completeFromBytes) this.#large.set(hash, size);
    // Sorting now and then, not with each file.
    if (this.#large.size > 4 * this.#mostLarge) this.#keepLargest();
  }

  /** The same for the same files, in whatever order they were seen. */
  sample(): FileSample {
    this.#keepLargest();
    const files = [...new Map([...this.#sampled, ...this.#large])].map(([hash, sizeBytes]): SampledFile => ({ hash, sizeBytes }));
    return { level: this.#level, completeFromBytes: this.#completeFromBytes, files: files.sort((a, b) => a.hash - b.hash) };
  }

  #thin(): void {
    this.#level++;
    for (const hash of this.#sampled.keys()) if (!isSampled(hash, this.#level)) this.#sampled.delete(hash);
  }

  /** Of files of one size all stay or none: only so is the list complete from a size on. */
  #keepLargest(): void {
    if (this.#large.size <= this.#mostLarge) return;
    const sizes = [...this.#large.values()].sort((a, b) => b - a);
    this.#completeFromBytes = sizes[this.#mostLarge]! + 1;
    for (const [hash, size] of this.#large) if (size < this.#completeFromBytes) this.#large.delete(hash);
  }
}
