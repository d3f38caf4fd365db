import { type FileSample, isSampled } from '@data-in-motion/shared/domain/file-sample';

/** What one version has in common with those that were looked at before it. */
export interface SharedWithOthers<Holder> {
  readonly files: number;
  readonly bytes: number;
  /** Of these, what is known to the byte; the rest is estimated. */
  readonly exactBytes: number;
  /** The estimate is off by more than this in one of twenty cases; 0 where all is exact. */
  readonly errorBytes: number;
  /** Which of them has most of it. */
  readonly mostWith: Holder;
}

interface Held<Holder> {
  readonly holder: Holder;
  readonly sizeBytes: number;
  /** Bytes of it that were counted so far, each sampled one for the many that it stands for. */
  counted: number;
}

const ninetyFivePercent = 1.96;
/** Files of all versions together; some 50 MB. */
const mostRemembered = 500_000;

/**
 * Counts bytes that several versions have in common, from their samples, each file once more than needed for each further version that has it.
 *
 * A file from the size on that all samples list completely is counted as it is. A smaller one is counted where its hash is below the threshold of the
 * least complete sample, for the 1 / threshold files that it stands for (Horvitz and Thompson 1952): the sum is right on the average, and its error is told
 * beside it. What is shared by so few files that no sample holds one of them is not seen.
 */
export class SharedFiles<Holder> {
  readonly #most: number;
  readonly #held = new Map<number, Held<Holder>>();
  #level = 0;
  #completeFromBytes = 0;
  #variance = 0;

  constructor(most = mostRemembered) {
    this.#most = most;
  }

  /** What the error of the sum over all versions is. */
  get errorBytes(): number {
    return ninetyFivePercent * Math.sqrt(this.#variance);
  }

  /** @param sample the most complete come first: what is known of one is known of all before it. Null where nothing in common is seen */
  add(holder: Holder, sample: FileSample): SharedWithOthers<Holder> | null {
    this.#level = Math.max(this.#level, sample.level);
    this.#completeFromBytes = Math.max(this.#completeFromBytes, sample.completeFromBytes);
    const stands = 2 ** this.#level;
    let [files, bytes, exactBytes, variance] = [0, 0, 0, 0];
    const withHolder = new Map<Holder, number>();
    for (const { hash, sizeBytes } of sample.files) {
      const times = sizeBytes >= this.#completeFromBytes ? 1 : isSampled(hash, this.#level) ? stands : 0;
      if (times === 0) continue;
      const held = this.#held.get(hash);
      if (held === undefined) {
        this.#held.set(hash, { holder, sizeBytes, counted: 0 });
        continue;
      }
      const counts = times * sizeBytes;
      files += times;
      bytes += counts;
      if (times === 1) exactBytes += counts;
      const unsure = 1 - 1 / times;
      variance += counts ** 2 * unsure;
      // The same file in a third version is drawn with the second, so their errors add up.
      this.#variance += ((held.counted + counts) ** 2 - held.counted ** 2) * unsure;
      held.counted += counts;
      withHolder.set(held.holder, (withHolder.get(held.holder) ?? 0) + counts);
    }
    if (this.#held.size > this.#most) this.#forget();
    const [most] = [...withHolder].sort((a, b) => b[1] - a[1]);
    return most === undefined ? null : { files, bytes, exactBytes, errorBytes: ninetyFivePercent * Math.sqrt(variance), mostWith: most[0] };
  }

  /** Looks less closely from here on: the largest quarter stays complete, of the others every second hash goes until there is room. */
  #forget(): void {
    const sizes = [...this.#held.values()].map(({ sizeBytes }) => sizeBytes).sort((a, b) => b - a);
    this.#completeFromBytes = Math.max(this.#completeFromBytes, sizes[Math.floor(this.#most / 4)]! + 1);
    while (this.#held.size > this.#most * 0.75) {
      this.#level++;
      for (const [hash, { sizeBytes }] of this.#held) if (sizeBytes < this.#completeFromBytes && !isSampled(hash, this.#level)) this.#held.delete(hash);
    }
  }
}
