import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptyRoot, leafBytes, leafHash, leafLength, leavesOf, MerkleRoot, merkleRoot, zeroLeafHash } from './leaves.ts';

/** RFC 6962, section 2.1, word for word: the slow way. */
function rfcRoot(hashes: readonly Buffer[]): Buffer {
  if (hashes.length === 0)
    return createHash('sha256')
      .update(Buffer.from([0]))
      .digest();
  if (hashes.length === 1) return hashes[0]!;
  let k = 1;
  while (k * 2 < hashes.length) k *= 2;
  return createHash('sha256')
    .update(Buffer.from([1]))
    .update(rfcRoot(hashes.slice(0, k)))
    .update(rfcRoot(hashes.slice(k)))
    .digest();
}

const hashes = fc.array(
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
  { maxLength: 70 },
);

test('the root of any list is the one of RFC 6962', () => {
  fc.assert(
    fc.property(hashes, (list) => {
      expect(merkleRoot(list)).toEqual(rfcRoot(list));
    }),
  );
});

test('asking for the root in between changes nothing', () => {
  fc.assert(
    fc.property(hashes, (list) => {
      const tree = new MerkleRoot();
      for (const hash of list) {
        tree.add(hash);
        tree.root();
      }
      expect(tree.root()).toEqual(rfcRoot(list));
    }),
  );
});

test('a leaf of two hashes is not the node above them', () => {
  const [a, b] = [leafHash(Buffer.from('a')), leafHash(Buffer.from('b'))];
  expect(leafHash(Buffer.concat([a, b]))).not.toEqual(merkleRoot([a, b]));
});

test('leaves cover every size exactly', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5 * 2 ** 40 }), (sizeBytes) => {
      const count = leavesOf(sizeBytes);
      const last = count === 0 ? 0 : leafLength(sizeBytes, count - 1);
      expect(Math.max(0, count - 1) * leafBytes + last).toBe(sizeBytes);
      if (count > 0) expect(last).toBeGreaterThan(0);
    }),
  );
  expect(merkleRoot([])).toEqual(emptyRoot);
  expect(zeroLeafHash).toEqual(leafHash(new Uint8Array(leafBytes)));
});
