/** Money is US dollars; a GB is 10^9 bytes; a month is 730 hours, as the public clouds bill. */
export const bytesPerGb = 1e9;
export const hoursPerMonth = 730;

/** What one target costs. All are at least 0. */
export interface Prices {
  readonly storagePerGbMonth: number;
  readonly readsPer1000: number;
  readonly writesPer1000: number;
  /** For bytes that leave the target's site or provider. */
  readonly egressPerGb: number;
  /** For bytes that are read out of the class at all, on top of requests and egress: what the infrequent classes ask for. */
  readonly retrievalPerGb: number;
  /** Bytes deleted earlier are billed up to here. */
  readonly minimumDays: number;
  /** Every object is billed as if it had at least so many bytes; 0 where it is billed as it is. */
  readonly minimumObjectBytes: number;
}

/** One line of the versioned price book; the newest `validFromMs` that is not in the future counts. */
export interface PriceEntry {
  /** What targets name: `onprem-nvme`, `aws-s3-standard` … A price class is of one region: where prices differ, the name does too. */
  readonly priceClass: string;
  readonly validFromMs: number;
  readonly prices: Prices;
  /** In words: whose list, which region, when it was read. */
  readonly source: string;
}

/** The line that counts for a class at a moment; undefined when the book does not know the class yet. */
export function lineAt<Line extends Pick<PriceEntry, 'priceClass' | 'validFromMs'>>(
  book: readonly Line[],
  priceClass: string,
  nowMs: number,
): Line | undefined {
  let found: Line | undefined;
  for (const entry of book) {
    if (entry.priceClass !== priceClass || entry.validFromMs > nowMs) continue;
    if (found === undefined || entry.validFromMs >= found.validFromMs) found = entry;
  }
  return found;
}

/** The prices of a class at a moment; undefined when the book does not know the class yet. */
export function pricesAt(book: readonly PriceEntry[], priceClass: string, nowMs: number): Prices | undefined {
  return lineAt(book, priceClass, nowMs)?.prices;
}

/** The book with one line more, in the place of the one of the same class and date where there is one. */
export function withLine<Line extends Pick<PriceEntry, 'priceClass' | 'validFromMs'>>(book: readonly Line[], line: Line): Line[] {
  return [...book.filter((entry) => entry.priceClass !== line.priceClass || entry.validFromMs !== line.validFromMs), line];
}
