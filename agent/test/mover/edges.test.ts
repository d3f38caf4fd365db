import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type FaultHooks, noFaults } from '@data-in-motion/shared/domain/fault-hooks';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { MoverSettings } from '../../src/migrate/mover-settings.ts';
import { asOrdinaryUser, giveAway, isRoot, nobody } from '../ordinary-user.ts';
import { canMount, fillUp, onSmallDisk } from '../small-disk.ts';
import { id, importTo, OneAgent } from './one-agent.ts';
import { facts, plantTree } from './trees.ts';

const leaf = 8 * 1_024 * 1_024;
let home: string;
let source: string;
let one: OneAgent;
let before: FaultHooks['before'];
beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-edges-'));
  source = path.join(home, 'source');
  fs.mkdirSync(source);
  before = noFaults.before;
  one = new OneAgent(path.join(home, 'node-a'), ['one'], { faults: { ...noFaults, before: (operation, targetId) => before(operation, targetId) } });
});
afterEach(async () => {
  await one.stop();
  fs.rmSync(home, { recursive: true, force: true });
});

async function scanned() {
  const jobId = id();
  const found = await one.carryOut({ kind: 'scan', jobId, epoch: 1, datasetId: 'letters', source: { kind: 'directory', path: source } });
  if (found.event !== 'manifest') throw new Error(JSON.stringify(found));
  const { root, objects, bytes } = found;
  const destination = { targetId: 'one', datasetId: 'letters', replicaId: id() };
  return { kind: 'copy', jobId, epoch: 1, source: { kind: 'import' }, destination, versionId: id(), root, objects, bytes };
}
const placeOf = (order: { destination: { replicaId: string } }, ...rest: string[]): string => one.path('one', 'letters', order.destination.replicaId, ...rest);
const onceBefore = (operation: string, work: () => void): void => {
  let isDone = false;
  before = async (asked) => {
    if (asked !== operation || isDone) return;
    isDone = true;
    work();
  };
};

test('files of every size around nothing, the small and the leaf come out whole', async () => {
  const small = 1_024 * 1_024;
  for (const size of [0, 1, small - 1, small, small + 1, leaf - 1, leaf, leaf + 1, 2 * leaf])
    fs.writeFileSync(path.join(source, `of ${size}`), randomBytes(size));
  const { replicaId } = await importTo(one, source, 'one', 'letters');
  expect(facts(one.path('one', 'letters', replicaId))).toEqual(facts(source));
});

test('thousands of small files, most of them copied on another thread, come out whole, and one byte that turns is found', async () => {
  for (let i = 0; i < 2_000; i++) {
    if (i % 100 === 0) fs.mkdirSync(path.join(source, `d${i}`));
    fs.writeFileSync(path.join(source, `d${i - (i % 100)}`, `f${i}`), randomBytes((i * 37) % 3_000), { mode: i % 2 === 0 ? 0o644 : 0o600 });
  }
  const { replicaId, version } = await importTo(one, source, 'one', 'letters');
  expect(facts(one.path('one', 'letters', replicaId))).toEqual(facts(source));
  const target = { targetId: 'one', datasetId: 'letters', replicaId };
  fs.writeFileSync(one.path('one', 'letters', replicaId, 'd1900/f1999'), randomBytes((1_999 * 37) % 3_000));
  expect(await one.carryOut({ kind: 'verify', jobId: id(), epoch: 1, target, ...version })).toMatchObject({ event: 'mismatched', path: 'd1900/f1999' });
});

test.each([
  ['shrinks', () => fs.truncateSync(path.join(source, 'large/two leaves'), leaf)],
  ['grows in the middle of a leaf', () => fs.writeFileSync(path.join(source, 'large/two leaves'), randomBytes(2 * leaf))],
  ['loses a small file', () => fs.rmSync(path.join(source, 'many/3/file 10'))],
])('a source that %s while it is copied fails as changed, and nothing is placed', async (_, change) => {
  plantTree(source, 'two leaves');
  const order = await scanned();
  onceBefore('write', change);
  expect(await one.carryOut(order)).toMatchObject({ event: 'failed', class: 'source-changed', code: 'source.changed' });
  expect(fs.existsSync(one.path('one', 'letters'))).toBe(false);
});

test('what is appended while a copy runs is not of its version: the copy is the one that was scanned', async () => {
  plantTree(source, 'small');
  const order = await scanned();
  const scannedBytes = fs.readFileSync(path.join(source, 'a0'));
  onceBefore('write', () => fs.appendFileSync(path.join(source, 'a0'), 'more'));
  expect(await one.carryOut(order)).toMatchObject({ event: 'verified' });
  expect(fs.readFileSync(placeOf(order, 'a0'))).toEqual(scannedBytes);
});

test('a sync that fails costs what was written since the last one, and the next attempt writes it again', async () => {
  plantTree(source, 'small');
  const order = await scanned();
  let failing = true;
  before = async (operation) => {
    if (operation === 'sync' && failing) throw Object.assign(new Error('EIO: the medium did not take it'), { code: 'EIO' });
  };
  expect(await one.carryOut(order)).toMatchObject({ event: 'failed', class: 'device' });
  const staging = one.path('one', '.dim/staging', `${order.jobId}.1`);
  const left = fs.readdirSync(staging, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name !== 'second name');
  expect(left.map((entry) => entry.name)).toEqual([]);
  failing = false;
  expect(await one.carryOut({ ...order, epoch: 2 })).toMatchObject({ event: 'verified' });
  expect(facts(placeOf(order))).toEqual(facts(source));
  const copied = one.told.findLast((record) => record.type === 'job' && record.event === 'copied') as { movedBytes: number } | undefined;
  expect(copied?.movedBytes).toBeGreaterThanOrEqual(order.bytes);
});

test.skipIf(!canMount)('a disk that fills up in the middle of a copy is told as space, and there is room again later', async () => {
  plantTree(source, 'small');
  await onSmallDisk(one.path('one'), 3, async () => {
    const order = await scanned();
    onceBefore('write', () => void fillUp(one.path('one')));
    expect(await one.carryOut(order)).toMatchObject({ event: 'failed', class: 'space' });
    expect(fs.existsSync(one.path('one', 'letters'))).toBe(false);
    for (const kept of ['staging', 'manifests']) expect(fs.readdirSync(one.path('one', '.dim', kept))).toEqual([]);
    fs.rmSync(one.path('one', 'somebody else'));
    expect(await one.carryOut({ ...order, epoch: 2 })).toMatchObject({ event: 'verified' });
    expect(facts(placeOf(order))).toEqual(facts(source));
  });
});

test.skipIf(!canMount)('a list or a sample that the full state disk does not take is tried again, and nobody is sent to free space on a target', async () => {
  plantTree(source, 'small');
  const sample = { kind: 'sample', bytes: 1_000_000, seed: 1 };
  for (const [kind, from] of [
    ['scans', { kind: 'directory', path: source }],
    ['samples', sample],
  ] as const) {
    const place = path.join(one.home, 'state', kind);
    await onSmallDisk(place, 1, async () => {
      if (kind === 'scans') fillUp(place);
      const order = { kind: 'scan', jobId: id(), epoch: 1, datasetId: 'letters', source: from };
      const noSpace = { event: 'failed', class: 'transient', code: 'state.no-space', hint: expect.stringContaining('state directory') };
      expect(await one.carryOut(order)).toMatchObject(noSpace);
    });
  }
  expect(await one.carryOut({ kind: 'scan', jobId: id(), epoch: 1, datasetId: 'letters', source: sample })).toMatchObject({ event: 'manifest' });
});

/** The agent's state on a disk of its own, of which a file takes all that is left at the first sync of a copy. */
async function onFullState(settings: Partial<MoverSettings>, work: (order: Awaited<ReturnType<typeof scanned>>, makeRoom: () => void) => Promise<void>) {
  plantTree(source, 'small');
  const state = path.join(one.home, 'state');
  await one.stop();
  fs.rmSync(state, { recursive: true });
  await onSmallDisk(state, 4, async () => {
    one = new OneAgent(one.home, ['one'], { settings, faults: { ...noFaults, before: (operation, targetId) => before(operation, targetId) } });
    const order = await scanned();
    let filler = '';
    onceBefore('sync', () => {
      filler = fillUp(state);
    });
    await work(order, () => fs.rmSync(filler));
    expect(facts(placeOf(order))).toEqual(facts(source));
    expect(one.events(order.jobId)).not.toContain('failed');
    await one.stop();
  });
  one = new OneAgent(one.home, ['one']);
}

test.skipIf(!canMount)('a full disk under the state directory is not taken for a full target: the copy keeps what it has and goes on when there is room', () =>
  onFullState({ checkpointBytes: 200_000 }, async (order, makeRoom) => {
    one.order([order]);
    expect(await one.untilNoted('journal.disk-full')).toMatchObject({ ids: { jobId: order.jobId } });
    expect(fs.readdirSync(one.path('one', '.dim/staging'))).toEqual([`${order.jobId}.1`]);
    makeRoom();
    expect(await one.carryOut(order)).toMatchObject({ event: 'verified' });
  }),
);

test.skipIf(!canMount)('a copy that is done when its end can not be written down is told as done, and never as failed', () =>
  onFullState({}, async (order, makeRoom) => {
    one.order([order]);
    expect(await one.until(order.jobId, ['verified', 'failed'])).toMatchObject({ event: 'verified' });
    expect(await one.untilNoted('journal.disk-full')).toMatchObject({ ids: { jobId: order.jobId } });
    makeRoom();
    expect(await one.carryOut(order)).toMatchObject({ event: 'verified' });
  }),
);

test.skipIf(!canMount)('a copy that goes on counts what it still has to write, and not what it has written', async () => {
  plantTree(source, 'small');
  await onSmallDisk(one.path('one'), 3, async () => {
    await one.stop();
    one = new OneAgent(one.home, ['one'], {
      faults: { ...noFaults, before: (operation, targetId) => before(operation, targetId) },
      settings: { checkpointBytes: 200_000 },
    });
    const order = await scanned();
    let syncs = 0;
    before = async (operation) => {
      if (operation === 'sync' && ++syncs === 3) throw Object.assign(new Error('EIO: armed'), { code: 'EIO' });
    };
    expect(await one.carryOut(order)).toMatchObject({ event: 'failed', class: 'device' });
    const fill = (leftBytes: number): void => {
      const { bavail, bsize } = fs.statfsSync(one.path('one'));
      fs.writeFileSync(one.path('one', 'somebody else'), randomBytes(bavail * bsize - leftBytes));
    };
    fill(order.bytes - 100_000);
    expect(await one.carryOut({ ...order, epoch: 2 })).toMatchObject({ event: 'verified' });
    await one.stop();
    fs.rmSync(one.path('one', 'letters'), { recursive: true });
    fs.rmSync(one.path('one', 'somebody else'));
    one = new OneAgent(one.home, ['one'], {
      faults: { ...noFaults, before: (operation, targetId) => before(operation, targetId) },
      settings: { checkpointBytes: 200_000 },
    });
    syncs = 0;
    expect(await one.carryOut({ ...order, epoch: 3 })).toMatchObject({ event: 'failed', class: 'device' });
    fill(100_000);
    expect(await one.carryOut({ ...order, epoch: 4 })).toMatchObject({ event: 'failed', class: 'space', code: 'target.full' });
  });
});

if (!isRoot) console.log('not root: the test of files of other users is skipped');
test.skipIf(!isRoot)('what may not be read is left out, counted and named; what is another user’s and readable is copied', async () => {
  plantTree(source, 'small');
  fs.writeFileSync(path.join(source, 'secret'), 'x', { mode: 0o000 });
  fs.mkdirSync(path.join(source, 'locked'), { mode: 0o000 });
  fs.chmodSync(home, 0o755);
  giveAway(one.home);
  const order = await asOrdinaryUser(scanned);
  expect(one.told.find((record) => record.type === 'job' && record.event === 'manifest')).toMatchObject({
    unreadable: 2,
    notes: expect.arrayContaining(['2 entries could not be read and were left out', 'secret: unreadable: EACCES', 'locked: unreadable: no permission']),
  });
  expect(await asOrdinaryUser(() => one.carryOut(order))).toMatchObject({ event: 'verified' });
  const expected = facts(source);
  for (const left of ['secret', 'locked']) expected.delete(left);
  expect(facts(placeOf(order))).toEqual(expected);
});

test.skipIf(!isRoot)('an ordinary user makes a copy good that read back wrong in a directory without permission to write', async () => {
  plantTree(source, 'small');
  fs.chmodSync(home, 0o755);
  giveAway(one.home);
  const order = await asOrdinaryUser(scanned);
  onceBefore('read', () => {
    process.seteuid?.(0);
    fs.writeFileSync(placeOf(order, 'read only/file'), 'R');
    process.seteuid?.(nobody);
  });
  expect(await asOrdinaryUser(() => one.carryOut(order))).toMatchObject({ event: 'verified' });
  expect(one.events(order.jobId)).toContain('mismatched');
  expect(facts(placeOf(order))).toEqual(facts(source));
});

test.skipIf(!isRoot)('a file without any permission that can be read all the same is copied, and readable to its owner', async () => {
  fs.writeFileSync(path.join(source, 'closed'), 'bytes', { mode: 0o000 });
  const order = await scanned();
  expect(await one.carryOut(order)).toMatchObject({ event: 'verified' });
  expect(fs.readFileSync(placeOf(order, 'closed'), 'utf8')).toBe('bytes');
  expect(fs.statSync(placeOf(order, 'closed')).mode & 0o777).toBe(0o400);
});
