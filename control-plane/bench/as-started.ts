import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const flags = readFileSync(path.resolve(import.meta.dirname, '../node-flags'), 'utf8')
  .trim()
  .split(' ');
/** As the image and the local fleet have it. */
const environment = { MALLOC_ARENA_MAX: '2', NODE_COMPILE_CACHE: path.join(tmpdir(), 'dim-compiled') };

/** Run a script of this folder in a process that is started like a control plane. @returns what it prints, as JSON */
export function runAsStarted<Printed>(script: string, args: readonly string[]): Printed {
  const all = [...flags, path.join(import.meta.dirname, script), ...args];
  return JSON.parse(execFileSync(process.execPath, all, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...environment } }));
}
