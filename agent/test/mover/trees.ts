import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** What lies below a directory, found out without any of the mover's code: kind, bytes by SHA-256, link targets, numbers of shared files. Names in latin1, so that any byte survives. */
export function facts(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const inodes = new Map<bigint, string>();
  const visit = (directory: Buffer, prefix: string): void => {
    const names = fs.readdirSync(directory, { encoding: 'buffer' }).map((name) => name.toString('latin1'));
    for (const name of names.sort()) {
      const at = Buffer.concat([directory, Buffer.from(`/${name}`, 'latin1')]);
      const stat = fs.lstatSync(at, { bigint: true });
      const key = prefix + name;
      if (stat.isDirectory()) {
        found.set(key, `directory ${(stat.mode & 0o777n).toString(8)}`);
        visit(at, `${key}/`);
      } else if (stat.isSymbolicLink()) found.set(key, `link ${fs.readlinkSync(at, { encoding: 'buffer' }).toString('latin1')}`);
      else if (!stat.isFile()) found.set(key, 'special');
      else if (stat.nlink > 1n && inodes.has(stat.ino)) found.set(key, `same as ${inodes.get(stat.ino)}`);
      else {
        inodes.set(stat.ino, key);
        found.set(
          key,
          `file ${(stat.mode & 0o777n).toString(8)} ${stat.size} ${createHash('sha256').update(fs.readFileSync(at)).digest('hex')} ${Number(stat.mtimeMs).toFixed(1)}`,
        );
      }
    }
  };
  visit(Buffer.from(root), '');
  return found;
}

/** A tree with everything that makes copying hard: odd names and sizes, links, holes, an order that is not the order of names. */
export function plantTree(root: string, size: 'several leaves' | 'two leaves' | 'small' = 'several leaves'): void {
  const write = (name: string, bytes: Buffer | string): void => {
    const at = Buffer.from(`${root}/${name}`, 'latin1');
    fs.mkdirSync(at.subarray(0, at.lastIndexOf(0x2f)), { recursive: true });
    fs.writeFileSync(at, bytes);
  };
  const filled = (sizeBytes: number, salt: number): Buffer => {
    const bytes = Buffer.alloc(sizeBytes);
    for (let i = 0; i < sizeBytes; i += 997) bytes[i] = (i * 31 + salt) & 0xff;
    return bytes;
  };
  write('a/inner.txt', 'below a');
  write('a-b', 'sorts before what is in a');
  write('a.c/deep/er/file', 'x');
  write('a0', 'after');
  write('empty', '');
  write('with space and ünïcode', 'text');
  write('not utf8 \xff\xfe\x80', 'bytes');
  write('new\nline', 'control');
  const leaf = size === 'several leaves' ? 8 * 1_024 * 1_024 : 8_192;
  if (size === 'two leaves') write('large/two leaves', filled(8 * 1_024 * 1_024 + 100_000, 3));
  write('large/three leaves', filled(2.5 * leaf, 7));
  write('large/exactly one leaf', filled(leaf, 1));
  write('large/one more byte', filled(leaf + 1, 2));
  for (let i = 0; i < 60; i++) write(`many/${i % 7}/file ${i}`, filled(i * 311, i));
  fs.mkdirSync(path.join(root, 'empty directory'));
  fs.symlinkSync('a/inner.txt', path.join(root, 'link'));
  fs.symlinkSync('/etc/passwd', path.join(root, 'absolute link'));
  fs.symlinkSync('nowhere', path.join(root, 'dangling'));
  fs.symlinkSync('a', path.join(root, 'link to directory'));
  fs.linkSync(path.join(root, 'many/3/file 3'), path.join(root, 'many/5/second name'));
  const sparse = fs.openSync(path.join(root, 'sparse'), 'w');
  fs.ftruncateSync(sparse, 5 * leaf);
  fs.writeSync(sparse, 'in the middle', 2 * leaf + 77);
  fs.closeSync(sparse);
  fs.chmodSync(path.join(root, 'many/1/file 8'), 0o640);
  fs.mkdirSync(path.join(root, 'read only'));
  fs.writeFileSync(path.join(root, 'read only/file'), 'r');
  fs.chmodSync(path.join(root, 'read only/file'), 0o444);
  fs.chmodSync(path.join(root, 'read only'), 0o555);
  fs.utimesSync(path.join(root, 'a0'), 1_000_000_000, 1_000_000_000.25);
}
