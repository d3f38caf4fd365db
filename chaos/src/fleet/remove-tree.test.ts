import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeTree } from './remove-tree.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'dim-tree-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Root may do anything: where the suite runs as root, somebody else does it. */
function asOrdinaryUser(work: () => void): void {
  const isRoot = process.getuid?.() === 0;
  const nobody = 65_534;
  if (isRoot) {
    execFileSync('chown', ['-hR', String(nobody), directory]);
    process.seteuid!(nobody);
  }
  try {
    work();
  } finally {
    if (isRoot) process.seteuid!(0);
  }
}

test('an ordinary user removes a tree with read-only directories, and nothing that a link in it names', () => {
  const tree = path.join(directory, 'tree');
  const outside = path.join(directory, 'outside');
  mkdirSync(path.join(tree, 'copy/deep'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(path.join(outside, 'kept'), 'kept');
  writeFileSync(path.join(tree, 'copy/deep/file'), 'x', { mode: 0o444 });
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/copy/deep/`), Buffer.from([0xff, 0x41])]), 'a name that is no text');
  symlinkSync(outside, path.join(tree, 'copy/link'));
  chmodSync(path.join(tree, 'copy/deep'), 0o555);
  chmodSync(path.join(tree, 'copy'), 0o555);
  asOrdinaryUser(() => removeTree(tree));
  expect(existsSync(tree)).toBe(false);
  expect(readdirSync(outside)).toEqual(['kept']);
});
