import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idempotency, job } from '../../src/store/schema.ts';
import { type Interface, openInterface, problem } from './interface.ts';

let api: Interface;
beforeAll(async () => {
  api = await openInterface();
});
afterAll(() => api.close());

const newDataset = (name: string) => ({ name, owner: 'maps', source: { nodeId: 'berlin', path: '/srv/maps' } });

test('the same request sent again under its key makes one dataset and gets the first answer', async () => {
  const send = () => api.call('POST', '/v1/datasets', { role: 'operator', body: newDataset('once'), headers: { 'Idempotency-Key': 'k1' } });
  const [first, second] = [await send(), await send()];
  expect(second.status).toBe(202);
  expect(await second.json()).toEqual(await first.json());
});

test('of one request sent twice at once under one key only one is worked on', async () => {
  const send = () => api.call('POST', '/v1/datasets', { role: 'operator', body: newDataset('at-once'), headers: { 'Idempotency-Key': 'k2' } });
  const answers = await Promise.all([send(), send()]);
  const late = answers.find((answer) => answer.status !== 202);
  // The later one comes while the first is still running, or after it.
  if (late === undefined) expect(await answers[0]!.json()).toEqual(await answers[1]!.json());
  else expect((await problem(late)).code).toBe('idempotency-key.running');
  expect(answers.some((answer) => answer.status === 202)).toBe(true);
  expect(
    await api.store.db
      .select()
      .from(job)
      .where(eq(job.datasetId, 'at-once' as never)),
  ).toHaveLength(1);
  expect((await send()).status).toBe(202);
});

test('a key is for one request: another body under it is refused, and a request that was refused frees it', async () => {
  const send = (body: object) => api.call('POST', '/v1/datasets', { role: 'operator', body, headers: { 'Idempotency-Key': 'k3' } });
  expect((await send(newDataset('Bad Name'))).status).toBe(422);
  expect((await send(newDataset('third'))).status).toBe(202);
  const other = await send(newDataset('fourth'));
  expect(other.status).toBe(422);
  expect((await problem(other)).code).toBe('idempotency-key.invalid');
});

test('an answer that holds a secret is not kept for a repetition', async () => {
  const send = () => api.call('POST', '/v1/keys', { role: 'admin', body: { name: 'once', role: 'viewer' }, headers: { 'Idempotency-Key': 'k4' } });
  const { secret } = (await (await send()).json()) as { secret: string };
  expect((await problem(await send())).code).toBe('idempotency-key.spent');
  expect(JSON.stringify(await api.store.db.select().from(idempotency))).not.toContain(secret);
});

test('a request that was cut off frees its key after a while', async () => {
  const send = () => api.call('POST', '/v1/datasets', { role: 'operator', body: newDataset('cut-off'), headers: { 'Idempotency-Key': 'k5' } });
  expect((await send()).status).toBe(202);
  await api.store.db.update(idempotency).set({ status: 0 });
  expect((await send()).status).toBe(409);
  await api.store.db.update(idempotency).set({ status: 0, atMs: (await api.store.nowMs()) - 6 * 60_000 });
  expect((await problem(await send())).code).toBe('dataset.exists');
});
