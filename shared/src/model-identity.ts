import { createHash } from 'node:crypto';

/** SHA-256 over a model's JSON text as it travels, as hex: who gets it compares this before believing that it is whole. */
export function artifactHash(artifactText: string): string {
  return createHash('sha256').update(artifactText).digest('hex');
}

/** What a model's content is called: the first 12 hex digits of the SHA-256 of its JSON text without its name. The order of its fields counts. */
export function contentVersion(artifact: object): string {
  return artifactHash(JSON.stringify({ ...artifact, version: '' })).slice(0, 12);
}
