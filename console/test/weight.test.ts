import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

const build = path.resolve(import.meta.dirname, '../build');
const built = existsSync(path.join(build, 'index.html'));
if (!built) process.stdout.write('console/test/weight: skipped, the console is not built (npm run build --workspace console)\n');
const firstLoadBytes = 60_000;

/** A script and all that it imports at once, before anything is visited. */
function withImports(name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  const text = readFileSync(path.join(build, name), 'utf8');
  for (const [, specifier = ''] of text.matchAll(/(?:^|[;}\s])(?:import|export)\s*(?:[^'"()]*?from\s*)?["'](\.[^"']+)["']/g))
    withImports(path.posix.join(path.posix.dirname(name), specifier), found);
  return found;
}

test.skipIf(!built)('the first page needs at most 60 kB of script, gzipped', () => {
  const html = readFileSync(path.join(build, 'index.html'), 'utf8');
  const entries = [...html.matchAll(/(?:href|src)="\/([^"]+\.js)"/g)].map((match) => match[1]!);
  // The Fleet page is what an empty address opens: its own part is loaded at once as well.
  const app = readFileSync(path.join(build, entries.find((name) => name.includes('/entry/app.'))!), 'utf8');
  const pages = [...app.matchAll(/["']\.\.\/(nodes\/[02]\.[^"']+\.js)["']/g)].map((match) => `_app/immutable/${match[1]}`);
  expect(pages.length).toBeGreaterThanOrEqual(2);
  const scripts = new Set([...entries, ...pages].flatMap((name) => [...withImports(name)]));
  const sizes = [...scripts].map((name) => gzipSync(readFileSync(path.join(build, name))).length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  process.stdout.write(`console: first load ${(total / 1000).toFixed(1)} kB of script in ${scripts.size} files\n`);
  expect(total).toBeLessThanOrEqual(firstLoadBytes);
});

test.skipIf(!built)('the page holds no script or style of its own, so that a strict policy needs no exception', () => {
  const html = readFileSync(path.join(build, 'index.html'), 'utf8');
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/);
  expect(html).not.toMatch(/<style|\sstyle=/);
  expect(html).not.toMatch(/https?:\/\//);
});

test.skipIf(!built)('no script asks another host for anything', () => {
  const files = readdirSync(path.join(build, '_app'), { recursive: true, encoding: 'utf8' }).filter((name) => /\.(js|css)$/.test(name));
  const hosts = files.flatMap((name) =>
    [...readFileSync(path.join(build, '_app', name), 'utf8').matchAll(/(?:src|href|url|import|fetch)\s*[(=:]\s*["'`]?(https?:\/\/[^"'`\s)]+)/g)].map(
      (match) => match[1],
    ),
  );
  expect(hosts).toEqual([]);
});
