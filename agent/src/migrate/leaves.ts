import { createHash, hash } from 'node:crypto';

/** Files are cut into leaves of this size; the last one is shorter. */
export const leafBytes = 8 * 1_024 * 1_024;
export const hashBytes = 32;

const leafMark = Buffer.from([0]);
const nodeMark = Buffer.from([1]);
const entryMark = Buffer.from([2]);

/** SHA-256 over 0x00 and the bytes. The mark keeps a leaf from ever being taken for a node (RFC 6962, 2.1). */
export function leafHash(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(leafMark).update(bytes).digest();
}

/** SHA-256 over 0x02 and the canonical line of a manifest's entry. */
export function entryHash(line: string): Buffer {
  return createHash('sha256').update(entryMark).update(line).digest();
}

/** What stands for a file, or a dataset, without anything in it. */
export const emptyRoot: Buffer = hash('sha256', leafMark, 'buffer');

/** The hash of a whole leaf of zeros: such a leaf need not be read, sent or written. */
export const zeroLeafHash: Buffer = hashOfZeros();

export function leavesOf(sizeBytes: number): number {
  return Math.ceil(sizeBytes / leafBytes);
}

/** Bytes in the n-th leaf of a file. */
export function leafLength(sizeBytes: number, leaf: number): number {
  return Math.min(leafBytes, sizeBytes - leaf * leafBytes);
}

/**
 * Root of a list of hashes, added one by one; memory grows with the logarithm of their number.
 * The shape is RFC 6962's: the left side of every node is the largest power of two that leaves something for the right.
 */
export class MerkleRoot {
  #whole: { height: number; hash: Buffer }[] = [];

  add(hash: Buffer): void {
    let node = { height: 0, hash };
    for (let last = this.#whole.at(-1); last !== undefined && last.height === node.height; last = this.#whole.at(-1)) {
      this.#whole.pop();
      node = { height: node.height + 1, hash: nodeHash(last.hash, node.hash) };
    }
    this.#whole.push(node);
  }

  /** The root of what was added so far; more may be added after. */
  root(): Buffer {
    return this.#whole.map(({ hash }) => hash).reduceRight<Buffer | null>((right, left) => (right === null ? left : nodeHash(left, right)), null) ?? emptyRoot;
  }
}

export function merkleRoot(hashes: Iterable<Buffer>): Buffer {
  const tree = new MerkleRoot();
  for (const hash of hashes) tree.add(hash);
  return tree.root();
}

/** In pieces: a whole leaf of memory at every start would stay with the process. */
function hashOfZeros(): Buffer {
  const zeros = Buffer.alloc(65_536);
  const whole = createHash('sha256').update(leafMark);
  for (let done = 0; done < leafBytes; done += zeros.length) whole.update(zeros);
  return whole.digest();
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  return createHash('sha256').update(nodeMark).update(left).update(right).digest();
}
