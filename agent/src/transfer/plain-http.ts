/**
 * Node's HTTP without its web client. Importing `node:http` as a module reads all that it exports, also the lazy ones, and so loads undici: 0.8 MB of
 * source, 8 MB of memory in a process that never uses it.
 */
export const http = process.getBuiltinModule('node:http');

/** What asks an address: with TLS, 2.5 MB more, only where one begins so. */
export function clientFor(url: string): typeof http | typeof import('node:https') {
  return url.startsWith('https:') ? process.getBuiltinModule('node:https') : http;
}
