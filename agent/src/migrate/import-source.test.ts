import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isWithin, openImportSource } from './import-source.ts';

let home: string;
beforeEach(() => {
  home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dim-import-')));
  for (const name of ['allowed/data', 'allowed-old', 'allowed/target/x', 'outside']) fs.mkdirSync(path.join(home, name), { recursive: true });
});
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));
const open = (given: string) =>
  openImportSource(given, { importRoots: [path.join(home, 'allowed')], own: [path.join(home, 'allowed/target'), path.join(home, 'not/there')] });

test('a directory below an import root opens, by any way of writing it', async () => {
  for (const name of ['allowed/data', 'allowed/data/', 'outside/../allowed/./data']) {
    const source = await open(`${home}/${name}`);
    expect((await source.stat()).ino).toBe(fs.statSync(path.join(home, 'allowed/data'), { bigint: true }).ino);
    await source.close();
  }
});

test.each([
  ['a directory elsewhere', 'outside', 'import.outside-roots'],
  ['a name that only begins like a root', 'allowed-old', 'import.outside-roots'],
  ['a way up and out', 'allowed/../outside', 'import.outside-roots'],
  ['a place of ours', 'allowed/target/x', 'import.inside-target'],
  ['what contains a place of ours', 'allowed', 'import.around-target'],
  ['what is not there', 'allowed/nothing', 'source.gone'],
])('%s is refused', async (_, name, code) => {
  await expect(open(`${home}/${name}`)).rejects.toMatchObject({ kind: 'refused', code });
});

test('links do not lead out: a link by its own name, a link in the middle, a file, a relative path', async () => {
  fs.symlinkSync(path.join(home, 'outside'), path.join(home, 'allowed/way out'));
  fs.symlinkSync(path.join(home, 'allowed/data'), path.join(home, 'allowed/way in'));
  fs.mkdirSync(path.join(home, 'outside/deeper'));
  fs.writeFileSync(path.join(home, 'allowed/file'), '');
  await expect(open(`${home}/allowed/way out`)).rejects.toMatchObject({ code: 'import.link' });
  await expect(open(`${home}/allowed/way out/`)).rejects.toMatchObject({ code: 'import.link' });
  await expect(open(`${home}/allowed/way in`)).rejects.toMatchObject({ code: 'import.link' });
  await expect(open(`${home}/allowed/way out/deeper`)).rejects.toMatchObject({ code: 'import.outside-roots' });
  await expect(open(`${home}/allowed/file`)).rejects.toMatchObject({ code: 'import.no-directory' });
  await expect(open('allowed/data')).rejects.toMatchObject({ code: 'import.not-absolute' });
});

test('within is decided by names, not by letters', () => {
  expect(isWithin('/data', '/data')).toBe(true);
  expect(isWithin('/data/x', '/')).toBe(true);
  expect(isWithin('/data-old', '/data')).toBe(false);
  expect(isWithin('/data/..x', '/data')).toBe(true);
});
