import { ManualClock } from '@data-in-motion/shared/clock';
import { topicFor } from '@data-in-motion/shared/protocol/topics';
import { seededRandom } from '@data-in-motion/shared/random';
import { newPrivateKeyPem, signBody, signingKey } from '@data-in-motion/shared/signature';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Memory, Meta } from '../journal/meta.ts';
import { MemoryBus, MemoryLink } from './memory-link.ts';
import { receiveCommands } from './receive-commands.ts';

const key = signingKey(newPrivateKeyPem());
let clock: ManualClock;
let bus: MemoryBus;
let asks: { have: number; inc: number }[];
let revs: number[];
let troubles: string[];
let memory: Pick<Memory, 'incarnation' | 'publicKeyPem'>;

beforeEach(() => {
  clock = new ManualClock();
  bus = new MemoryBus(seededRandom(1));
  asks = [];
  revs = [];
  troubles = [];
  memory = { incarnation: 3, publicKeyPem: key.publicKeyPem };
  bus.subscribe((topic, text) => topic === topicFor('ask', 'node-a') && asks.push(JSON.parse(text) as { have: number; inc: number }));
});

async function start(): Promise<void> {
  const link = new MemoryLink({ bus, nodeId: 'node-a', nextSession: () => 1, nowMs: () => clock.nowMs() });
  link.start();
  const meta = { read: () => memory } as unknown as Meta;
  const receiver = receiveCommands({
    link,
    meta,
    nodeId: 'node-a',
    clock,
    random: seededRandom(1),
    onDesired: ({ rev }) => revs.push(rev),
    onFault: () => {},
    onTrouble: (code) => troubles.push(code),
  });
  onTestFinished(() => receiver.stop());
  await settle();
}

const settle = (): Promise<void> => clock.advance(0).then(() => clock.advance(0));

async function desired(rev: number, change: object = {}, by = key): Promise<void> {
  const body = JSON.stringify({ v: 1, nodeId: 'node-a', rev, inc: 3, issuedAtMs: 1, orders: [], liveJobs: [], watched: [], ...change });
  bus.publish(topicFor('desired', 'node-a'), JSON.stringify({ v: 1, ...signBody(body, by) }));
  await settle();
}

async function nudge(rev: number): Promise<void> {
  bus.publish(topicFor('nudge', 'node-a'), JSON.stringify({ v: 1, rev }));
  await settle();
}

test('the agent asks at the start and every quarter of a minute, give or take a fifth', async () => {
  await start();
  expect(asks).toMatchObject([{ have: 0, inc: 3 }]);
  await clock.advance(11_999);
  expect(asks).toHaveLength(1);
  await clock.advance(6_002);
  expect(asks).toHaveLength(2);
});

test('an agent that has nothing to tell is heard twice before a control plane would call it late', async () => {
  const lateAfterMs = 45_000;
  await start();
  for (let span = 0; span < 100; span++) {
    const before = asks.length;
    await clock.advance(lateAfterMs);
    expect(asks.length - before).toBeGreaterThanOrEqual(2);
  }
});

test('a nudge to something newer makes it ask at once, and again until it comes', async () => {
  await start();
  await desired(4);
  await nudge(4);
  expect(asks).toHaveLength(2);
  await nudge(5);
  expect(asks.at(-1)).toMatchObject({ have: 4 });
  await clock.advance(5_001);
  expect(asks).toHaveLength(4);
  await desired(5);
  expect(revs).toEqual([4, 5]);
});

test('an older document, and the same one again, change nothing; the same made later does', async () => {
  await start();
  await desired(5);
  await desired(4);
  await desired(5);
  expect(revs).toEqual([5]);
  await desired(5, { issuedAtMs: 2 });
  expect(revs).toEqual([5, 5]);
});

test('a new revision is asked about once more, which tells that it was taken up', async () => {
  await start();
  await desired(4);
  expect(asks.map(({ have }) => have)).toEqual([0, 4]);
  await desired(4, { issuedAtMs: 2 });
  expect(asks).toHaveLength(2);
});

test('a document for another incarnation is not for this process', async () => {
  await start();
  await desired(9, { inc: 2 });
  expect(revs).toEqual([]);
  await desired(1);
  memory = { ...memory, incarnation: 4 };
  await desired(1, { inc: 4 });
  expect(revs).toEqual([1, 1]);
});

test('what another key signed, does not parse or is for another node is refused and said', async () => {
  await start();
  await desired(1, {}, signingKey(newPrivateKeyPem()));
  await desired(1, { orders: 'none' });
  await desired(1, { nodeId: 'node-b' });
  expect(revs).toEqual([]);
  expect(troubles).toEqual(['command.signature', 'command.form', 'command.other-node']);
});

test('before the first welcome nothing is asked and nobody is believed', async () => {
  memory = { incarnation: 0, publicKeyPem: null };
  await start();
  await desired(1);
  expect([asks, revs]).toEqual([[], []]);
});
