/**
 * Enough of a version's files to see which bytes it has in common with others, whatever its size: all files from a size on, and of the smaller ones those
 * whose hash is below 2^−level. Files with the same bytes have the same hash, so two versions sample the same files as far as both look (coordinated
 * sampling by hash threshold; Broder 1997, Cohen 1997).
 */
export interface FileSample {
  /** 0: every file is in it. */
  readonly level: number;
  /** Every file of at least this size is in it. */
  readonly completeFromBytes: number;
  /** Different bytes once, none empty. */
  readonly files: readonly SampledFile[];
}

export interface SampledFile {
  /** The first 52 bits of its SHA-256: a whole number that JavaScript counts exactly. */
  readonly hash: number;
  readonly sizeBytes: number;
}

const hashDigits = 13;
const sizeDigits = 12;
const fileDigits = hashDigits + sizeDigits;
/** Of each kind at most; both together fit into one message beside others. */
export const mostLargeFiles = 256;
export const mostSampledFiles = 512;
export const mostFileDigits = (mostLargeFiles + mostSampledFiles) * fileDigits;
/** Lower-case hexadecimal, 13 digits of the hash and 12 of the size for each file. */
export const filesPattern = new RegExp(`^(?:[0-9a-f]{${fileDigits}})*$`);

/** @param sha256 hexadecimal */
export function sampledHash(sha256: string): number {
  return Number.parseInt(sha256.slice(0, hashDigits), 16);
}

/** Whether a file of this hash is in every sample of the level, however small it is. */
export function isSampled(hash: number, level: number): boolean {
  return hash < 2 ** (4 * hashDigits - level);
}

export function writeFiles(files: readonly SampledFile[]): string {
  return files.map(({ hash, sizeBytes }) => hash.toString(16).padStart(hashDigits, '0') + sizeBytes.toString(16).padStart(sizeDigits, '0')).join('');
}

/** @param text as `filesPattern` */
export function readFiles(text: string): SampledFile[] {
  return Array.from({ length: text.length / fileDigits }, (_, at) => {
    const size = at * fileDigits + hashDigits;
    return { hash: Number.parseInt(text.slice(at * fileDigits, size), 16), sizeBytes: Number.parseInt(text.slice(size, size + sizeDigits), 16) };
  });
}
