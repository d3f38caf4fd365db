import type { CertificateBody } from '@data-in-motion/shared/api/operations';
import { newPrivateKeyPem, signBody, signingKey } from '@data-in-motion/shared/signature';
import { expect, test } from 'vitest';
import { aCertificate } from './testdata/certificate.ts';
import { verifyCertificate } from './verify-certificate.ts';

const key = signingKey(newPrivateKeyPem());
const replica = aCertificate.replicas[0]!;

function written(body: CertificateBody, change: Record<string, unknown> = {}): string {
  return JSON.stringify({ ...signBody(JSON.stringify(body), key), publicKeyPem: key.publicKeyPem, ...change });
}
const failing = (text: string): string[] =>
  verifyCertificate(text, key.keyId)
    .checks.filter((check) => !check.holds)
    .map((check) => check.says);

test('an honest certificate holds, and its signer is known when the key is', () => {
  expect(verifyCertificate(written(aCertificate), key.keyId)).toMatchObject({ holds: true, signer: 'known' });
  expect(verifyCertificate(written(aCertificate), undefined)).toMatchObject({ holds: true, signer: 'unknown' });
});

test.each<[string, CertificateBody, RegExp]>([
  ['another root at the new place', { ...aCertificate, replicas: [{ ...replica, verifiedRoot: 'cd'.repeat(32) }] }, /root of its manifest/],
  ['a new place on the same device', { ...aCertificate, replicas: [{ ...replica, to: { ...replica.to, targetId: 'berlin-disk' } }] }, /one that is not on it/],
  ['an old copy that left before the new one was read back', { ...aCertificate, replicas: [{ ...replica, verifiedAtMs: 4_500 }] }, /before the old one left/],
  ['an old copy that left without a switch', { ...aCertificate, replicas: [{ ...replica, switchedAtMs: null }], emptyAtMs: null }, /before the old one left/],
  ['empty before the last switch', { ...aCertificate, emptyAtMs: 2_500 }, /every copy had a new place/],
  ['readings out of order', { ...aCertificate, readings: [...aCertificate.readings].reverse() }, /order of time/],
])('%s is found, although the signature is right', (_, body, says) => {
  expect(failing(written(body))).toEqual([expect.stringMatching(says)]);
});

test('a text that was changed after signing, another key, or no certificate at all does not hold', () => {
  expect(failing(written(aCertificate, { body: JSON.stringify({ ...aCertificate, emptyAtMs: 5_001 }) }))).toEqual([expect.stringContaining('signature')]);
  const other = signingKey(newPrivateKeyPem());
  expect(failing(written(aCertificate, { ...signBody(JSON.stringify(aCertificate), other), publicKeyPem: other.publicKeyPem }))).toEqual([
    expect.stringContaining('known here'),
  ]);
  expect(failing(written(aCertificate, { keyId: '0'.repeat(32) }))).toEqual([expect.stringContaining('thumbprint')]);
  expect(failing(written(aCertificate, { publicKeyPem: 'none' })).length).toBeGreaterThan(1);
  for (const text of ['', '[]', '{"body":1}', 'x'.repeat(1000)]) expect(verifyCertificate(text, undefined).holds).toBe(false);
});
