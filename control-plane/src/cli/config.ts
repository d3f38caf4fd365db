import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Failure } from '@data-in-motion/shared/failure';

/** Where the control plane is and who we are there. */
export interface Access {
  readonly home: string;
  readonly url: string;
  /** Undefined when none was given and none was found; the server then says what it needs. */
  readonly key: string | undefined;
}

/** The key and address of the fleet on this machine are found by themselves; `--url`, `--key` and the environment stand over them. */
export function findAccess(given: { url?: string | undefined; key?: string | undefined }, environment: NodeJS.ProcessEnv = process.env): Access {
  const home = path.resolve(environment.DIM_HOME || path.resolve(import.meta.dirname, '../../../.dim'));
  const url =
    given.url ?? (environment.DIM_URL || undefined) ?? firstLine(path.join(home, 'address')) ?? `http://127.0.0.1:${environment.DIM_HTTP_PORT || 8080}`;
  if (!/^https?:\/\/[^/]/.test(url))
    throw new Failure('refused', { code: 'url.invalid', message: `"${url}" is not an address of a control plane.`, hint: 'Write it as http://host:port.' });
  return { home, url, key: given.key ?? (environment.DIM_API_KEY || undefined) ?? firstLine(path.join(home, 'admin.key')) };
}

/** What a program that we start may see of our environment: all of it, it is the same person's. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  return process.env;
}

function firstLine(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').split('\n')[0]!.trim() || undefined;
  } catch {
    return undefined;
  }
}
