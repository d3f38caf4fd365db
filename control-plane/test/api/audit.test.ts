import { desc } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { audit } from '../../src/store/schema.ts';
import { readApiKeys } from '../../src/store/tokens.ts';
import { type Interface, openInterface } from './interface.ts';

let api: Interface;
beforeAll(async () => {
  api = await openInterface();
});
afterAll(() => api.close());

const rows = () => api.store.db.select().from(audit).orderBy(desc(audit.seq));

test('a text that no database takes is refused before anything is changed', async () => {
  const answer = await api.call('POST', '/v1/keys', { role: 'admin', raw: '{"name":"\\ud800","role":"viewer"}' });
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([422, 'request.invalid']);
  expect(await readApiKeys(api.store.db)).toHaveLength(3);
  expect((await rows())[0]).toMatchObject({ action: 'POST /v1/keys', outcome: '422' });
});

test('a path that no database takes, or of any length, still has its row', async () => {
  await api.call('POST', '/v1/keys/a%00b/revoke', { role: 'admin' });
  expect((await rows())[0]).toMatchObject({ who: 'admin', action: 'POST /v1/keys/a\uFFFDb/revoke', outcome: '422' });
  await api.call('POST', `/v1/keys/${'x'.repeat(5_000)}/revoke`, { role: 'admin' });
  expect((await rows())[0]!.action).toHaveLength(300);
});

test('what has no route leaves no row, whoever asks', async () => {
  const before = (await rows()).length;
  expect((await api.call('POST', '/v1/there-is-nothing')).status).toBe(404);
  expect((await api.call('DELETE', '/v1/nodes/n/x', { role: 'admin' })).status).toBe(404);
  expect((await rows()).length).toBe(before);
  expect((await api.call('POST', '/v1/keys', { body: {} })).status).toBe(401);
  expect((await rows())[0]).toMatchObject({ who: 'nobody', action: 'POST /v1/keys', outcome: '401' });
});
