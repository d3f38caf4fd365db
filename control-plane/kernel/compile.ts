/**
 * Compiles the innermost loop of placing, `look-at-rows.ts`, and writes it where the control plane reads it:
 *
 *     npm run kernel --workspace control-plane
 *
 * The same source gives the same bytes; a test holds the two together.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import asc from 'assemblyscript/asc';

const source = 'look-at-rows.ts';
export const compiledAt = path.join(import.meta.dirname, '../src/placement/compiled-look.ts');

/** @returns the text of the module that holds it; an Error with what the compiler says where the source is wrong */
export async function compiledLook(): Promise<string> {
  let wasm = new Uint8Array();
  const { error, stderr } = await asc.main([source, '--outFile', 'look.wasm', '-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'], {
    readFile: (name) => (name === source ? readFileSync(path.join(import.meta.dirname, source), 'utf8') : null),
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') wasm = Uint8Array.from(contents);
    },
    listFiles: () => [],
  });
  if (error !== null) throw new Error(`${source} can not be compiled:\n${stderr.toString()}`, { cause: error });
  const lines =
    Buffer.from(wasm)
      .toString('base64')
      .match(/.{1,150}/g) ?? [];
  return `/** The loop of \`kernel/${source}\`, compiled by \`kernel/compile.ts\`: WebAssembly in base64. */\nexport const compiledLook =\n${lines.map((line) => `  '${line}'`).join(' +\n')};\n`;
}

if (import.meta.main) writeFileSync(compiledAt, await compiledLook());
