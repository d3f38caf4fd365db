import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Interface, openInterface, problem } from './interface.ts';

let api: Interface;
beforeAll(async () => {
  api = await openInterface();
});
afterAll(() => api.close());

test('a price changes the book by a revision, and two writers of one revision are not both right', async () => {
  const book = (await (await api.call('GET', '/v1/prices', { role: 'viewer' })).json()) as { rev: number; entries: object[] };
  const write = (rev: number) => api.call('PUT', '/v1/prices', { role: 'admin', body: { entries: book.entries }, headers: { 'If-Match': `"${rev}"` } });
  expect((await write(book.rev)).status).toBe(200);
  expect((await write(book.rev)).status).toBe(412);
});

test('a price book with one line twice is refused and changes nothing', async () => {
  const read = async () => (await (await api.call('GET', '/v1/prices', { role: 'viewer' })).json()) as { rev: number; entries: object[] };
  const before = await read();
  const answer = await api.call('PUT', '/v1/prices', { role: 'admin', body: { entries: [...before.entries, before.entries[0]] } });
  expect(answer.status).toBe(422);
  expect((await problem(answer)).errors?.[0]?.field).toBe(`body.entries.${before.entries.length}`);
  expect(await read()).toEqual(before);
});

test('of two books at once, written on what is there, both are taken, and neither has lines of the other', async () => {
  const { entries } = (await (await api.call('GET', '/v1/prices', { role: 'viewer' })).json()) as { entries: object[] };
  const books = ['x', 'y'].map((priceClass) => [{ ...entries[0], priceClass }]);
  const answers = await Promise.all(books.map((one) => api.call('PUT', '/v1/prices', { role: 'admin', body: { entries: one } })));
  expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
  const now = (await (await api.call('GET', '/v1/prices', { role: 'viewer' })).json()) as { entries: object[] };
  expect(now.entries).toHaveLength(1);
});
