import { afterAll, beforeAll, expect, test } from 'vitest';
import { appendEvents } from '../../src/store/events.ts';
import { event } from '../../src/store/schema.ts';
import { type Interface, openInterface } from './interface.ts';

let api: Interface;
beforeAll(async () => {
  api = await openInterface();
});
afterAll(() => api.close());

const told = { type: 'agent.started', severity: 'info', text: 'an agent started', ids: {}, by: 'test' } as const;
const tell = () => api.store.transaction((tx) => appendEvents(tx, 1, [told]));
const newest = async (): Promise<number> =>
  Number(((await (await api.call('GET', '/v1/events?limit=1', { role: 'viewer' })).json()) as { items: { seq: number }[] }).items[0]!.seq);

/** Numbers of the first messages of a stream: the hello's, then those of the events. */
async function follow(from: Record<string, string>, count: number, meanwhile: () => Promise<unknown> = async () => {}): Promise<string[]> {
  const answer = await api.call('GET', '/v1/events', { role: 'viewer', headers: { Accept: 'text/event-stream', ...from } });
  expect(answer.status).toBe(200);
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const numbers = (): string[] => [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id!);
  const more = async (): Promise<string> => {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the stream ended after ${JSON.stringify(text)}`);
    return value;
  };
  while (numbers().length < 1) text += await more();
  await meanwhile();
  while (numbers().length < count) text += await more();
  await reader.cancel();
  return numbers().slice(0, count);
}

test('a stream goes on after the number that its client had last', async () => {
  for (let i = 0; i < 3; i++) await tell();
  const last = await newest();
  expect(await follow({ 'Last-Event-ID': String(last - 2) }, 3)).toEqual([last - 2, last - 1, last].map(String));
});

test('a stream goes on from now when its client had a number that the store, set back since, has not reached', async () => {
  const last = await newest();
  expect(await follow({ 'Last-Event-ID': String(last + 100) }, 2, tell)).toEqual([last, last + 1].map(String));
});

test('a stream leaves nothing out where numbers went down because transactions overlapped', async () => {
  const last = await newest();
  const [before] = await api.store.db
    .insert(event)
    .values({ ...told, atMs: 1, seq: last + 2 })
    .returning();
  await api.store.db.insert(event).values({ ...told, atMs: 1, seq: last + 1 });
  expect(await follow({ 'Last-Event-ID': String(before!.seq) }, 2)).toEqual([last + 2, last + 1].map(String));
});
