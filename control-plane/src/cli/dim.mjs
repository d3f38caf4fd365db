#!/usr/bin/env node
/** The command `dim`: plain JavaScript, so that an old Node can still hand over to the one that came with the packages. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);
const packages = path.resolve(path.dirname(here), '../../../node_modules');
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning') console.error(`${warning.name}: ${warning.message}`);
  });
  // What was compiled once is kept: two thirds of a short command's time. Where it can not be kept, the command only takes longer.
  module.enableCompileCache(path.join(packages, '.cache/compiled'));
  await import('./dim.ts');
} else {
  const node = path.join(packages, '.bin/node');
  if (!existsSync(node)) {
    console.error(
      `dim needs Node 22.18 or newer; this is ${process.versions.node}.\nRun npm ci in ${path.resolve(path.dirname(here), '../../..')}: it brings one along.`,
    );
    process.exit(1);
  }
  const ended = spawnSync(node, [here, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exit(ended.status ?? 130);
}
