#!/usr/bin/env node
/** The command `dim`: plain JavaScript, so that an old Node can still hand over to the one that came with the packages. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning') console.error(`${warning.name}: ${warning.message}`);
  });
  await import('./dim.ts');
} else {
  const here = fileURLToPath(import.meta.url);
  const packages = path.resolve(path.dirname(here), '../../../node_modules');
  const node = path.join(packages, '.bin/node');
  if (!existsSync(node)) {
    console.error(
      `dim needs Node 22.18 or newer; this is ${process.versions.node}.\nRun npm ci in ${path.resolve(path.dirname(here), '../../..')}: it brings one along.`,
    );
    process.exit(1);
  }
  const ended = spawnSync(node, [here, ...process.argv.slice(2)], {
    stdio: 'inherit',
    // What was compiled once is kept: a third of the time of a short command.
    env: { NODE_COMPILE_CACHE: path.join(packages, '.cache/compiled'), ...process.env },
  });
  process.exit(ended.status ?? 130);
}
