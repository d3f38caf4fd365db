import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';

const repository = path.resolve(import.meta.dirname, '../..');
let copy: string;

/** A repository of its own, whose sources may be changed. */
beforeAll(() => {
  copy = mkdtempSync(path.join(tmpdir(), 'dim-built-'));
  for (const place of ['agent/src', 'agent/build-agent.ts', 'agent/package.json', 'shared/src', 'shared/package.json', 'package-lock.json', 'package.json'])
    cpSync(path.join(repository, place), path.join(copy, place), { recursive: true });
  // The packages, and in place of ours those of the copy.
  mkdirSync(path.join(copy, 'node_modules/@data-in-motion'), { recursive: true });
  for (const name of readdirSync(path.join(repository, 'node_modules')))
    if (name !== '@data-in-motion') symlinkSync(path.join(repository, 'node_modules', name), path.join(copy, 'node_modules', name));
  symlinkSync(path.join(copy, 'shared'), path.join(copy, 'node_modules/@data-in-motion/shared'));
  node('agent/build-agent.ts');
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const inCopy = (file: string): string => path.join(copy, 'agent', file);

function node(...args: string[]): { said: string; complained: string } {
  const { stdout, stderr } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], { cwd: copy, encoding: 'utf8' });
  return { said: stdout, complained: stderr };
}

function change(file: string, from: string, to: string): void {
  const text = readFileSync(inCopy(file), 'utf8');
  expect(text).toContain(from);
  writeFileSync(inCopy(file), text.replace(from, to));
}

const help = (): { said: string; complained: string } => node('agent/build/main.js', '--help');

test('a built agent starts and has nothing to say of it', () => {
  expect(help()).toEqual({ said: expect.stringContaining('Usage:'), complained: '' });
});

test('where the sources are others than it was built of, they run and it says so, until it is built anew', () => {
  change('src/command-line.ts', 'Usage:', 'How to use it:');
  expect(help()).toEqual({ said: expect.stringContaining('How to use it:'), complained: expect.stringContaining('npm run build --workspace agent') });
  expect(node('agent/build-agent.ts').complained).toBe('');
  expect(help()).toEqual({ said: expect.stringContaining('How to use it:'), complained: '' });
});

test.each([
  ['a source that came', () => writeFileSync(inCopy('src/new.ts'), 'export {};\n')],
  ['a source that left', () => rmSync(inCopy('src/new.ts'))],
  ['another package', () => writeFileSync(path.join(copy, 'package-lock.json'), '{}\n')],
])('%s makes a build old', (_, happens) => {
  happens();
  expect(help().complained).toContain('older than the sources');
  node('agent/build-agent.ts');
  expect(help().complained).toBe('');
});

test('a test that changed leaves a build as good as it was, and it is not made again', () => {
  writeFileSync(inCopy('src/config.test.ts'), '');
  writeFileSync(inCopy('build/mark'), '');
  node('agent/build-agent.ts');
  expect(readdirSync(inCopy('build'))).toContain('mark');
  expect(help().complained).toBe('');
});

test('without sources beside it, as in the image, it is what there is', () => {
  cpSync(inCopy('build'), path.join(copy, 'image/agent/build'), { recursive: true });
  expect(node('image/agent/build/main.js', '--help')).toEqual({ said: expect.stringContaining('use it:'), complained: '' });
});

test('no part of it takes two bytes for a letter, and nothing of an attempt is left', () => {
  const parts = readdirSync(inCopy('build')).filter((name) => name.endsWith('.js'));
  expect(parts).toEqual(expect.arrayContaining(['command-line.js', 'main.js', 'small-file-thread.js']));
  for (const part of parts) expect(/[\u0100-\uffff]/.test(readFileSync(inCopy(`build/${part}`), 'utf8')), part).toBe(false);
  expect(readdirSync(inCopy('.')).sort()).toEqual(['build', 'build-agent.ts', 'package.json', 'src']);
});

test('the thread for small files stands where the built agent looks for it', async () => {
  const [, name] = /new URL\(`\.\/([\w-]+)\$\{/.exec(readFileSync(inCopy('build/command-line.js'), 'utf8'))!;
  const thread = new Worker(inCopy(`build/${name}.js`));
  const [first] = await once(thread, 'message');
  expect(first).toBe('ready');
  await thread.terminate();
});
