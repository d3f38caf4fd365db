import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Failure } from '@data-in-motion/shared/failure';
import { newPrivateKeyPem, type SigningKey, signingKey } from '@data-in-motion/shared/signature';

/**
 * The key that signs orders, transfer tokens and certificates: made at the first start, mode 600; its public half lies beside it for who
 * checks certificates.
 *
 * @throws refused `key.open-to-others` when other users of the machine could read the file
 */
export function readSigningKey(home: string): SigningKey {
  const file = path.join(home, 'control-plane.key');
  if (!existsSync(file)) writeSecret(file, newPrivateKeyPem());
  refuseOpenFile(file);
  const key = signingKey(readFileSync(file, 'utf8'));
  const publicFile = path.join(home, 'control-plane.pub');
  if (!existsSync(publicFile)) writeFileSync(publicFile, key.publicKeyPem, { mode: 0o644 });
  return key;
}

/** Write a file that only its owner reads; it appears whole or not at all. */
export function writeSecret(file: string, text: string): void {
  const partial = `${file}.${process.pid}.partial`;
  writeFileSync(partial, text, { mode: 0o600 });
  chmodSync(partial, 0o600);
  renameSync(partial, file);
}

function refuseOpenFile(file: string): void {
  if ((statSync(file).mode & 0o077) !== 0) {
    throw new Failure('refused', { code: 'key.open-to-others', message: `Other users of this machine can read ${file}.`, hint: `chmod 600 ${file}` });
  }
}
