import type { IntegrationsView, NewKey } from '@data-in-motion/shared/api/operations';
import type { DatasetId, NodeId, ReplicaId, SiteId, TargetId } from '@data-in-motion/shared/domain/ids';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { busAuthenticator } from '../../src/store/bus-identities.ts';
import { alert, busIdentity, node, replica, target } from '../../src/store/schema.ts';
import { type Interface, openInterface } from './interface.ts';

let api: Interface;
beforeAll(async () => {
  api = await openInterface();
});
afterAll(() => api.close());

const admin = (method: string, at: string, body?: object) => api.call(method, at, { role: 'admin', ...(body === undefined ? {} : { body }) });
const codeOf = async (answer: Response) => ((await answer.json()) as { code?: string }).code;
const addKey = async (name: string, role: string) => (await (await admin('POST', '/v1/keys', { name, role })).json()) as NewKey;
const nodesAs = async (secret: string) => (await api.call('GET', '/v1/nodes', { headers: { 'X-Api-Key': secret } })).status;
const joinToken = async (body: object) => ((await (await admin('POST', '/v1/agents/join-tokens', body)).json()) as { token: string }).token;
const enrol = (token: string, nodeId: string) => api.call('POST', '/v1/agents/enroll', { body: { token, nodeId } });

test('a key is made for a role, its secret shown once, and it opens until it is revoked', async () => {
  const key = await addKey('dashboard', 'viewer');
  expect(key).toMatchObject({ name: 'dashboard', role: 'viewer' });
  expect(await nodesAs(key.secret)).toBe(200);
  expect((await api.call('POST', '/v1/consistency/resync', { body: {}, headers: { 'X-Api-Key': key.secret } })).status).toBe(403);
  const listed = await (await admin('GET', '/v1/keys')).text();
  expect(listed).toContain(key.keyId);
  expect(listed).not.toContain(key.secret);
  expect((await admin('POST', '/v1/keys', { name: 'dashboard', role: 'viewer' })).status).toBe(409);
  // In the audit this is who has no key.
  expect((await admin('POST', '/v1/keys', { name: ' nobody ', role: 'viewer' })).status).toBe(422);
  expect((await admin('POST', `/v1/keys/${key.keyId}/revoke`, {})).status).toBe(200);
  expect(await nodesAs(key.secret)).toBe(401);
  expect((await admin('POST', `/v1/keys/${key.keyId}/revoke`, {})).status).toBe(404);
});

test('a console session ends with the key that it was begun with', async () => {
  const key = await addKey('on call', 'operator');
  const { token } = (await (await api.call('POST', '/v1/login-tokens', { body: {}, headers: { 'X-Api-Key': key.secret } })).json()) as { token: string };
  const Cookie = (await api.call('POST', '/v1/session', { body: { token } })).headers.get('Set-Cookie')!.split(';')[0]!;
  expect((await api.call('GET', '/v1/session', { headers: { Cookie } })).status).toBe(200);
  await admin('POST', `/v1/keys/${key.keyId}/revoke`, {});
  expect((await api.call('GET', '/v1/session', { headers: { Cookie } })).status).toBe(401);
});

test('the last admin key can not be revoked, not even by two at the same moment', async () => {
  const other = await addKey('second admin', 'admin');
  const { items } = (await (await admin('GET', '/v1/keys')).json()) as { items: { keyId: string; role: string }[] };
  const both = await Promise.all(items.filter((key) => key.role === 'admin').map((key) => admin('POST', `/v1/keys/${key.keyId}/revoke`, {})));
  expect(both.map((answer) => answer.status).sort()).toEqual([200, 409]);
  // Whichever was left, the tests go on with the first.
  if ((await nodesAs(api.keys.admin)) === 401) {
    const secret = other.secret;
    api.keys.admin = (
      (await (await api.call('POST', '/v1/keys', { body: { name: 'third admin', role: 'admin' }, headers: { 'X-Api-Key': secret } })).json()) as NewKey
    ).secret;
  }
});

test('who is no admin is not told the keys', async () => {
  const keysFor = async (role: 'viewer' | 'operator' | 'admin') =>
    ((await (await api.call('GET', '/v1/integrations', { role })).json()) as IntegrationsView).keys.length;
  expect([await keysFor('viewer'), await keysFor('operator'), (await keysFor('admin')) > 0]).toEqual([0, 0, true]);
});

test('a join token that names no node lets in somebody new, and nobody under a name that is taken', async () => {
  const token = await joinToken({});
  const refused = await enrol(token, 'berlin');
  expect([refused.status, await codeOf(refused)]).toEqual([403, 'join-token.forbidden']);
  expect((await enrol(token, 'oslo')).status).toBe(201);
  const another = await joinToken({});
  expect((await enrol(another, 'oslo')).status).toBe(403);
  expect((await enrol(another, 'bergen')).status).toBe(201);
});

test('a join token of a node replaces its password, but makes no client of an agent', async () => {
  expect((await enrol(await joinToken({ nodeId: 'oslo' }), 'oslo')).status).toBe(201);
  expect((await enrol(await joinToken({ nodeId: 'berlin' }), 'berlin')).status).toBe(201);
  for (const nodeId of ['oslo', 'berlin']) {
    const refused = await enrol(await joinToken({ nodeId, role: 'client' }), nodeId);
    expect([refused.status, await codeOf(refused)]).toEqual([409, 'identity.taken']);
  }
  expect((await api.store.db.select().from(busIdentity)).every((row) => row.role === 'agent')).toBe(true);
});

test('an agent whose identity is taken away is out at once with its copies, and comes back only by a token of its own', async () => {
  const nodeId = 'trondheim' as NodeId;
  const nowMs = await api.store.nowMs();
  const { password } = (await (await enrol(await joinToken({}), nodeId)).json()) as { password: string };
  const [nvme] = await api.store.db.select().from(target);
  await api.store.db.insert(node).values({ nodeId, siteId: 'trondheim' as SiteId, agentState: 'online', lastHeardAtMs: nowMs });
  await api.store.db.insert(target).values({ ...nvme!, nodeId, targetId: 'trondheim-disk' as TargetId });
  await api.store.db.insert(replica).values({
    replicaId: 'r1' as ReplicaId,
    datasetId: 'maps' as DatasetId,
    targetId: 'trondheim-disk' as TargetId,
    state: 'verified',
    createdAtMs: nowMs,
  });
  const mayConnect = (secret: string) => busAuthenticator(api.store.db)(nodeId, secret);
  const standing = async () => {
    const [row] = await api.store.db.select().from(node).where(eq(node.nodeId, nodeId));
    const [copy] = await api.store.db.select().from(replica);
    return [row!.agentState, copy!.state];
  };

  expect(await mayConnect(password)).toBe('agent');
  expect((await admin('POST', `/v1/agents/${nodeId}/revoke`, {})).status).toBe(200);
  expect(api.disconnected()).toContain(nodeId);
  expect(await mayConnect(password)).toBeUndefined();
  expect(await standing()).toEqual(['revoked', 'suspect']);
  expect((await admin('POST', `/v1/agents/${nodeId}/revoke`, {})).status).toBe(404);
  expect((await enrol(await joinToken({}), nodeId)).status).toBe(403);

  const again = (await (await enrol(await joinToken({ nodeId }), nodeId)).json()) as { password: string };
  expect(await mayConnect(again.password)).toBe('agent');
  expect(await standing()).toEqual(['lost', 'suspect']);
  expect(await api.store.db.select().from(alert).where(eq(alert.rule, 'agent-lost'))).toHaveLength(1);
});
