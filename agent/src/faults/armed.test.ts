import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ManualClock } from '@data-in-motion/shared/clock';
import { type FaultKind, faultKinds } from '@data-in-motion/shared/domain/fault-hooks';
import type { ExperimentId, NodeId } from '@data-in-motion/shared/domain/ids';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import type { FaultDocument } from '@data-in-motion/shared/protocol/messages';
import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noBallast } from '../../test/no-ballast.ts';
import { asOrdinaryUser, giveAway } from '../../test/ordinary-user.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import { openUndoLog } from '../journal/undo.ts';
import { type ArmedFaults, armedFaults, type FaultLog } from './armed.ts';

const replicaId = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
let directory: string;
let journal: Journal;
let clock: ManualClock;
let told: RecordOf<'fault'>[];
let killed: number;
let degraded: Map<string, number>;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'dim-faults-'));
  journal = openJournal(path.join(directory, 'state', 'agent.db'), noBallast);
  clock = new ManualClock();
  told = [];
  killed = 0;
  degraded = new Map();
});
afterEach(() => {
  journal.close();
  rmSync(directory, { recursive: true, force: true });
});

function start({ allowed = true, log = openUndoLog(journal) }: { allowed?: boolean; log?: FaultLog } = {}): ArmedFaults {
  return armedFaults({
    nodeId: 'node-a',
    targets: [{ targetId: 'disk-1', root: path.join(directory, 'root') } as unknown as TargetDescription],
    drives: {
      degrade: (deviceId, pace) => deviceId === 'drive-1' && degraded.set(deviceId, pace).size > 0,
      restore: (deviceId) => void degraded.delete(deviceId),
    },
    log,
    tell: (record) => void told.push(record),
    clock,
    allowed,
    failpoint: null,
    kill: () => void killed++,
  });
}

let experiments = 0;
function document(kind: FaultKind, subject: string, parameters: FaultDocument['parameters'] = {}, ttlMs = 10_000): FaultDocument {
  const experimentId = `01ARZ3NDEKTSV4RRFFQ69G${String(++experiments).padStart(4, '0')}` as ExperimentId;
  return { v: 1, nodeId: 'node-a' as NodeId, experimentId, action: 'arm', kind, subject, parameters, ttlMs, seed: 7, issuedAtMs: clock.nowMs() };
}

const states = (): string[] => told.map(({ state }) => state);

test('a fault is armed until its time is over', async () => {
  const faults = start();
  await faults.receive(document('target-full', 'disk-1'));
  await expect(faults.before('write', 'disk-1')).rejects.toMatchObject({ code: 'ENOSPC' });
  await faults.before('read', 'disk-1');
  await faults.before('write', 'disk-2');
  await clock.advance(9_999);
  expect(states()).toEqual(['armed']);
  await clock.advance(2);
  expect(states()).toEqual(['armed', 'undone']);
  await faults.before('write', 'disk-1');
});

test('a fault is undone by an order, and all of them by one', async () => {
  const faults = start();
  const cut = document('link-cut', 'node-a');
  await faults.receive(cut);
  await faults.receive(document('clock-skew', 'node-a', { offsetMs: -5_000 }));
  expect(faults.link().cut).toBe(true);
  expect(faults.clockOffsetMs()).toBe(-5_000);
  await faults.receive({ ...cut, action: 'undo' });
  expect(faults.link().cut).toBe(false);
  expect(faults.clockOffsetMs()).toBe(-5_000);
  await faults.receive({ ...document('link-cut', 'node-a'), action: 'undo-all' });
  expect(faults.clockOffsetMs()).toBe(0);
  expect(states()).toEqual(['armed', 'armed', 'undone', 'undone']);
});

test('a node whose operator did not allow faults refuses every one, once per experiment', async () => {
  const faults = start({ allowed: false });
  const order = document('link-cut', 'node-a');
  await faults.receive(order);
  await faults.receive(order);
  expect(states()).toEqual(['refused']);
  expect(faults.link().cut).toBe(false);
});

test('an order that comes twice arms once, and not again after it was undone', async () => {
  const faults = start();
  const order = document('kill-agent', 'node-a');
  await faults.receive(order);
  await faults.receive(order);
  expect(killed).toBe(1);
  const next = start();
  await next.undoLeftovers();
  await next.receive(order);
  expect(killed).toBe(1);
  expect(states()).toEqual(['armed', 'undone']);
});

test('an order that comes after its undo arms nothing', async () => {
  const faults = start();
  const order = document('link-cut', 'node-a');
  await faults.receive({ ...order, action: 'undo' });
  await faults.receive(order);
  await faults.receive({ ...order, action: 'undo' });
  expect(states()).toEqual(['undone']);
  expect(faults.link().cut).toBe(false);
});

test('that a fault is undone is told before it is crossed out', async () => {
  const log = openUndoLog(journal);
  const toldWhenCrossedOut: (string | undefined)[] = [];
  const faults = start({
    log: {
      ...log,
      finish: (experimentId) => {
        toldWhenCrossedOut.push(states().at(-1));
        log.finish(experimentId);
      },
    },
  });
  await faults.receive(document('link-cut', 'node-a'));
  await faults.stop();
  expect(toldWhenCrossedOut).toEqual(['undone']);
});

test('an order that comes long after its time is refused', async () => {
  const faults = start();
  const order = document('link-cut', 'node-a');
  await clock.advance(200_000);
  await faults.receive(order);
  expect(states()).toEqual(['refused']);
});

test.each([
  ['target-latency', 'disk-9', { addedMs: 5 }],
  ['target-latency', 'disk-1', {}],
  ['target-errors', 'disk-1', { probability: 2, errno: 'EIO' }],
  ['target-errors', 'disk-1', { probability: 1, errno: 'EWHATEVER' }],
  ['flip-byte', replicaId, {}],
  ['flip-byte', '../../etc', {}],
  ['link-delay', 'node-b', { addedMs: 5 }],
  ['clock-skew', 'node-a', { offsetMs: 'much' }],
] as const)('%s for %s with %j is refused and nothing is armed', async (kind, subject, parameters) => {
  const faults = start();
  await faults.receive(document(kind, subject, { ...parameters }));
  expect(states()).toEqual(['refused']);
  expect(openUndoLog(journal).pending()).toEqual([]);
});

test('a drive that is not replayed can not be degraded, and that is undone', async () => {
  const faults = start();
  await faults.receive(document('degrade-drive', 'drive-9', { pace: 2 }));
  expect(states()).toEqual(['armed', 'undone']);
  await faults.receive(document('degrade-drive', 'drive-1', { pace: 2 }));
  expect(degraded.get('drive-1')).toBe(2);
  await clock.advance(10_001);
  expect(degraded.size).toBe(0);
});

function makeReplica(): string {
  const place = path.join(directory, 'root', 'photos', replicaId, 'deep');
  mkdirSync(place, { recursive: true });
  for (const name of ['a', 'b', 'c']) writeFileSync(path.join(place, name), Buffer.alloc(1_000, name));
  writeFileSync(path.join(place, 'empty'), '');
  return place;
}

const contents = (place: string): string => ['a', 'b', 'c'].map((name) => readFileSync(path.join(place, name), 'latin1')).join('');

test('one byte of a copy is turned with size and time as they were, and turned back', async () => {
  const place = makeReplica();
  const before = contents(place);
  const times = ['a', 'b', 'c'].map((name) => statSync(path.join(place, name)).mtimeMs);
  const faults = start();
  await faults.receive(document('flip-byte', replicaId));
  const after = contents(place);
  expect([...after].filter((byte, i) => byte !== before[i])).toHaveLength(1);
  expect(['a', 'b', 'c'].map((name) => Math.round(statSync(path.join(place, name)).mtimeMs))).toEqual(times.map(Math.round));
  await faults.stop();
  expect(contents(place)).toBe(before);
  expect(states()).toEqual(['armed', 'undone']);
});

test('a byte of a read-only file is turned and turned back by an ordinary user, and its mode stays', async () => {
  const place = makeReplica();
  const before = contents(place);
  for (const name of ['a', 'b', 'c']) chmodSync(path.join(place, name), 0o444);
  const faults = start();
  giveAway(directory);
  await asOrdinaryUser(async () => {
    await faults.receive(document('flip-byte', replicaId));
    expect(contents(place)).not.toBe(before);
    await faults.stop();
  });
  expect(states()).toEqual(['armed', 'undone']);
  expect(contents(place)).toBe(before);
  expect(['a', 'b', 'c'].map((name) => statSync(path.join(place, name)).mode & 0o777)).toEqual([0o444, 0o444, 0o444]);
});

test('a byte that can not be turned is told as not made, once', async () => {
  const place = makeReplica();
  for (const name of ['b', 'c']) rmSync(path.join(place, name));
  const faults = start();
  // Whoever writes between the choice and the deed.
  const log = openUndoLog(journal);
  const begin = log.begin;
  const meddled = start({
    log: {
      ...log,
      begin: (row, atMs) => {
        writeFileSync(path.join(place, 'a'), 'somebody else wrote');
        return begin(row, atMs);
      },
    },
  });
  await meddled.receive(document('flip-byte', replicaId));
  expect(states()).toEqual(['armed', 'undone']);
  expect(told.at(-1)?.detail).toMatch(/could not be made .*not as it was/);
  await faults.stop();
  expect(states()).toHaveLength(2);
});

test('a byte that an earlier process turned is turned back before anything else', async () => {
  const place = makeReplica();
  const before = contents(place);
  await start().receive(document('flip-byte', replicaId));
  expect(contents(place)).not.toBe(before);
  await start().undoLeftovers();
  expect(contents(place)).toBe(before);
});

test('a byte that an earlier version turned, without noting permissions, is turned back', async () => {
  const place = makeReplica();
  const before = contents(place);
  await start().receive(document('flip-byte', replicaId));
  const [row] = openUndoLog(journal).pending();
  const { mode: _, ...older } = JSON.parse(row!.detail) as Record<string, unknown>;
  journal.db.prepare('update fault_undo set detail = ?').run(JSON.stringify(older));
  await start().undoLeftovers();
  expect(contents(place)).toBe(before);
});

test('a file that was repaired or removed meanwhile is left alone', async () => {
  const place = makeReplica();
  const faults = start();
  await faults.receive(document('flip-byte', replicaId));
  for (const name of ['a', 'b', 'c']) writeFileSync(path.join(place, name), 'repaired');
  await faults.receive({ ...document('flip-byte', replicaId), action: 'undo-all' });
  expect(contents(place)).toBe('repairedrepairedrepaired');
  expect(told.at(-1)?.detail).toContain('not as it was left');

  await faults.receive(document('flip-byte', replicaId));
  rmSync(place, { recursive: true });
  await faults.stop();
  expect(told.at(-1)?.detail).toContain('gone');
});

test('each kind of the published list has its file, and a plan that can be read back', async () => {
  makeReplica();
  const faults = start();
  for (const [kind, { on }] of Object.entries(faultKinds) as [FaultKind, { on: string }][]) {
    const subject = { target: 'disk-1', replica: replicaId, node: 'node-a', device: 'drive-1' }[on] ?? '';
    await faults.receive(document(kind, subject, { addedMs: 1, probability: 0, errno: 'EIO', offsetMs: 1, pace: 2 }));
  }
  expect(states()).toEqual(Object.keys(faultKinds).map(() => 'armed'));
  await start().undoLeftovers();
  expect(openUndoLog(journal).pending()).toEqual([]);
});
