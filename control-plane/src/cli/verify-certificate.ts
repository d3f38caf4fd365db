import { type CertificateBody, certificateBody, certificateDocument } from '@data-in-motion/shared/api/operations';
import { isSignedBy, keyThumbprint } from '@data-in-motion/shared/signature';

export interface Check {
  readonly says: string;
  readonly holds: boolean;
  /** What was found; empty when there is nothing to add. */
  readonly detail: string;
}

export interface Verdict {
  /** Undefined when the file is no certificate at all. */
  readonly body: CertificateBody | undefined;
  readonly checks: readonly Check[];
  readonly holds: boolean;
  /** Whose key it is can only be said against a key that is known from elsewhere. */
  readonly signer: 'known' | 'unknown' | 'another';
}

/**
 * Check an evacuation certificate without a server.
 *
 * @param text the file
 * @param trustedKeyId thumbprint of the control plane's key, known from elsewhere; undefined when it is not at hand
 */
export function verifyCertificate(text: string, trustedKeyId: string | undefined): Verdict {
  const document = certificateDocument.safeParse(parseJson(text));
  if (!document.success) return refused('the file is a certificate: a JSON object of body, signature, keyId and publicKeyPem', 'it is not');
  const { publicKeyPem, keyId } = document.data;
  const thumbprint = thumbprintOf(publicKeyPem);
  const signer = trustedKeyId === undefined ? 'unknown' : trustedKeyId === thumbprint ? 'known' : 'another';
  const body = certificateBody.safeParse(parseJson(document.data.body));
  const checks: Check[] = [
    { says: 'the signature is over exactly this text, by the key inside', holds: isSignedBy(document.data, publicKeyPem), detail: '' },
    { says: 'the key has the thumbprint that the certificate names', holds: thumbprint === keyId, detail: keyId },
    ...(signer === 'unknown'
      ? []
      : [
          {
            says: 'the key is that of the control plane known here',
            holds: signer === 'known',
            detail: signer === 'known' ? '' : `known here is ${trustedKeyId}`,
          },
        ]),
    { says: 'the text says what an evacuation certificate must', holds: body.success, detail: body.success ? '' : (body.error.issues[0]?.message ?? '') },
    ...(body.success ? contentChecks(body.data) : []),
  ];
  return { body: body.success ? body.data : undefined, checks, holds: checks.every((check) => check.holds), signer };
}

function contentChecks(body: CertificateBody): Check[] {
  const left = new Set(body.device.targetIds);
  const { replicas } = body;
  return [
    all('each copy was read back at its new place and had the root of its manifest', replicas, (one) => one.verifiedRoot === one.root),
    all(
      'each copy left a target of this device and went to one that is not on it',
      replicas,
      (one) => left.has(one.from.targetId) && !left.has(one.to.targetId),
    ),
    // A copy is read back before the switch and again before the old one may leave; the certificate names the later time.
    all(
      'each new copy was read back and switched to before the old one left',
      replicas,
      (one) => one.retiredAtMs === null || (one.switchedAtMs !== null && one.switchedAtMs <= one.retiredAtMs && one.verifiedAtMs <= one.retiredAtMs),
    ),
    all(
      'an old copy that did not leave says why',
      replicas,
      (one) => body.emptyAtMs === null || one.retiredAtMs !== null || one.keptBecause !== null || one.switchedAtMs !== null,
    ),
    {
      says: 'the device was empty only after every copy had a new place',
      holds:
        body.emptyAtMs === null ||
        (body.alarm.atMs <= body.emptyAtMs && replicas.every((one) => one.switchedAtMs !== null && one.switchedAtMs <= body.emptyAtMs!)),
      detail: body.emptyAtMs === null ? 'it is not empty yet' : '',
    },
    { says: 'the readings are in order of time', holds: inOrder(body.readings.map((reading) => reading.atMs)), detail: '' },
  ];
}

function all(says: string, replicas: CertificateBody['replicas'], holds: (replica: CertificateBody['replicas'][number]) => boolean): Check {
  const bad = replicas.filter((replica) => !holds(replica));
  return {
    says,
    holds: bad.length === 0,
    detail: bad.length === 0 ? `${replicas.length} copies` : `not so for ${bad.map((one) => `${one.datasetId} on ${one.from.targetId}`).join(', ')}`,
  };
}

function inOrder(moments: readonly number[]): boolean {
  return moments.every((one, i) => i === 0 || moments[i - 1]! <= one);
}

function refused(says: string, detail: string): Verdict {
  return { body: undefined, checks: [{ says, holds: false, detail }], holds: false, signer: 'unknown' };
}

function thumbprintOf(publicKeyPem: string): string | undefined {
  try {
    return keyThumbprint(publicKeyPem);
  } catch {
    return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
