import type { PricesView } from '@data-in-motion/shared/api/prices';
import type { Prices } from '@data-in-motion/shared/domain/price';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { picture, planTrigger } from '../../src/control-loop/decide.ts';
import { defaultLoopSettings } from '../../src/control-loop/parts.ts';
import { loadSnapshot } from '../../src/store/load-snapshot.ts';
import { priceEntry } from '../../src/store/schema.ts';
import { type Interface, openInterface, problem } from './interface.ts';

let api: Interface;
beforeAll(async () => {
  api = await openInterface();
});
afterAll(() => api.close());

const read = async () => (await (await api.call('GET', '/v1/prices', { role: 'viewer' })).json()) as PricesView;
const put = (entries: readonly object[]) => api.call('PUT', '/v1/prices', { role: 'admin', body: { entries } });

test('a price changes the book by a revision, and two writers of one revision are not both right', async () => {
  const book = await read();
  const write = (rev: number) => api.call('PUT', '/v1/prices', { role: 'admin', body: { entries: book.entries }, headers: { 'If-Match': `"${rev}"` } });
  expect((await write(book.rev)).status).toBe(200);
  expect((await write(book.rev)).status).toBe(412);
});

test('a price book with one line twice is refused and changes nothing', async () => {
  const before = await read();
  const answer = await put([...before.entries, before.entries[0]!]);
  expect(answer.status).toBe(422);
  expect((await problem(answer)).errors?.[0]?.field).toBe(`body.entries.${before.entries.length}`);
  expect(await read()).toEqual(before);
});

/** A line for the class of the interface's only target. */
const entry = (validFromMs: number, storagePerGbMonth = 0.01) => ({
  priceClass: 'onprem-nvme',
  validFromMs,
  source: 'a shelf',
  prices: { storagePerGbMonth, readsPer1000: 0, writesPer1000: 0, egressPerGb: 0, retrievalPerGb: 0.5, minimumDays: 0, minimumObjectBytes: 4_096 },
});

test('the first book names its sources, and what the clouds publish holds from a date', async () => {
  const { entries } = await read();
  expect(entries.every(({ source }) => source.length > 0)).toBe(true);
  expect(entries.find(({ priceClass }) => priceClass === 'aws-s3-glacier-instant')).toMatchObject({
    validFromMs: Date.UTC(2025, 0, 1),
    source: 'AWS price list, us-east-1, 2025: S3 Glacier Instant Retrieval',
    prices: { storagePerGbMonth: 0.004, retrievalPerGb: 0.03, minimumDays: 90, minimumObjectBytes: 131_072 },
  });
});

test('a book that says nothing of retrieval and of the least size of an object has neither, whether it is written now or was kept from before', async () => {
  const { retrievalPerGb: _, minimumObjectBytes: __, ...older } = entry(0).prices;
  expect((await put([{ ...entry(0), prices: older }])).status).toBe(200);
  expect(await read()).toMatchObject({ entries: [{ prices: { retrievalPerGb: 0, minimumObjectBytes: 0 } }] });
  const { rev } = await read();
  await api.store.db.insert(priceEntry).values({ ...entry(0), rev: rev + 1, prices: older as Prices });
  expect(await read()).toMatchObject({ rev: rev + 1, entries: [{ prices: { storagePerGbMonth: 0.01, retrievalPerGb: 0, minimumObjectBytes: 0 } }] });
});

test('a line counts from its date: decisions see the price of before until then', async () => {
  const priceOf = async () => (await loadSnapshot(api.store)).targets.find(({ priceClass }) => priceClass === 'onprem-nvme')?.prices?.storagePerGbMonth;
  const basis = async () => planTrigger(await picture(await loadSnapshot(api.store), { settings: defaultLoopSettings }));
  const beginsAtMs = (await api.store.nowMs()) + 3_000;
  await put([entry(0, 0.01), entry(beginsAtMs, 0.02)]);
  const before = await basis();
  expect(await priceOf()).toBe(0.01);
  expect(await basis()).toBe(before);
  await vi.waitFor(async () => expect(await priceOf()).toBe(0.02), 20_000);
  // What a plan was made from is not what is there any more: the next pass makes another.
  expect(await basis()).not.toBe(before);
});

test('of two books at once, written on what is there, both are taken, and neither has lines of the other', async () => {
  const { entries } = await read();
  const books = ['x', 'y'].map((priceClass) => [{ ...entries[0], priceClass }]);
  const answers = await Promise.all(books.map(put));
  expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
  expect((await read()).entries).toHaveLength(1);
});
