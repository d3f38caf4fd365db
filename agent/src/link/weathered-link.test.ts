import { ManualClock } from '@data-in-motion/shared/clock';
import { topicFor } from '@data-in-motion/shared/protocol/topics';
import { seededRandom } from '@data-in-motion/shared/random';
import { beforeEach, expect, test } from 'vitest';
import { MemoryBus, MemoryLink } from './memory-link.ts';
import { type Weather, WeatheredLink } from './weathered-link.ts';

const calm: Weather = { cut: false, addedMs: 0, duplicateProbability: 0, reorderProbability: 0 };
let clock: ManualClock;
let bus: MemoryBus;
let weather: Weather;
let link: WeatheredLink;
let said: number[];
let heard: number[];
let ups: number;

beforeEach(() => {
  clock = new ManualClock();
  bus = new MemoryBus(seededRandom(1));
  weather = calm;
  said = [];
  heard = [];
  ups = 0;
  bus.subscribe((topic, text) => topic === topicFor('ask', 'node-a') && said.push((JSON.parse(text) as { have: number }).have));
  link = new WeatheredLink(new MemoryLink({ bus, nodeId: 'node-a', nextSession: () => 1, nowMs: () => 1 }), () => weather, clock, 1);
  link.on('nudge', ({ rev }) => heard.push(rev));
  link.onUp(() => ups++);
  link.start();
});

async function talk(from: number, to: number): Promise<void> {
  for (let i = from; i <= to; i++) {
    void link.publish('ask', { v: 1, askUid: '01ARZ3NDEKTSV4RRFFQ69G5FAV', have: i, inc: 1 });
    bus.publish(topicFor('nudge', 'node-a'), JSON.stringify({ v: 1, rev: i }));
    await clock.advance(0);
  }
  await clock.advance(0);
}

test('in calm weather everything passes as it is', async () => {
  await talk(1, 5);
  expect([said, heard]).toEqual([
    [1, 2, 3, 4, 5],
    [1, 2, 3, 4, 5],
  ]);
});

test('a cut link is down, hears and says nothing, and comes up when the cut is over', async () => {
  weather = { ...calm, cut: true };
  link.weatherChanged();
  expect(link.up).toBe(false);
  await talk(1, 3);
  expect([said, heard, ups]).toEqual([[], [], 1]);
  weather = calm;
  link.weatherChanged();
  await talk(4, 4);
  expect([said, heard, ups]).toEqual([[4], [4], 2]);
});

test('delayed messages arrive later, each way', async () => {
  weather = { ...calm, addedMs: 500 };
  await talk(1, 1);
  expect([said, heard]).toEqual([[], []]);
  await clock.advance(501);
  expect([said, heard]).toEqual([[1], [1]]);
});

test('repeated messages arrive twice', async () => {
  weather = { ...calm, duplicateProbability: 1 };
  await talk(1, 2);
  expect([said, heard]).toEqual([
    [1, 1, 2, 2],
    [1, 1, 2, 2],
  ]);
});

test('held back messages arrive behind the next, and the last of them after a while', async () => {
  weather = { ...calm, reorderProbability: 0.5 };
  await talk(1, 40);
  await clock.advance(6_000);
  expect(said).not.toEqual([...said].sort((a, b) => a - b));
  expect([...said].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  expect([...heard].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
});
