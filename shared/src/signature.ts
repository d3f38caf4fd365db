import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';

/** A text and the Ed25519 signature over exactly these bytes; what is signed is never re-serialised before it is checked. */
export interface Signed {
  readonly body: string;
  /** base64url */
  readonly signature: string;
  /** Thumbprint of the public key, see `keyThumbprint`. */
  readonly keyId: string;
}

export interface SigningKey {
  readonly privateKey: KeyObject;
  /** SPKI, PEM */
  readonly publicKeyPem: string;
  readonly keyId: string;
}

/** A fresh Ed25519 key as PEM, for a file of mode 600. */
export function newPrivateKeyPem(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

export function signingKey(privateKeyPem: string): SigningKey {
  const privateKey = createPrivateKey(privateKeyPem);
  const publicKeyPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string;
  return { privateKey, publicKeyPem, keyId: keyThumbprint(publicKeyPem) };
}

/** First 16 bytes of SHA-256 over the DER form, as hex: what people compare and documents name. */
export function keyThumbprint(publicKeyPem: string): string {
  const der = createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex').slice(0, 32);
}

export function signBody(body: string, key: SigningKey): Signed {
  return { body, signature: sign(null, Buffer.from(body), key.privateKey).toString('base64url'), keyId: key.keyId };
}

/** True when the signature is over this body by this key; a broken signature or key is false, not an exception. */
export function isSignedBy(signed: Signed, publicKeyPem: string): boolean {
  try {
    return verify(null, Buffer.from(signed.body), createPublicKey(publicKeyPem), Buffer.from(signed.signature, 'base64url'));
  } catch {
    return false;
  }
}
