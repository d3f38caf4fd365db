/** So many different files are remembered at most: 2^20 places of 8 bytes, three quarters full. */
const mostPlaces = 2 ** 20;
const fullAt = 0.75;
export const mostFilesRemembered = mostPlaces * fullAt;

/**
 * Counts the files of one scan whose bytes are those of a file before. It remembers 64 bits of each file's SHA-256: that two different files among
 * a million share them is a chance of 3 in 10^8. Memory ends at 8 MiB; after so many different files no further one is remembered, and what is
 * counted is the least there is.
 */
export class DuplicateCount {
  /** Files that are not the first with their bytes, and what they hold; empty files are alike and hold nothing. */
  objects = 0;
  bytes = 0;
  /** All different files are remembered: the count is exact. */
  isExact = true;
  #remembered = 0;
  #table = new Uint32Array(2 * 1_024);
  readonly #mostPlaces: number;

  constructor(atMost = mostPlaces) {
    this.#mostPlaces = atMost;
  }

  /** @param sha256 of all bytes of the file, hexadecimal */
  saw(sha256: string, sizeBytes: number): void {
    if (sizeBytes === 0) return;
    const high = Number.parseInt(sha256.slice(0, 8), 16);
    // Two zeros mean a free place.
    const low = Number.parseInt(sha256.slice(8, 16), 16) || 1;
    const place = placeOf(this.#table, high, low);
    if (this.#table[place + 1] !== 0) {
      this.objects++;
      this.bytes += sizeBytes;
      return;
    }
    this.#remember(place, high, low);
  }

  #remember(place: number, high: number, low: number): void {
    const places = this.#table.length / 2;
    if (this.#remembered < places * fullAt) {
      put(this.#table, place, high, low);
      this.#remembered++;
    } else if (places < this.#mostPlaces) {
      this.#grow();
      this.#remember(placeOf(this.#table, high, low), high, low);
    } else this.isExact = false;
  }

  #grow(): void {
    const larger = new Uint32Array(this.#table.length * 2);
    for (let at = 0; at < this.#table.length; at += 2) {
      const [high, low] = [this.#table[at]!, this.#table[at + 1]!];
      if (low !== 0) put(larger, placeOf(larger, high, low), high, low);
    }
    this.#table = larger;
  }
}

/** Where the pair is, or the free place where it belongs: the first from its own on. There is always a free one. */
function placeOf(table: Uint32Array, high: number, low: number): number {
  const mask = table.length / 2 - 1;
  for (let place = low & mask; ; place = (place + 1) & mask) {
    const at = place * 2;
    if (table[at + 1] === 0 || (table[at] === high && table[at + 1] === low)) return at;
  }
}

function put(table: Uint32Array, at: number, high: number, low: number): void {
  table[at] = high;
  table[at + 1] = low;
}
