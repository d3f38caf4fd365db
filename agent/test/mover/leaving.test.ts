import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { Directory } from '../../src/migrate/directory.ts';
import { id, importTo, OneAgent } from './one-agent.ts';
import { facts, plantTree } from './trees.ts';

let home: string;
let agent: OneAgent;
let first: Awaited<ReturnType<typeof importTo>>;
beforeEach(async () => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-leaving-'));
  const source = path.join(home, 'source');
  fs.mkdirSync(source);
  plantTree(source, 'small');
  agent = new OneAgent(path.join(home, 'node-a'), ['fast']);
  first = await importTo(agent, source, 'fast', 'letters');
});
afterEach(async () => {
  await agent.stop();
  fs.rmSync(home, { recursive: true, force: true });
});
const target = () => ({ targetId: 'fast', datasetId: 'letters', replicaId: first.replicaId });
const permit = (kind: 'retire' | 'purge', change: object = {}) => ({
  kind,
  jobId: id(),
  epoch: 1,
  permitId: id(),
  target: target(),
  root: first.version.root,
  validForMs: 60_000,
  ...change,
});
const live = (...rest: string[]): string => agent.path('fast', 'letters', first.replicaId, ...rest);
const trash = (...rest: string[]): string => agent.path('fast', '.dim/trash', first.replicaId, ...rest);

test('a copy leaves by two permits: into the trash, whole, and then for good; current does not name it any more', async () => {
  await agent.carryOut({ kind: 'activate', jobId: first.jobId, epoch: 1, destination: target(), rev: 1, certificate: 'c' });
  const before = facts(live());
  expect(await agent.carryOut(permit('retire'))).toMatchObject({ event: 'trashed' });
  expect(fs.existsSync(live())).toBe(false);
  expect(facts(trash())).toEqual(before);
  expect(fs.readdirSync(agent.path('fast', 'letters'))).toEqual([]);
  expect(await agent.migrator.inventory()).toMatchObject([{ replicas: [{ replicaId: first.replicaId, place: 'trash' }] }]);
  expect(await agent.carryOut(permit('purge'))).toMatchObject({ event: 'purged', freedBytes: first.version.bytes });
  expect(fs.readdirSync(agent.path('fast', '.dim/trash'))).toEqual([]);
  expect(fs.readdirSync(agent.path('fast', '.dim/manifests'))).toEqual([]);
  expect(await agent.carryOut(permit('purge'))).toMatchObject({ event: 'purged', freedBytes: 0 });
});

test('a copy that somebody wrote to is a conflict and stays, byte for byte', async () => {
  fs.appendFileSync(live('a0'), 'written by an application');
  const before = facts(live());
  expect(await agent.carryOut(permit('retire'))).toMatchObject({ event: 'conflict', path: 'a0' });
  expect(facts(live())).toEqual(before);
});

test('a copy that is known to be bad leaves with the bytes that rotted, and stays with any that somebody wrote', async () => {
  const { atime, mtime, size } = fs.statSync(live('a0'));
  rot(live('many/1/file 8'));
  fs.rmSync(live('a-b'));
  fs.appendFileSync(live('a0'), 'written by an application');
  expect(await agent.carryOut(permit('retire', { knownBad: true }))).toMatchObject({ event: 'conflict', path: 'a0' });
  fs.truncateSync(live('a0'), size);
  expect(await agent.carryOut(permit('retire', { knownBad: true }))).toMatchObject({ event: 'conflict', path: 'a0', detail: 'was written at another time' });
  fs.utimesSync(live('a0'), atime, mtime);
  expect(await agent.carryOut(permit('retire'))).toMatchObject({ event: 'conflict' });
  expect(await agent.carryOut(permit('retire', { knownBad: true }))).toMatchObject({ event: 'trashed' });
  expect(await agent.carryOut(permit('purge'))).toMatchObject({ event: 'conflict' });
  expect(await agent.carryOut(permit('purge', { knownBad: true }))).toMatchObject({ event: 'purged' });
});

/** Another byte, with size and time as they were. */
function rot(file: string): void {
  const { atime, mtime } = fs.statSync(file);
  const fd = fs.openSync(file, 'r+');
  fs.writeSync(fd, 'Z', 100);
  fs.closeSync(fd);
  fs.utimesSync(file, atime, mtime);
}

test.each([
  ['a new file', () => fs.writeFileSync(live('new'), 'x')],
  ['a file that is gone', () => fs.rmSync(live('a-b'))],
  [
    'a link that points elsewhere',
    () => {
      fs.rmSync(live('link'));
      fs.symlinkSync('elsewhere', live('link'));
    },
  ],
  [
    'a directory instead of a file',
    () => {
      fs.rmSync(live('empty'));
      fs.mkdirSync(live('empty'));
    },
  ],
  [
    'a link instead of a directory',
    () => {
      fs.rmSync(live('empty directory'), { recursive: true });
      fs.symlinkSync('a', live('empty directory'));
    },
  ],
  [
    'a second name that became a file of its own',
    () => {
      fs.rmSync(live('many/5/second name'));
      fs.copyFileSync(live('many/3/file 3'), live('many/5/second name'));
    },
  ],
  ['a byte changed with size and time put back', () => rot(live('many/1/file 8'))],
])('verification finds %s', async (_, change) => {
  change();
  const { root, objects, bytes, versionId } = first.version;
  expect(await agent.carryOut({ kind: 'verify', jobId: id(), epoch: 1, target: target(), root, objects, bytes, versionId })).toMatchObject({
    event: 'mismatched',
    found: 'corrupt',
  });
  expect(await agent.carryOut(permit('retire'))).toMatchObject({ event: 'conflict' });
});

test('a comparison that ends early keeps no directory open', async () => {
  const source = path.join(home, 'many');
  fs.mkdirSync(path.join(source, 'd'), { recursive: true });
  for (let i = 0; i < 200; i++) fs.writeFileSync(path.join(source, `d/${i}`), 'x');
  const { replicaId, version } = await importTo(agent, source, 'fast', 'letters');
  fs.writeFileSync(agent.path('fast', 'letters', replicaId, 'd/0'), 'y');
  const order = { kind: 'verify', epoch: 1, target: { ...target(), replicaId }, ...version };
  for (let i = 0; i < 3; i++) expect(await agent.carryOut({ ...order, jobId: id() })).toMatchObject({ event: 'mismatched', path: 'd/0' });
  await agent.stop();
  const open = fs.readdirSync('/proc/self/fd').map((fd) => nameOf(`/proc/self/fd/${fd}`));
  expect(open.filter((name) => name.startsWith(home))).toEqual([]);
  agent = new OneAgent(agent.home, ['fast']);
});

/** Empty for what was closed meanwhile. */
function nameOf(descriptor: string): string {
  try {
    return fs.readlinkSync(descriptor);
  } catch {
    return '';
  }
}

test('two names of one file are found to be one, however late the disk says which file it is', async () => {
  const { lstat } = Directory.prototype;
  const slow = vi.spyOn(Directory.prototype, 'lstat').mockImplementation(async function (this: Directory, name) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return lstat.call(this, name);
  });
  onTestFinished(() => slow.mockRestore());
  const { root, objects, bytes, versionId } = first.version;
  expect(await agent.carryOut({ kind: 'verify', jobId: id(), epoch: 1, target: target(), root, objects, bytes, versionId })).toMatchObject({
    event: 'verified',
  });
});

test('a replica that is gone is found missing, and without its manifest it is kept', async () => {
  fs.renameSync(agent.path('fast', '.dim/manifests', `${first.replicaId}.jsonl`), path.join(home, 'aside'));
  expect(await agent.carryOut(permit('retire'))).toMatchObject({ event: 'kept' });
  expect(fs.existsSync(live())).toBe(true);
  fs.rmSync(live(), { recursive: true });
  const { root, objects, bytes, versionId } = first.version;
  expect(await agent.carryOut({ kind: 'verify', jobId: id(), epoch: 1, target: target(), root, objects, bytes, versionId })).toMatchObject({
    event: 'mismatched',
    found: 'missing',
  });
});

test('a write through a descriptor that was open before the copy left is found in the trash, and nothing is deleted', async () => {
  const fd = fs.openSync(live('a0'), 'r+');
  await agent.carryOut(permit('retire'));
  fs.writeSync(fd, 'LATE!');
  fs.closeSync(fd);
  const before = facts(trash());
  expect(await agent.carryOut(permit('purge'))).toMatchObject({ event: 'conflict', path: 'a0' });
  expect(facts(trash())).toEqual(before);
});

test('a permit that waited too long, or was used for another copy, moves nothing', async () => {
  expect(await agent.carryOut(permit('retire', { validForMs: 0.0001 }))).toMatchObject({ event: 'failed', class: 'conflict', code: 'permit.expired' });
  const source = path.join(home, 'source');
  const second = await importTo(agent, source, 'fast', 'letters');
  const permitId = id();
  expect(await agent.carryOut(permit('retire', { permitId, target: { ...target(), replicaId: second.replicaId } }))).toMatchObject({ event: 'trashed' });
  expect(await agent.carryOut(permit('retire', { permitId }))).toMatchObject({ event: 'failed', code: 'permit.reused' });
  expect(fs.existsSync(live('a0'))).toBe(true);
});

test('a purge touches the trash alone: a live copy with the same name stays', async () => {
  expect(await agent.carryOut(permit('purge'))).toMatchObject({ event: 'conflict' });
  expect(fs.existsSync(live('a0'))).toBe(true);
  const { root, objects, bytes, versionId } = first.version;
  expect(await agent.carryOut({ kind: 'verify', jobId: id(), epoch: 1, target: target(), root, objects, bytes, versionId })).toMatchObject({
    event: 'verified',
  });
});

test('a copy that never counted goes from its place at once, bytes that rotted or not, and stays with any that somebody wrote', async () => {
  fs.appendFileSync(live('a0'), 'written by an application');
  expect(await agent.carryOut(permit('purge', { neverCounted: true }))).toMatchObject({ event: 'conflict', path: 'a0' });
  expect(fs.readFileSync(trash('a0'), 'utf8')).toContain('written by an application');
  const second = await importTo(agent, path.join(home, 'source'), 'fast', 'letters');
  rot(agent.path('fast', 'letters', second.replicaId, 'many/1/file 8'));
  const leave = permit('purge', { neverCounted: true, target: { ...target(), replicaId: second.replicaId } });
  expect(await agent.carryOut({ ...leave, validForMs: 0.0001 })).toMatchObject({ event: 'failed', code: 'permit.expired' });
  expect(await agent.carryOut({ ...leave, epoch: 2, root: '0'.repeat(64) })).toMatchObject({ event: 'conflict' });
  expect(await agent.carryOut({ ...leave, epoch: 3, permitId: id() })).toMatchObject({ event: 'purged', freedBytes: second.version.bytes });
  expect(fs.readdirSync(agent.path('fast', 'letters'))).toEqual([]);
  expect(fs.readdirSync(agent.path('fast', '.dim/manifests')).filter((name) => name.startsWith(second.replicaId))).toEqual([]);
  expect(await agent.carryOut({ ...leave, epoch: 4, permitId: id() })).toMatchObject({ event: 'purged', freedBytes: 0 });
});

test('a copy that readers were switched to is not taken for one that never counted', async () => {
  await agent.carryOut({ kind: 'activate', jobId: first.jobId, epoch: 1, destination: target(), rev: 1, certificate: 'c' });
  expect(await agent.carryOut(permit('purge', { neverCounted: true }))).toMatchObject({ event: 'conflict' });
  const { replicaId } = await importTo(agent, path.join(home, 'source'), 'fast', 'letters');
  fs.rmSync(agent.path('fast', 'letters/current'));
  fs.symlinkSync(replicaId, agent.path('fast', 'letters/current'));
  expect(await agent.carryOut(permit('purge', { neverCounted: true, target: { ...target(), replicaId } }))).toMatchObject({ event: 'conflict' });
  expect(fs.readdirSync(agent.path('fast', 'letters')).sort()).toEqual([first.replicaId, replicaId, 'current'].sort());
  expect(fs.readdirSync(agent.path('fast', '.dim/trash'))).toEqual([]);
});

test('of a copy that was given up half-way the purge removes what is in staging', async () => {
  const { root, objects, bytes, versionId } = first.version;
  const replicaId = id();
  const order = {
    kind: 'copy',
    jobId: id(),
    epoch: 1,
    source: { kind: 'local-replica', targetId: 'fast', replicaId: first.replicaId },
    versionId,
    root,
    objects,
    bytes,
  };
  rot(live('many/1/file 8'));
  expect(await agent.carryOut({ ...order, destination: { ...target(), replicaId } })).toMatchObject({ event: 'failed', class: 'integrity' });
  expect(fs.readdirSync(agent.path('fast', '.dim/staging'))).toHaveLength(1);
  const newer = `${order.jobId}.2`;
  fs.mkdirSync(agent.path('fast', '.dim/staging', newer));
  expect(await agent.carryOut(permit('purge', { neverCounted: true, target: { ...target(), replicaId } }))).toMatchObject({ event: 'purged', freedBytes: 0 });
  expect(fs.readdirSync(agent.path('fast', '.dim/staging'))).toEqual([newer]);
  expect(fs.readdirSync(agent.path('fast', '.dim/manifests')).sort()).toEqual([`${first.replicaId}.jsonl`, `${first.replicaId}.leaves`]);
});

test.each(['', '.leaving'])(
  'a job that is given another target leaves the manifest of the copy that is just leaving the one before, in the trash as *%s',
  async (ending) => {
    await agent.stop();
    agent = new OneAgent(agent.home, ['fast', 'slow']);
    fs.renameSync(live(), `${trash()}${ending}`);
    const files = () => fs.readdirSync(agent.path('fast', '.dim/manifests')).sort();
    const before = files();
    const elsewhere = { kind: 'copy', jobId: first.jobId, epoch: 2, source: { kind: 'import' }, ...first.version };
    expect(await agent.carryOut({ ...elsewhere, destination: { ...target(), targetId: 'slow', replicaId: id() } })).toMatchObject({ event: 'verified' });
    expect(files()).toEqual(before);
    expect(before).toContain(`${first.replicaId}.jsonl`);
  },
);

test('an old order to activate does not turn the link back', async () => {
  const second = await importTo(agent, path.join(home, 'source'), 'fast', 'letters');
  const activate = (replicaId: string, jobId: string, rev: number) => ({
    kind: 'activate',
    jobId,
    epoch: 1,
    destination: { ...target(), replicaId },
    rev,
    certificate: 'c',
  });
  await agent.carryOut(activate(second.replicaId, second.jobId, 5));
  expect(await agent.carryOut(activate(first.replicaId, first.jobId, 4))).toMatchObject({ event: 'activated' });
  expect(fs.readlinkSync(agent.path('fast', 'letters/current'))).toBe(second.replicaId);
});
