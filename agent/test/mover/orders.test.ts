import { createHash } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '@data-in-motion/shared/clock';
import type { FaultHooks } from '@data-in-motion/shared/domain/fault-hooks';
import { noFaults } from '@data-in-motion/shared/domain/fault-hooks';
import { Failure } from '@data-in-motion/shared/failure';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AgentOptions, id, importTo, OneAgent } from './one-agent.ts';
import { facts, plantTree } from './trees.ts';

let home: string;
let source: string;
let agents: OneAgent[] = [];
beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-orders-'));
  source = path.join(home, 'source');
  fs.mkdirSync(source);
});
afterEach(async () => {
  for (const agent of agents) await agent.stop();
  agents = [];
  fs.rmSync(home, { recursive: true, force: true });
});
function agent(options: AgentOptions = {}): OneAgent {
  const started = new OneAgent(path.join(home, 'node-a'), ['one', 'two'], options);
  agents.push(started);
  return started;
}
async function restart(running: OneAgent, options: AgentOptions = {}): Promise<OneAgent> {
  await running.stop();
  agents = agents.filter((one) => one !== running);
  return agent(options);
}
const errno = (code: string): Error => Object.assign(new Error(`${code}: armed`), { code });
/** Faults that a test switches: what happens before operations on a target. */
function switched(): { hooks: FaultHooks; before: FaultHooks['before']; at: (point: string) => void } {
  const it = { before: noFaults.before, at: (_point: string): void => undefined, hooks: noFaults };
  it.hooks = { before: (operation, targetId) => it.before(operation, targetId), failpoint: (name) => it.at(name) };
  return it;
}
const scanOrder = (jobId = id(), change: object = {}) => ({
  kind: 'scan',
  jobId,
  epoch: 1,
  datasetId: 'letters',
  source: { kind: 'directory', path: source },
  ...change,
});
async function copyOrder(on: OneAgent) {
  const jobId = id();
  const scanned = await on.carryOut(scanOrder(jobId));
  if (scanned.event !== 'manifest') throw new Error(JSON.stringify(scanned));
  const destination = { targetId: 'one', datasetId: 'letters', replicaId: id() };
  return {
    kind: 'copy',
    jobId,
    epoch: 1,
    source: { kind: 'import' },
    destination,
    versionId: id(),
    root: scanned.root,
    objects: scanned.objects,
    bytes: scanned.bytes,
  };
}

test('a file that is still being written puts the scan off, and once it is quiet the scan succeeds', async () => {
  fs.writeFileSync(path.join(source, 'log'), 'a');
  const one = agent({ settings: { quietMs: 60_000, quietRounds: 0 } });
  expect(await one.carryOut(scanOrder())).toMatchObject({ event: 'failed', class: 'file-growing', code: 'source.file-growing', retryAfterMs: 30_000 });
  let aheadMs = 0;
  let writes = 0;
  const nowMs = (): number => Date.now() + aheadMs;
  // Waiting takes no time; for the first few times somebody writes meanwhile.
  const sleep = async (ms: number): Promise<void> => {
    aheadMs += ms;
    if (writes++ >= 4) return;
    fs.appendFileSync(path.join(source, 'log'), 'more');
    fs.utimesSync(path.join(source, 'log'), nowMs() / 1_000, nowMs() / 1_000);
  };
  const later = await restart(one, { settings: { quietMs: 60_000, quietRounds: 20 }, clock: { ...systemClock, nowMs, sleep } });
  expect(await later.carryOut(scanOrder())).toMatchObject({ event: 'manifest', bytes: 17 });
});

test('pipes and sockets are left out and said so, and a copy without them verifies', async () => {
  fs.writeFileSync(path.join(source, 'file'), 'x');
  const socket = net.createServer();
  await new Promise<void>((resolve) => socket.listen(path.join(source, 'socket'), resolve));
  const one = agent();
  const { replicaId } = await importTo(one, source, 'one', 'letters');
  expect(one.told.find((record) => record.type === 'job' && record.event === 'manifest')).toMatchObject({
    objects: 1,
    unreadable: 0,
    notes: ['1 pipe, socket or device was left out', 'socket: no file: a pipe, socket or device'],
  });
  expect([...facts(one.path('one', 'letters', replicaId)).keys()]).toEqual(['file']);
  socket.close();
});

test('a directory that is not there is not waited for: one look, and what to do', async () => {
  const one = agent();
  fs.writeFileSync(path.join(source, 'file'), 'x');
  for (const name of ['nowhere', 'file/below']) {
    const missing = path.join(source, name);
    expect(await one.carryOut(scanOrder(id(), { source: { kind: 'directory', path: missing } }))).toMatchObject({
      event: 'failed',
      class: 'permanent',
      code: 'import.not-there',
      message: `${missing} is not there on node-a`,
      hint: 'Check the path on that node, then import it again: dim datasets import letters --node node-a --path DIR.',
    });
  }
});

test('a directory that goes away between scan and copy has changed', async () => {
  fs.writeFileSync(path.join(source, 'file'), 'x');
  const one = agent();
  const order = await copyOrder(one);
  fs.rmSync(source, { recursive: true });
  expect(await one.carryOut(order)).toMatchObject({ event: 'failed', class: 'source-changed', code: 'source.gone' });
});

test('what goes away or becomes something else while it is scanned does not end the scan', async () => {
  for (let i = 0; i < 100; i++) fs.writeFileSync(path.join(source, `file ${i}`), 'x');
  for (const name of ['y', 'z']) fs.mkdirSync(path.join(source, `${name}/below`), { recursive: true });
  fs.symlinkSync('file 1', path.join(source, 'z link'));
  const faults = switched();
  const one = agent({ faults: faults.hooks });
  let isDone = false;
  faults.at = (point) => {
    if (point !== 'C3' || isDone) return;
    isDone = true;
    for (const name of ['y', 'z', 'z link']) fs.rmSync(path.join(source, name), { recursive: true });
    fs.symlinkSync('file 2', path.join(source, 'z'));
  };
  expect(await one.carryOut(scanOrder())).toMatchObject({ event: 'manifest', objects: 101 });
});

test('files with the bytes of another are told with the list, each name of a linked file once, empty ones never', async () => {
  for (const name of ['a', 'b', 'c']) fs.writeFileSync(path.join(source, name), 'the same');
  fs.linkSync(path.join(source, 'a'), path.join(source, 'link to a'));
  fs.writeFileSync(path.join(source, 'other'), 'not that');
  for (const name of ['empty', 'empty too']) fs.writeFileSync(path.join(source, name), '');
  expect(await agent().carryOut(scanOrder())).toMatchObject({ event: 'manifest', duplicateObjects: 2, duplicateBytes: 16, notes: [] });
});

test('which files a list has is told by a sample, which of so few is all of them', async () => {
  for (const name of ['a', 'b']) fs.writeFileSync(path.join(source, name), 'the same');
  fs.writeFileSync(path.join(source, 'other'), 'not that one');
  const { fileSample } = (await agent().carryOut(scanOrder())) as { fileSample: { level: number; completeFromBytes: number; files: string } };
  const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 13);
  const wanted = [`${digest('the same')}${'8'.padStart(12, '0')}`, `${digest('not that one')}${'c'.padStart(12, '0')}`];
  expect(fileSample).toEqual({ level: 0, completeFromBytes: 0, files: wanted.sort().join('') });
});

test('a sample becomes a version like any directory', async () => {
  const one = agent();
  const scanned = await one.carryOut(scanOrder(id(), { source: { kind: 'sample', bytes: 2_000_000, seed: 5 } }));
  expect(scanned).toMatchObject({ event: 'manifest', bytes: 2_000_000 });
});

test('what ended is told again when it is asked for again, and not done again, also after a restart', async () => {
  plantTree(source, 'small');
  let one = agent();
  const order = await copyOrder(one);
  const first = await one.carryOut(order);
  const place = one.path('one', 'letters', order.destination.replicaId);
  const made = fs.statSync(place).ctimeMs;
  expect(await one.carryOut(order)).toEqual(first);
  one = await restart(one);
  expect(await one.carryOut(order)).toEqual(first);
  expect(fs.statSync(place).ctimeMs).toBe(made);
});

test('a failure is told again too, and tried again only under a new epoch', async () => {
  const one = agent();
  const jobId = id();
  fs.rmSync(source, { recursive: true });
  const failed = await one.carryOut(scanOrder(jobId));
  expect(failed).toMatchObject({ event: 'failed', code: 'import.not-there' });
  fs.mkdirSync(source);
  expect(await one.carryOut(scanOrder(jobId))).toEqual(failed);
  expect(await one.carryOut(scanOrder(jobId, { epoch: 2 }))).toMatchObject({ event: 'manifest', epoch: 2, objects: 0, bytes: 0 });
});

test('a failure that can not be written down because the disk is full is noted once, and found again each time when the order comes again', async () => {
  let isFull = true;
  let found = 0;
  const one = agent({
    beforeTell: (records) => {
      if (!isFull || !records.some((record) => record.type === 'job' && record.event === 'failed')) return;
      found++;
      throw new Failure('exhausted', { code: 'journal.disk-full', message: 'full' });
    },
  });
  fs.rmSync(source, { recursive: true });
  const order = scanOrder();
  one.order([order]);
  expect(await one.untilNoted('journal.disk-full')).toMatchObject({ ids: { jobId: order.jobId } });
  await vi.waitFor(() => {
    one.order([order]);
    expect(found).toBe(3);
  });
  expect(one.told.filter((record) => record.type === 'note')).toHaveLength(1);
  isFull = false;
  expect(await one.carryOut(order)).toMatchObject({ event: 'failed', code: 'import.not-there' });
});

test('a job that vanished from the orders stops, and a new epoch takes over what it had', async () => {
  plantTree(source);
  const faults = switched();
  const one = agent({ faults: faults.hooks, settings: { checkpointBytes: 1_000_000 } });
  const order = await copyOrder(one);
  let go = (): void => undefined;
  const reached = new Promise<void>((resolve) => {
    let checkpoints = 0;
    const held = new Promise<void>((release) => {
      go = release;
    });
    faults.at = (point) => {
      if (point === 'C9' && ++checkpoints === 2) resolve();
    };
    faults.before = async () => {
      if (checkpoints >= 2) await held;
    };
  });
  one.order([order]);
  await reached;
  one.order([], [order.jobId]);
  go();
  faults.before = noFaults.before;
  const ended = await one.carryOut({ ...order, epoch: 2 });
  expect(ended).toMatchObject({ event: 'verified', epoch: 2 });
  expect(one.told.filter((record) => record.type === 'job' && record.epoch === 1 && ['verified', 'failed'].includes(record.event))).toEqual([]);
  expect(fs.readdirSync(one.path('one', '.dim/staging'))).toEqual([]);
  expect(facts(one.path('one', 'letters', order.destination.replicaId))).toEqual(facts(source));
});

test('a job that is given another target leaves nothing on the one before', async () => {
  plantTree(source);
  const faults = switched();
  const one = agent({ faults: faults.hooks, settings: { checkpointBytes: 1_000_000 } });
  const order = await copyOrder(one);
  faults.before = async (operation) => {
    if (operation === 'sync') throw errno('EIO');
  };
  expect(await one.carryOut(order)).toMatchObject({ event: 'failed', class: 'device' });
  expect(fs.readdirSync(one.path('one', '.dim/staging'))).toHaveLength(1);
  faults.before = noFaults.before;
  const other = { ...order, epoch: 2, destination: { ...order.destination, targetId: 'two', replicaId: id() } };
  expect(await one.carryOut(other)).toMatchObject({ event: 'verified' });
  for (const kept of ['staging', 'manifests']) expect(fs.readdirSync(one.path('one', '.dim', kept))).toEqual([]);
  expect(facts(one.path('two', 'letters', other.destination.replicaId))).toEqual(facts(source));
});

test('after a stop in the middle no more than one checkpoint is read from the source again', async () => {
  plantTree(source);
  const faults = switched();
  let one = agent({ faults: faults.hooks, settings: { checkpointBytes: 1_000_000 } });
  const order = await copyOrder(one);
  let checkpoints = 0;
  const stopped = new Promise<void>((resolve) => {
    faults.at = (point) => {
      if (point === 'C9' && ++checkpoints === 3) resolve();
    };
  });
  one.order([order]);
  await stopped;
  one = await restart(one);
  await one.carryOut(order);
  const copied = one.told.find((record) => record.type === 'job' && record.event === 'copied') as { movedBytes: number } | undefined;
  expect(copied?.movedBytes).toBeLessThanOrEqual(order.bytes + 8 * 1_024 * 1_024);
});

test('a copy that reads back wrong is reported, made good and read back again', async () => {
  plantTree(source, 'small');
  const faults = switched();
  const one = agent({ faults: faults.hooks });
  const order = await copyOrder(one);
  let spoilt = false;
  faults.at = (point) => {
    if (point !== 'C14' || spoilt) return;
    spoilt = true;
    fs.writeFileSync(one.path('one', 'letters', order.destination.replicaId, 'a/inner.txt'), 'below b');
  };
  expect(await one.carryOut(order)).toMatchObject({ event: 'verified' });
  expect(one.events(order.jobId)).toEqual(['started', 'manifest', 'started', 'copied', 'started', 'mismatched', 'copied', 'started', 'verified']);
  expect(facts(one.path('one', 'letters', order.destination.replicaId))).toEqual(facts(source));
});

test('a medium that spoils every copy is not trusted twice', async () => {
  plantTree(source, 'small');
  const faults = switched();
  const one = agent({ faults: faults.hooks });
  const order = await copyOrder(one);
  faults.at = (point) => {
    if (point === 'C14') fs.appendFileSync(one.path('one', 'letters', order.destination.replicaId, 'a/inner.txt'), '!');
  };
  expect(await one.carryOut(order)).toMatchObject({ event: 'failed', class: 'integrity', code: 'copy.read-back-differs' });
});

test('a source that was written to after its scan fails as changed, one that rotted as corrupt', async () => {
  plantTree(source, 'small');
  const one = agent();
  const order = await copyOrder(one);
  const { atime, mtime } = fs.statSync(path.join(source, 'a0'));
  fs.writeFileSync(path.join(source, 'a0'), 'other');
  expect(await one.carryOut(order)).toMatchObject({ event: 'failed', class: 'source-changed', code: 'source.changed' });
  fs.utimesSync(path.join(source, 'a0'), atime, mtime);
  expect(await one.carryOut({ ...order, epoch: 2 })).toMatchObject({ event: 'failed', class: 'integrity', code: 'source.corrupt' });
  fs.rmSync(path.join(source, 'a0'));
  expect(await one.carryOut({ ...order, epoch: 3 })).toMatchObject({ event: 'failed', class: 'source-changed' });
  expect(fs.existsSync(one.path('one', 'letters'))).toBe(false);
});

test('faults of a target come home as what they are, and the copy succeeds when they are over', async () => {
  plantTree(source, 'small');
  const faults = switched();
  const one = agent({ faults: faults.hooks });
  const order = await copyOrder(one);
  const armed = (code: string): void => {
    faults.before = async (operation) => {
      if (operation === 'write') throw errno(code);
    };
  };
  armed('EIO');
  expect(await one.carryOut(order)).toMatchObject({ event: 'failed', class: 'device' });
  armed('ENOSPC');
  expect(await one.carryOut({ ...order, epoch: 2 })).toMatchObject({ event: 'failed', class: 'space' });
  faults.before = noFaults.before;
  expect(await one.carryOut({ ...order, epoch: 3 })).toMatchObject({ event: 'verified' });
  expect(facts(one.path('one', 'letters', order.destination.replicaId))).toEqual(facts(source));
});

test('a target without room refuses before a byte is written', async () => {
  plantTree(source, 'small');
  const one = agent();
  const order = await copyOrder(one);
  (one.targets[0] as { reserveBytes: number }).reserveBytes = 2 ** 52;
  expect(await one.carryOut(order)).toMatchObject({ event: 'failed', class: 'space', code: 'target.full' });
});

test('a copy that can not be read is kept when it should leave', async () => {
  plantTree(source, 'small');
  const faults = switched();
  const one = agent({ faults: faults.hooks });
  const { replicaId, version } = await importTo(one, source, 'one', 'letters');
  faults.before = async (operation) => {
    if (operation === 'read') throw errno('EIO');
  };
  const target = { targetId: 'one', datasetId: 'letters', replicaId };
  expect(await one.carryOut({ kind: 'retire', jobId: id(), epoch: 1, permitId: id(), target, root: version.root, validForMs: 60_000 })).toMatchObject({
    event: 'kept',
  });
  expect(fs.existsSync(one.path('one', 'letters', replicaId, 'a0'))).toBe(true);
});

test('a planted link in the way of a copy is not written through', async () => {
  plantTree(source, 'small');
  const one = agent();
  const order = await copyOrder(one);
  const outside = path.join(home, 'outside');
  fs.mkdirSync(outside);
  fs.writeFileSync(path.join(outside, 'inner.txt'), 'precious');
  // What somebody may have put into a staging tree that a crash left behind.
  const staging = one.path('one', '.dim/staging', `${order.jobId}.1`);
  fs.mkdirSync(staging, { recursive: true });
  fs.symlinkSync(outside, path.join(staging, 'a'));
  fs.symlinkSync(path.join(outside, 'inner.txt'), path.join(staging, 'a0'));
  await one.carryOut(order);
  expect(fs.readFileSync(path.join(outside, 'inner.txt'), 'utf8')).toBe('precious');
  expect(fs.readdirSync(outside)).toEqual(['inner.txt']);
});

test('what dead jobs left is swept, what live jobs and copies need is not', async () => {
  plantTree(source, 'small');
  const first = agent();
  const { replicaId, jobId } = await importTo(first, source, 'one', 'letters');
  const one = await restart(first, { settings: { sweepAfterMs: 0 } });
  const live = id();
  const dead = id();
  const staging = (name: string): string => one.path('one', '.dim/staging', name);
  for (const name of [`${live}.3`, `${dead}.1`]) fs.mkdirSync(path.join(staging(name), 'x'), { recursive: true });
  fs.writeFileSync(one.path('one', '.dim/manifests', `${dead}.jsonl.new`), '');
  fs.mkdirSync(one.path('one', 'no-copies'));
  for (const jobId of [live, dead]) fs.symlinkSync(replicaId, one.path('one', 'letters', `.current.${jobId}`));
  const past = new Date(Date.now() - 1_000);
  for (const at of [staging(`${live}.3`), staging(`${dead}.1`), one.path('one', '.dim/manifests', `${dead}.jsonl.new`)]) fs.utimesSync(at, past, past);
  one.order([], [live]);
  await vi.waitFor(() => expect(fs.existsSync(path.join(home, 'node-a/state/scans', `${jobId}.jsonl`))).toBe(false), 10_000);
  expect(fs.readdirSync(one.path('one', '.dim/staging'))).toEqual([`${live}.3`]);
  expect(fs.readdirSync(one.path('one')).sort()).toEqual(['.dim', 'letters']);
  expect(fs.readdirSync(one.path('one', 'letters')).sort()).toEqual([`.current.${live}`, replicaId]);
  expect(fs.readdirSync(one.path('one', '.dim/manifests')).sort()).toEqual([`${replicaId}.jsonl`, `${replicaId}.leaves`]);
});

test('one target that can not be swept keeps nothing else from being swept, and the note says which', async () => {
  plantTree(source, 'small');
  const first = agent();
  const { jobId } = await importTo(first, source, 'one', 'letters');
  const one = await restart(first, { settings: { sweepAfterMs: 0 } });
  const stale = one.path('two', '.dim/staging', `${id()}.1`);
  fs.mkdirSync(stale, { recursive: true });
  fs.mkdirSync(one.path('two', 'no-copies'));
  const past = new Date(Date.now() - 1_000);
  for (const at of [stale, one.path('two', 'no-copies')]) fs.utimesSync(at, past, past);
  fs.rmSync(one.path('one', '.dim/manifests'), { recursive: true });
  one.order([], []);
  expect(await one.untilNoted('sweep.failed')).toMatchObject({ message: expect.stringContaining(one.path('one')) });
  expect(fs.readdirSync(one.path('two')).sort()).toEqual(['.dim']);
  expect(fs.readdirSync(one.path('two', '.dim/staging'))).toEqual([]);
  expect(fs.existsSync(path.join(home, 'node-a/state/scans', `${jobId}.jsonl`))).toBe(false);
});

test('the empty place of a copy in the making is not swept, also by who has not heard of its job', async () => {
  plantTree(source, 'small');
  const faults = switched();
  const one = agent({ faults: faults.hooks, settings: { sweepAfterMs: 60_000, sweepEveryMs: 0 } });
  const order = await copyOrder(one);
  const [letters, empty, lastSwept] = [one.path('one', 'letters'), one.path('one', 'empty'), path.join(one.home, 'state/scans', `${id()}.jsonl`)];
  const past = new Date(Date.now() - 120_000);
  const isSwept = (place: string): Promise<void> => vi.waitFor(() => expect(fs.existsSync(place)).toBe(false), 10_000);
  let leftBySweep: string[] | undefined;
  faults.before = async (operation) => {
    if (operation !== 'sync' || leftBySweep !== undefined) return;
    leftBySweep = [];
    for (const at of [letters, empty]) fs.mkdirSync(at);
    for (const at of [letters, empty]) fs.utimesSync(at, past, past);
    one.order([order], []);
    await isSwept(empty);
    // Swept after the targets.
    fs.writeFileSync(lastSwept, '');
    fs.utimesSync(lastSwept, past, past);
    one.order([order], []);
    await isSwept(lastSwept);
    leftBySweep = fs.readdirSync(one.path('one'));
  };
  expect(await one.carryOut(order)).toMatchObject({ event: 'verified' });
  expect(leftBySweep?.sort()).toEqual(['.dim', 'letters']);
});

test('a copy whose empty place was swept before it could say that it is in the making has it made again', async () => {
  plantTree(source, 'small');
  const letters = path.join(home, 'node-a/one/letters');
  const beforeTell: AgentOptions['beforeTell'] = ([record]) => {
    if (record?.type === 'job' && record.event === 'started' && record.step === 'copy') fs.rmdirSync(letters);
  };
  const one = agent({ beforeTell });
  fs.mkdirSync(letters);
  const order = await copyOrder(one);
  expect(await one.carryOut(order)).toMatchObject({ event: 'verified' });
});

test('a place where nothing is mounted any more is not taken for an empty target', async () => {
  plantTree(source, 'small');
  let one = agent();
  const { replicaId, version } = await importTo(one, source, 'one', 'letters');
  one = await restart(one);
  fs.renameSync(one.path('one'), one.path('away'));
  // As measuring leaves it.
  fs.mkdirSync(one.path('one', '.dim/probe'), { recursive: true });
  expect((await one.migrator.inventory()).map(({ targetId }) => targetId)).toEqual(['two']);
  expect(await one.untilNoted('target.not-listed')).toMatchObject({ ids: { targetId: 'one' } });
  const order = { ...(await copyOrder(one)), root: version.root };
  const notMounted = { event: 'failed', class: 'transient', code: 'target.not-mounted' };
  expect(await one.carryOut(order)).toMatchObject(notMounted);
  expect(fs.readdirSync(one.path('one', '.dim'))).toEqual(['probe']);
  const [target] = one.targets;
  expect(await one.migrator.absentBecause(target!)).toMatch(/has no .dim\/manifests any more: mount what was there/);
  fs.rmSync(one.path('one'), { recursive: true });
  expect(await one.migrator.absentBecause(target!)).toMatch(/is not there: mount what was there/);
  expect(await one.carryOut({ ...order, epoch: 2 })).toMatchObject(notMounted);
  const fromThere = { ...order, source: { kind: 'local-replica', targetId: 'one', replicaId }, destination: { ...order.destination, targetId: 'two' } };
  expect(await one.carryOut({ ...fromThere, jobId: id() })).toMatchObject(notMounted);
  fs.renameSync(one.path('away'), one.path('one'));
  expect(await one.migrator.absentBecause(target!)).toBe(null);
  expect(await one.carryOut({ ...order, epoch: 3 })).toMatchObject({ event: 'verified' });
  expect(await one.migrator.inventory()).toMatchObject([{ targetId: 'one', replicas: [{}, {}] }, { targetId: 'two' }]);
});

test('a root that was never there is waited for, and not made', async () => {
  const one = agent();
  fs.rmSync(one.path('two'), { recursive: true });
  const order = await copyOrder(one);
  const elsewhere = { ...order, destination: { ...order.destination, targetId: 'two' } };
  expect(await one.carryOut(elsewhere)).toMatchObject({
    event: 'failed',
    class: 'transient',
    code: 'target.not-mounted',
    hint: expect.stringMatching(/^mount it, or make it/),
  });
  expect(fs.existsSync(one.path('two'))).toBe(false);
});

test('progress is told at most as often as the settings say, and never goes beyond the whole', async () => {
  plantTree(source);
  const one = agent({ settings: { progressEveryMs: 20, bytesPerSecPerTarget: 80_000_000 } });
  await importTo(one, source, 'one', 'letters');
  const progress = one.told.filter((record) => record.type === 'progress');
  expect(progress.length).toBeGreaterThan(2);
  for (const { bytesDone, bytesTotal, objectsDone, objectsTotal } of progress) expect(bytesDone <= bytesTotal && objectsDone <= objectsTotal).toBe(true);
});

test('orders for a target or a source that is not here are refused with a reason', async () => {
  const one = agent();
  const order = await copyOrder(one);
  expect(await one.carryOut({ ...order, epoch: 2, destination: { ...order.destination, targetId: 'three' } })).toMatchObject({
    event: 'failed',
    class: 'permanent',
    code: 'target.unknown',
  });
  expect(await one.carryOut({ ...order, jobId: id() })).toMatchObject({ event: 'failed', class: 'source-changed', code: 'source.gone' });
  expect(await one.carryOut({ ...order, epoch: 3, source: { kind: 'local-replica', targetId: 'two', replicaId: id() } })).toMatchObject({
    event: 'failed',
    code: 'source.gone',
  });
});
