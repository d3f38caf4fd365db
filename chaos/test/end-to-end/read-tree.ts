import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One thing below a directory, by its path; names are bytes, kept one to one in `latin1` text. */
export interface TreeEntry {
  /** `f`, `d`, `l` or `p`, as find(1) prints it. */
  readonly kind: string;
  readonly mode: string;
  /** Whole seconds; what is finer, and when a link was made, is not promised. */
  readonly modifiedSec: number;
  readonly linksTo: string;
  readonly sha256: string | undefined;
}

/** A tree as two programs that know nothing of ours see it: find(1) and sha256sum(1). Pipes and sockets are left out: they are no data. */
export async function readTree(directory: string): Promise<Map<string, TreeEntry>> {
  const [list, sums] = await Promise.all([
    bytesOf('find', [directory, '-mindepth', '1', '-not', '-type', 'p', '-printf', '%y\\t%m\\t%T@\\t%l\\t%P\\0']),
    bytesOf('sh', ['-c', 'cd "$1" && find . -type f -print0 | xargs -0 -r sha256sum -z', 'sh', directory]),
  ]);
  const hashes = new Map(records(sums).map((line) => [line.slice(68), line.slice(0, 64)]));
  return new Map(
    records(list).map((line) => {
      const [kind = '', mode = '', modified = '', linksTo = '', ...rest] = line.split('\t');
      const name = rest.join('\t');
      return [name, { kind, mode, modifiedSec: kind === 'l' ? 0 : Math.floor(Number(modified)), linksTo, sha256: hashes.get(name) }];
    }),
  );
}

/** What is different, in words, at most a few; empty when nothing is. */
export function treeDifferences(one: ReadonlyMap<string, TreeEntry>, other: ReadonlyMap<string, TreeEntry>): string[] {
  const names = [...new Set([...one.keys(), ...other.keys()])];
  return names
    .flatMap((name) => {
      const [here, there] = [one.get(name), other.get(name)];
      return JSON.stringify(here) === JSON.stringify(there) ? [] : [`${JSON.stringify(name)}: ${JSON.stringify(here)} and ${JSON.stringify(there)}`];
    })
    .slice(0, 10);
}

async function bytesOf(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(program, [...args], { encoding: 'buffer', maxBuffer: 256e6 });
  return stdout.toString('latin1');
}

function records(text: string): string[] {
  return text.split('\0').slice(0, -1);
}
