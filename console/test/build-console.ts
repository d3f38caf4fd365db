import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

/** Build the console when there is no build, or when a source is newer than it. */
export function buildConsole(): void {
  const index = path.join(root, 'build/index.html');
  const newest = ['src', 'static']
    .flatMap((folder) => readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => path.join(root, folder, name)))
    .concat(path.join(root, 'vite.config.ts'))
    .reduce((latest, file) => Math.max(latest, statSync(file).mtimeMs), 0);
  if (existsSync(index) && statSync(index).mtimeMs >= newest) return;
  // Vitest says "test" here, with which the build would be a slower and larger one than people get.
  const env = { ...process.env, NODE_ENV: 'production' };
  execFileSync(process.execPath, [path.resolve(root, '../node_modules/vite/bin/vite.js'), 'build'], { cwd: root, env, stdio: 'ignore' });
}
