import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** The repository, from here and from agent/build alike. */
const root = path.resolve(import.meta.dirname, '../..');
/** All that goes into the built agent, and what builds it. */
const inputs = ['agent/src', 'shared/src', 'agent/build-agent.ts', 'package-lock.json'];
/** The agent has no part of the HTTP interface in it, and none of its tests. */
const apart = /^shared\/src\/api\/|\.(test|contract)\.ts$|\/testdata\//;

/**
 * What an agent would be built of now: each file with its size and the moment of its last change, not its content, since every start of a built
 * agent compares it. A file that only got another moment makes a build count as old, which costs a second; the other way round it does not happen.
 *
 * @returns null where there are no sources, as in the image
 */
export function sourceState(): string | null {
  if (!existsSync(path.join(root, 'agent/src'))) return null;
  return inputs
    .flatMap(filesBelow)
    .filter((file) => !apart.test(file))
    .map((file) => {
      const { size, mtimeMs } = statSync(path.join(root, file));
      return `${file} ${size} ${mtimeMs}\n`;
    })
    .join('');
}

/** Whether what was built into a directory is what would be built now. */
export function isBuiltOf(directory: string, state: string | null): boolean {
  const stamp = path.join(directory, builtFrom);
  return existsSync(stamp) && (state === null || readFileSync(stamp, 'utf8') === state);
}

/** File of a build that says of what it was made. */
export const builtFrom = 'built-from.txt';

function filesBelow(input: string): string[] {
  const place = path.join(root, input);
  if (statSync(place).isFile()) return [input];
  const names = readdirSync(place, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return names.flatMap((entry) => (entry.isDirectory() ? filesBelow(`${input}/${entry.name}`) : [`${input}/${entry.name}`]));
}
