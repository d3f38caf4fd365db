/**
 * Makes the agent into one file, `build/main.js` with its parts beside it: `npm run build --workspace agent`. Does nothing where that is done already.
 * Whoever looks meanwhile sees the build before, or the new one.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Plugin } from 'vite';
import { builtFrom, isBuiltOf, sourceState } from './src/source-state.ts';

const here = import.meta.dirname;
const target = path.join(here, 'build');

/** V8 keeps a program as text as long as it runs, and with one letter beyond Latin-1 in it each takes two bytes. */
const inLatin1: Plugin = {
  name: 'in-latin1',
  generateBundle(_, bundle) {
    for (const part of Object.values(bundle))
      if (part.type === 'chunk') part.code = part.code.replace(/[\u0100-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  },
};

async function buildInto(directory: string): Promise<void> {
  const { build } = await import('vite');
  await build({
    configFile: false,
    root: here,
    logLevel: 'warn',
    plugins: [inLatin1],
    // The package is Node's own streams for browsers.
    resolve: { alias: { 'readable-stream': 'node:stream' } },
    // The binary of better-sqlite3 is found from beside its package.
    ssr: { noExternal: true, external: ['better-sqlite3'] },
    build: {
      ssr: true,
      outDir: directory,
      target: 'node24',
      sourcemap: true,
      rolldownOptions: {
        input: { main: path.join(here, 'src/built-main.ts'), 'small-file-thread': path.join(here, 'src/migrate/small-file-thread.ts') },
        // Node starts what is CommonJS with less of itself in memory: it maps 3 MB less than with the same as ES modules.
        // Names stay, for whoever reads a stack trace without its source map.
        output: { format: 'cjs', entryFileNames: '[name].js', chunkFileNames: '[name].js', minify: { compress: true, mangle: false, codegen: true } },
      },
    },
  });
}

const state = sourceState();
if (!isBuiltOf(target, state)) {
  const own = `${target}.${randomUUID()}`;
  try {
    await buildInto(own);
    writeFileSync(path.join(own, 'package.json'), '{ "type": "commonjs" }\n');
    writeFileSync(path.join(own, builtFrom), state ?? '');
    // Somebody else may have been quicker.
    if (!isBuiltOf(target, state)) {
      if (existsSync(target)) renameSync(target, `${own}.old`);
      renameSync(own, target);
    }
  } finally {
    for (const left of [own, `${own}.old`]) rmSync(left, { recursive: true, force: true });
  }
}
