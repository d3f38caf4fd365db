import type { ModelDetail, ModelView } from '@data-in-motion/shared/api/models';
import { contentVersion } from '@data-in-motion/shared/model-identity';
import { smallModel } from '@data-in-motion/shared/testdata/small-model';
import { desc } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { audit, event, node } from '../../src/store/schema.ts';
import { type Interface, openInterface, problem } from './interface.ts';

let api: Interface;
beforeAll(async () => {
  api = await openInterface();
});
afterAll(() => api.close());

const [one, two] = [smallModel(), smallModel({ base: -4 })];
const metrics = {
  dataHash: 'test part',
  from: '2016-01-01',
  to: '2016-12-01',
  auc: 0.87,
  averagePrecision: 0.1,
  truePositiveRate: { '0.001': 0.2, '0.005': 0.35, '0.01': 0.42 },
  decisions: 1_000,
  failures: 30,
};
const post = (at: string, body: object, headers: Record<string, string> = {}) => api.call('POST', `/v1/models${at}`, { role: 'admin', body, headers });
const list = async () => ((await (await api.call('GET', '/v1/models', { role: 'viewer' })).json()) as { items: ModelView[] }).items;

test('a model is added, promoted and shown with its artifact, its figures and who runs it, and every step is audited', async () => {
  const added = await post('', { artifact: one, metrics });
  expect(added.status).toBe(201);
  expect(await added.json()).toMatchObject({ version: one.version, state: 'candidate', addedBy: 'admin', metrics, trained: { drives: 1_000 } });
  const wakes = api.wakes();
  expect((await post(`/${one.version}/promote`, { to: 'active' })).status).toBe(200);
  expect(api.wakes()).toBeGreaterThan(wakes);
  await api.store.db.update(node).set({ modelVersion: one.version as never });
  const short = (await (await api.call('GET', `/v1/models/${one.version}`, { role: 'viewer' })).json()) as ModelDetail;
  expect(short).toMatchObject({ state: 'active', nodes: 1, levels: one.levels, calibration: one.calibration, trees: one.trees.roots.length, artifact: null });
  const whole = (await (await api.call('GET', `/v1/models/${one.version}?artifact=true`, { role: 'viewer' })).json()) as ModelDetail;
  expect(contentVersion(whole.artifact!)).toBe(one.version);
  const rows = await api.store.db.select().from(audit).orderBy(desc(audit.seq)).limit(2);
  expect(rows.map(({ who, action, subject, outcome }) => [who, action, subject, outcome])).toEqual([
    ['admin', `POST /v1/models/${one.version}/promote`, one.version, '200'],
    ['admin', 'POST /v1/models', one.version, '201'],
  ]);
  expect((await api.store.db.select().from(event)).map((row) => row.type)).toEqual(expect.arrayContaining(['model.added', 'model.promoted']));
});

test('what can not be run is refused with what is wrong and what to do', async () => {
  for (const [body, status, code] of [
    [{ artifact: { ...two, base: 0 } }, 422, 'model.invalid'],
    [{ artifact: { ...two, trees: {} } }, 422, 'model.invalid'],
    [{ artifact: two, metrics: { ...metrics, auc: 7 } }, 422, 'request.invalid'],
    [{ artifact: 'x' }, 422, 'request.invalid'],
    [{ artifact: smallModel({ trained: { ...two.trained, parameters: { padding: 'x'.repeat(1_000_000) } } }) }, 413, 'model.too-large'],
    [{ artifact: smallModel({ trained: { ...two.trained, parameters: { padding: 'x'.repeat(5_000_000) } } }) }, 413, 'request.too-large'],
  ] as const) {
    const answer = await post('', body);
    expect([answer.status, code]).toEqual([status, code]);
    expect(await problem(answer)).toMatchObject({ code, fix: expect.any(String) });
  }
  expect(await list()).toHaveLength(1);
});

test('a worse model, a model of other data and a change of what was read earlier are refused with the figures', async () => {
  await post('', { artifact: two, metrics: { ...metrics, auc: 0.5 } });
  const worse = await post(`/${two.version}/promote`, { to: 'active' });
  expect(worse.status).toBe(409);
  expect(await problem(worse)).toMatchObject({ code: 'model.worse', detail: expect.stringContaining('AUC 0.5, the active one 0.87') });
  await post('', { artifact: two, metrics: { ...metrics, dataHash: 'another part' } });
  const other = await post(`/${two.version}/promote`, { to: 'active' });
  expect([other.status, (await problem(other)).fix]).toEqual([409, expect.stringContaining('Measure both on the same data first')]);
  const stale = await post(`/${two.version}/promote`, { to: 'shadow' }, { 'If-Match': '"1"' });
  expect([stale.status, (await problem(stale)).code]).toEqual([412, 'model.stale']);
  expect((await post('/0123456789ab/promote', { to: 'active' })).status).toBe(404);
  const etag = (await api.call('GET', `/v1/models/${two.version}`, { role: 'viewer' })).headers.get('ETag')!;
  expect((await post(`/${two.version}/promote`, { to: 'shadow' }, { 'If-Match': etag })).status).toBe(200);
});

test('a roll-back that is sent twice under one key is done once', async () => {
  await post('', { artifact: two, metrics });
  expect((await post(`/${two.version}/promote`, { to: 'active' })).status).toBe(200);
  const back = () => post('/rollback', { because: 'it cried wolf' }, { 'Idempotency-Key': 'back' });
  const [first, again] = [await back(), await back()];
  expect([first.status, again.status, again.headers.get('Idempotent-Replay')]).toEqual([200, 200, 'true']);
  expect(((await first.json()) as ModelView).version).toBe(one.version);
  const none = await post('/rollback', {});
  expect([none.status, (await problem(none)).code]).toEqual([409, 'model.no-earlier']);
  expect((await post(`/${one.version}/retire`, { because: 'rules will do' })).status).toBe(200);
  expect((await list()).map(({ state }) => state)).toEqual(['retired', 'retired']);
});
