import { type RouteName, routes } from '@data-in-motion/shared/api/routes';
import { desc, eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { roleOf } from '../../src/api/endpoint.ts';
import { raiseAlert } from '../../src/store/alerts.ts';
import { audit, dataset, event, job, target } from '../../src/store/schema.ts';
import { type Interface, openInterface, problem } from './interface.ts';

let api: Interface;
beforeAll(async () => {
  api = await openInterface();
});
afterAll(() => api.close());

const newDataset = (name: string, more: object = {}) => ({ name, owner: 'maps', source: { nodeId: 'berlin', path: '/srv/maps' }, ...more });

test('the OpenAPI document has every route that is served for programs, and no other', async () => {
  const document = (await (await api.call('GET', '/openapi.json')).json()) as { openapi: string; paths: Record<string, Record<string, unknown>> };
  expect(document.openapi).toBe('3.1.0');
  const described = Object.entries(document.paths).flatMap(([at, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${at}`));
  const served = api.app.routes
    .filter(({ method, path }) => method !== 'ALL' && (path.startsWith('/v1/') || ['/healthz', '/readyz', '/metrics'].includes(path)))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  expect(described.sort()).toEqual([...new Set(served)].sort());
  expect(described).toEqual(expect.arrayContaining(Object.values(routes)));
});

test('nobody reads or changes anything without an identity, but to enrol and to sign in', async () => {
  for (const [name, route] of Object.entries(routes)) {
    const [method, at] = route.split(' ') as [string, string];
    const answer = await api.call(method, at.replaceAll(/\{\w+\}/g, 'x'), method === 'GET' || method === 'DELETE' ? {} : { body: {} });
    if (name === 'enroll' || name === 'startSession') expect(answer.status, route).toBe(422);
    else if (name === 'endSession') expect(answer.status, route).toBe(200);
    else expect(answer.status, route).toBe(401);
  }
});

test('a role below what a route needs is refused, on every route', async () => {
  for (const [name, route] of Object.entries(routes)) {
    const least = roleOf(name as RouteName);
    const [method, at] = route.split(' ') as [string, string];
    if (least !== 'operator' && least !== 'admin') continue;
    const answer = await api.call(method, at.replaceAll(/\{\w+\}/g, 'x'), {
      role: least === 'admin' ? 'operator' : 'viewer',
      ...(method === 'GET' ? {} : { body: {} }),
    });
    expect(answer.status, route).toBe(403);
    expect((await problem(answer)).code).toBe('caller.forbidden');
  }
});

test('a key that is not known is told so, and where the first one is', async () => {
  const answer = await api.call('GET', '/v1/nodes', { headers: { 'X-Api-Key': 'dim_wrong' } });
  expect(answer.status).toBe(401);
  expect((await problem(answer)).fix).toContain('admin.key');
});

test('a dataset is registered with its first import, once', async () => {
  const answer = await api.call('POST', '/v1/datasets', { role: 'operator', body: newDataset('maps') });
  expect(answer.status).toBe(202);
  const { jobId } = (await answer.json()) as { jobId: string };
  const [row] = await api.store.db
    .select()
    .from(job)
    .where(eq(job.jobId, jobId as never));
  expect(row).toMatchObject({ purpose: 'import', state: 'planned', datasetId: 'maps' });
  const again = await api.call('POST', '/v1/datasets', { role: 'operator', body: newDataset('maps') });
  expect(again.status).toBe(409);
  expect((await problem(again)).code).toBe('dataset.exists');
});

test('what no table can hold is refused at the door and never our mistake', async () => {
  const cases: [string, string, object | undefined, number][] = [
    ['GET', '/v1/audit?before=abc', undefined, 422],
    ['GET', '/v1/events?before=1e30', undefined, 422],
    ['GET', '/v1/events?limit=abc', undefined, 422],
    ['GET', '/v1/events?limit=0', undefined, 422],
    ['GET', '/v1/events?type=%00', undefined, 422],
    ['GET', '/v1/plans?before=%00', undefined, 422],
    ['GET', '/v1/jobs/%00', undefined, 422],
    ['PATCH', '/v1/datasets/maps', { owner: 'a\u0000' }, 422],
    ['PUT', '/v1/prices', { entries: [{ priceClass: 'x', validFromMs: 1.5, source: '', prices: {} }] }, 422],
    ['POST', '/v1/access-events', { accesses: [{ datasetId: 'maps', atMs: Date.now() + 86_400_000 }] }, 422],
  ];
  for (const [method, at, body, status] of cases) {
    const answer = await api.call(method, at, { role: 'admin', ...(body === undefined ? {} : { body }) });
    expect(answer.status, `${method} ${at}`).toBe(status);
    await problem(answer);
  }
  expect((await api.call('GET', '/%zz')).status).toBe(404);
});

test('bad input names its fields, says what is expected, and changes nothing', async () => {
  const before = (await api.store.db.select().from(dataset)).length;
  const cases: [unknown, number, string][] = [
    [newDataset('Bad Name'), 422, 'body.name'],
    [newDataset('odd', { policy: { copys: 2 } }), 422, 'body.policy'],
    [newDataset('odd', { policy: { copies: 0 } }), 422, 'body.policy.copies'],
    [newDataset('odd', { policy: { latencySloMs: '50ms' } }), 422, 'body.policy.latencySloMs'],
    [newDataset('odd', { source: { nodeId: 'berlin', path: 'relative' } }), 422, ''],
    [newDataset('odd', { source: { nodeId: 'berlin', path: '/etc' } }), 422, ''],
    [newDataset('odd', { source: { nodeId: 'berlin', path: '/srv/../etc' } }), 422, ''],
    [newDataset('odd', { source: { nodeId: 'nowhere', path: '/srv/x' } }), 404, ''],
    [newDataset('odd', { policy: { regions: ['mars'] } }), 422, ''],
  ];
  for (const [body, status, field] of cases) {
    const answer = await api.call('POST', '/v1/datasets', { role: 'operator', body });
    expect(answer.status, JSON.stringify(body)).toBe(status);
    const told = await problem(answer);
    expect(told.fix, JSON.stringify(body)).toBeTruthy();
    if (field !== '') expect(told.errors?.map((one) => one.field)).toContain(field);
  }
  expect((await api.call('POST', '/v1/datasets', { role: 'operator', raw: '{"name":' })).status).toBe(400);
  expect((await api.call('POST', '/v1/datasets', { role: 'operator', raw: '\u0000\u0001' })).status).toBe(400);
  const large = await api.call('POST', '/v1/access-events', {
    role: 'operator',
    raw: 'x'.repeat(10 * 1024 * 1024),
    headers: { 'Content-Length': String(10 * 1024 * 1024) },
  });
  expect(large.status).toBe(413);
  expect((await api.store.db.select().from(dataset)).length).toBe(before);
});

test('two changes at once both arrive, one after the other, and their meeting is counted', async () => {
  const path = '/v1/datasets/maps/policy';
  const before = Number((await (await api.call('GET', '/v1/datasets/maps', { role: 'viewer' })).headers.get('ETag'))?.replaceAll('"', ''));
  const answers = await Promise.all([
    api.call('PATCH', path, { role: 'operator', body: { set: { copies: 1 } } }),
    api.call('PATCH', path, { role: 'operator', body: { set: { latencySloMs: 50 } } }),
  ]);
  expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
  const [row] = await api.store.db
    .select()
    .from(dataset)
    .where(eq(dataset.datasetId, 'maps' as never));
  expect(row!.rev).toBe(before + 2);
  expect(row!.ownPolicy).toMatchObject({ copies: 1, latencySloMs: 50 });
  expect(await api.store.db.select().from(event).where(eq(event.type, 'sync_conflict'))).toHaveLength(1);
});

test('a change of what was read earlier is told that it is stale', async () => {
  const answer = await api.call('PATCH', '/v1/datasets/maps', { role: 'operator', body: { owner: 'somebody' }, headers: { 'If-Match': '"1"' } });
  expect(answer.status).toBe(412);
  expect((await problem(answer)).code).toBe('dataset.stale');
  const [row] = await api.store.db
    .select()
    .from(dataset)
    .where(eq(dataset.datasetId, 'maps' as never));
  expect(row!.owner).toBe('maps');
});

test('changes of the fleet policy that meet are counted too', async () => {
  const conflicts = async () =>
    (await api.store.db.select().from(event).where(eq(event.type, 'sync_conflict'))).filter((row) => row.text.includes('global policy')).length;
  const patch = (body: object, headers = {}) => api.call('PATCH', '/v1/policies/global?force=true', { role: 'admin', body, headers });
  const answers = await Promise.all([patch({ copies: 3 }), patch({ latencySloMs: 40 })]);
  expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
  expect(await (await api.call('GET', '/v1/policies/global', { role: 'viewer' })).json()).toMatchObject({ copies: 3, latencySloMs: 40 });
  const met = await conflicts();
  expect(met).toBeGreaterThan(0);
  expect((await patch({ copies: 2 }, { 'If-Match': '"1"' })).status).toBe(412);
  expect(await conflicts()).toBe(met + 1);
});

test('accesses count once per id, and last access is there at once', async () => {
  const send = () =>
    api.call('POST', '/v1/access-events', {
      role: 'operator',
      body: { accesses: [{ accessId: 'a-1', datasetId: 'maps', bytes: 100, atMs: 1_700_000_000_000 }] },
    });
  expect(await (await send()).json()).toMatchObject({ accepted: 1, repeated: 0 });
  expect(await (await send()).json()).toMatchObject({ accepted: 0, repeated: 1 });
  const [row] = await api.store.db
    .select()
    .from(dataset)
    .where(eq(dataset.datasetId, 'maps' as never));
  expect(row!.lastAccessAtMs).toBe(1_700_000_000_000);
  expect((await api.call('POST', '/v1/access-events', { role: 'operator', body: { accesses: [{ datasetId: 'nobody' }] } })).status).toBe(404);
});

test('a login address is good once and becomes a session that ends', async () => {
  const { token } = (await (await api.call('POST', '/v1/login-tokens', { role: 'admin', body: {} })).json()) as { token: string };
  const signIn = () => api.call('POST', '/v1/session', { body: { token } });
  const session = await signIn();
  expect(session.status).toBe(200);
  const cookie = session.headers.get('Set-Cookie')!;
  expect(cookie).toMatch(/HttpOnly/);
  expect(cookie).toMatch(/SameSite=Strict/);
  expect((await signIn()).status).toBe(401);
  const Cookie = cookie.split(';')[0]!;
  expect((await api.call('GET', '/v1/session', { headers: { Cookie } })).status).toBe(200);
  const foreign = await api.call('POST', '/v1/login-tokens', { body: {}, headers: { Cookie, Origin: 'http://evil.example' } });
  expect(foreign.status).toBe(403);
  await api.call('DELETE', '/v1/session', { headers: { Cookie } });
  expect((await api.call('GET', '/v1/session', { headers: { Cookie } })).status).toBe(401);
});

test('of two that use one join token at the same moment exactly one becomes an agent', async () => {
  const { token } = (await (await api.call('POST', '/v1/agents/join-tokens', { role: 'admin', body: { nodeId: 'paris' } })).json()) as { token: string };
  expect((await api.call('POST', '/v1/agents/enroll', { body: { token: `${token}x`, nodeId: 'paris' } })).status).toBe(401);
  const both = await Promise.all([1, 2].map(() => api.call('POST', '/v1/agents/enroll', { body: { token, nodeId: 'paris' } })));
  expect(both.map((answer) => answer.status).sort()).toEqual([201, 401]);
});

test('every change has an audit row, refused ones too, with who and what came of it', async () => {
  const rows = await api.store.db.select().from(audit);
  expect(rows.some((row) => row.who === 'operator' && row.action === 'POST /v1/datasets' && row.outcome === '202')).toBe(true);
  expect(rows.some((row) => row.who === 'viewer' && row.outcome === '403')).toBe(true);
  expect(rows.some((row) => row.who === 'nobody' && row.outcome === '401')).toBe(true);
});

test('an audit row tells what was asked for and what was made, and never a secret', async () => {
  const newest = async () => (await api.store.db.select().from(audit).orderBy(desc(audit.seq)).limit(1))[0]!;
  await api.call('POST', '/v1/datasets', { role: 'operator', body: newDataset('audited') });
  expect(await newest()).toMatchObject({ action: 'POST /v1/datasets', subject: 'audited', detail: { owner: 'maps', source: { path: '/srv/maps' } } });
  await api.call('PATCH', '/v1/datasets/audited', { role: 'operator', body: { owner: 'else' } });
  expect(await newest()).toMatchObject({ subject: 'audited', detail: { owner: 'else' } });
  await api.call('POST', '/v1/agents/enroll', { body: { token: 'a-wrong-token', nodeId: 'x' } });
  expect(await newest()).toMatchObject({ who: 'nobody', outcome: '401', detail: { token: 'not kept', nodeId: 'x' } });
  await api.call('POST', '/v1/datasets', { body: {}, headers: { 'X-Api-Key': 'dim_wrong' } });
  expect(await newest()).toMatchObject({ who: 'nobody', action: 'POST /v1/datasets', outcome: '401' });
  const raw = 'x'.repeat(5 * 1024 * 1024);
  await api.call('POST', '/v1/access-events', { role: 'operator', raw, headers: { 'Content-Length': String(raw.length) } });
  expect(await newest()).toMatchObject({ action: 'POST /v1/access-events', outcome: '413' });
});

test('a fault that nobody has heard of, or on something that is not there, is refused', async () => {
  const arm = (body: object) => api.call('POST', '/v1/chaos/experiments', { role: 'admin', body });
  expect((await arm({ kind: 'set-on-fire', subject: 'berlin' })).status).toBe(422);
  expect((await arm({ kind: 'target-latency', subject: 'atlantis' })).status).toBe(404);
  expect((await arm({ kind: 'target-latency', subject: 'berlin-nvme', parameters: { volume: 11 } })).status).toBe(422);
});

test('a target that its agent can not reach is not said to be well, and says why', async () => {
  const mine = eq(target.targetId, 'berlin-nvme' as never);
  const text = 'its directory /srv/dim is not there';
  await api.store.db.update(target).set({ reachable: false }).where(mine);
  await api.store.transaction((tx) =>
    raiseAlert(tx, 1, { rule: 'target-unreachable', subject: 'berlin-nvme', severity: 'error', text, ids: { targetId: 'berlin-nvme' } }),
  );
  const look = async (at: string) => (await api.call('GET', at, { role: 'viewer' })).json();
  await expect.poll(() => look('/v1/targets/berlin-nvme')).toMatchObject({ state: 'lost', stateReason: text });
  expect(await look('/v1/status')).toMatchObject({ targets: { total: 1, ok: 0 } });
  await api.store.db.update(target).set({ reachable: true }).where(mine);
});

test('health, readiness and metrics answer without an identity', async () => {
  expect((await api.call('GET', '/healthz')).status).toBe(200);
  expect(await (await api.call('GET', '/readyz')).json()).toMatchObject({ status: 'ready', database: 'up', broker: 'up' });
  const text = await (await api.call('GET', '/metrics')).text();
  expect(text).toContain('dim_http_request_seconds_bucket');
  expect(text).toMatch(/dim_nodes\{state="online"\} 1/);
});

test('a path that somebody makes up is no series of its own', async () => {
  await api.call('GET', '/v1/made-up-1/x');
  await api.call('GET', '/v1/nodes/made-up-2', { role: 'viewer' });
  const text = await (await api.call('GET', '/metrics')).text();
  expect(text).not.toContain('made-up');
  expect(text).toContain('route="/v1/nodes/:nodeId"');
  expect(text).toContain('route="unknown"');
});

test('what is not there is a problem document too', async () => {
  expect((await problem(await api.call('GET', '/v1/nothing', { role: 'viewer' }))).code).toBe('path.not-found');
  for (const noun of ['dataset', 'node', 'device', 'target', 'job'])
    expect(await problem(await api.call('GET', `/v1/${noun}s/nothing`, { role: 'viewer' }))).toMatchObject({
      code: `${noun}.not-found`,
      fix: `dim ${noun}s lists them.`,
    });
});
