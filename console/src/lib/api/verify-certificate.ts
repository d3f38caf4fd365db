import type { CertificateBody, CertificateDocument } from '@data-in-motion/shared/api/operations';

export type CertificateCheck =
  | { readonly kind: 'genuine'; readonly body: CertificateBody; readonly keyId: string; readonly rootsEqual: boolean }
  | { readonly kind: 'forged'; readonly because: string }
  | { readonly kind: 'unsupported'; readonly because: string };

/** Check a certificate in this browser, over exactly the bytes that were signed: the server's own word is not asked. */
export async function verifyCertificate(document: CertificateDocument): Promise<CertificateCheck> {
  const der = bytesOfPem(document.publicKeyPem);
  if (globalThis.crypto?.subtle === undefined) return { kind: 'unsupported', because: 'This browser offers cryptography only over HTTPS or on localhost.' };
  const keyId = await thumbprint(der);
  if (keyId !== document.keyId) return { kind: 'forged', because: `The key is ${keyId}, the certificate names ${document.keyId}.` };
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey('spki', der, { name: 'Ed25519' }, false, ['verify']);
  } catch {
    return { kind: 'unsupported', because: 'This browser does not know Ed25519. Use: npx dim certificate verify FILE' };
  }
  const genuine = await crypto.subtle.verify('Ed25519', key, bytesOfBase64Url(document.signature), new TextEncoder().encode(document.body));
  if (!genuine) return { kind: 'forged', because: 'The signature does not belong to this text.' };
  const body = JSON.parse(document.body) as CertificateBody;
  return { kind: 'genuine', body, keyId, rootsEqual: body.replicas.every((replica) => replica.root === replica.verifiedRoot) };
}

/** First 16 bytes of SHA-256 over the key's DER form, as hex. */
async function thumbprint(der: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', der));
  return Array.from(digest.slice(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function bytesOfPem(pem: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(pem.replace(/-----[^-]+-----|\s/g, '')), (letter) => letter.charCodeAt(0));
}

function bytesOfBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
}
