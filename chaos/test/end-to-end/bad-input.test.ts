import { readFileSync } from 'node:fs';
import path from 'node:path';
import { datasetDetail } from '@data-in-motion/shared/api/datasets';
import { jobView } from '@data-in-motion/shared/api/decisions';
import { nodeView, problem, targetView } from '@data-in-motion/shared/api/fleet';
import { consistencyView, enrollAnswer, joinTokenAnswer, newKey } from '@data-in-motion/shared/api/operations';
import { topicFor } from '@data-in-motion/shared/protocol/topics';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect } from 'vitest';
import { z } from 'zod';
import { add, detailOf, until, untilMet, untilQuiet } from './asking.ts';
import { closeStages, openStage, type Stage, startMs, test, usualServers } from './stage.ts';

/** Whatever comes in at the doors: a clear answer, and nothing is different afterwards. */

let stage: Stage;
const importRoot = '/usr/share/misc';
beforeAll(async () => {
  stage = await openStage('bad-input', { importRoots: [importRoot] });
  await add(stage, 'steady', { sampleBytes: 400_000, seed: stage.seed });
  await untilMet(stage, 'steady');
  await untilQuiet(stage);
}, startMs);
afterAll(closeStages, startMs);

const large = 10_000_000;
const policy = (set: string): string => `{"set":{${set}}}`;
const added = (fields: string): string => `{"name":"new","owner":"o","source":{"sampleBytes":10},${fields}}`;

test.each<[string, string, string, string, number, RegExp]>([
  ['10 MB of a JSON text', 'POST', '/v1/datasets', JSON.stringify({ name: 'x'.repeat(large) }), 413, /larger than/],
  ['10 MB of zeros', 'POST', '/v1/access-events', '\0'.repeat(large), 413, /larger than/],
  ['no JSON', 'POST', '/v1/datasets', 'name=photos', 400, /not JSON/],
  ['half of a JSON text', 'POST', '/v1/datasets', '{"name":"pho', 400, /not JSON/],
  ['a list in place of an object', 'POST', '/v1/datasets', '[]', 422, /object/],
  ['an unknown field', 'POST', '/v1/datasets', added('"colour":"red"'), 422, /colour/],
  ['an unknown field of a policy', 'PATCH', '/v1/datasets/steady/policy', policy('"copys":3'), 422, /copys/],
  ['a text with a unit where milliseconds are wanted', 'PATCH', '/v1/datasets/steady/policy', policy('"latencySloMs":"50ms"'), 422, /latencySloMs/],
  ['a negative number of copies', 'PATCH', '/v1/datasets/steady/policy', policy('"copies":-1'), 422, /copies/],
  ['half a copy', 'PATCH', '/v1/datasets/steady/policy', policy('"copies":1.5'), 422, /copies/],
  ['a number that is none', 'PATCH', '/v1/datasets/steady/policy', policy('"maxCostPerGbMonth":1e999'), 422, /maxCostPerGbMonth|not JSON/],
  [
    'a price in words',
    'PUT',
    '/v1/prices',
    '{"entries":[{"priceClass":"a","validFromMs":0,"source":"s","prices":{"storagePerGbMonth":"two cents"}}]}',
    422,
    /storagePerGbMonth/,
  ],
  ['a name that leads elsewhere', 'POST', '/v1/datasets', '{"name":"../../etc","owner":"o","source":{"sampleBytes":10}}', 422, /name/],
  ['a node that is not there', 'POST', '/v1/datasets', '{"name":"new","owner":"o","source":{"nodeId":"atlantis","path":"/data"}}', 404, /atlantis/],
  ['an access of nothing', 'POST', '/v1/access-events', '{"accesses":[]}', 422, /accesses/],
  ['an access with a negative count', 'POST', '/v1/access-events', '{"accesses":[{"datasetId":"steady","count":-5}]}', 422, /count/],
  ['too many events', 'POST', '/v1/simulate/burst', '{"events":1000000000}', 422, /events/],
  ['a fault that nobody knows', 'POST', '/v1/chaos/experiments', '{"kind":"earthquake","subject":"berlin"}', 422, /kind/],
  ['a fault without end', 'POST', '/v1/chaos/experiments', '{"kind":"kill-agent","subject":"berlin","ttlMs":99999999999}', 422, /ttlMs/],
  ['a dataset that is not there', 'GET', '/v1/datasets/atlantis', '', 404, /atlantis/],
  ['a path that is not there', 'GET', '/v1/atlantis', '', 404, /./],
])('%s is refused in words', async (_, method, place, body, status, says) => {
  const before = await standing();
  const response = await fetch(`${stage.fleet.url}${place}`, {
    method,
    headers: { 'x-api-key': stage.fleet.apiKey, 'content-type': 'application/json' },
    ...(method === 'GET' ? {} : { body }),
  });
  const text = await response.text();
  expect(response.status === status || (status === 422 && response.status === 400), `${response.status}: ${text.slice(0, 300)}`).toBe(true);
  const told = problem.parse(JSON.parse(text));
  expect(JSON.stringify(told)).toMatch(says);
  expect(told.detail).not.toMatch(/at .*\.ts:\d+/);
  expect(await standing()).toEqual(before);
});

test.each([
  ['beside the roots', '/etc'],
  ['above the roots', '/usr'],
  ['out of the roots by dots', `${importRoot}/../../../etc`],
  ['with the same beginning', `${importRoot}-not`],
  ['not absolute', 'share/misc'],
])('a directory %s is never read', async (how, directory) => {
  const name = `outside-${how.replaceAll(' ', '-')}`;
  const response = await fetch(`${stage.fleet.url}/v1/datasets`, {
    method: 'POST',
    headers: { 'x-api-key': stage.fleet.apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ name, owner: 'o', source: { nodeId: 'berlin', path: directory } }),
  });
  if (response.ok) {
    // The agent is the one who knows its roots: then it refuses, and the job says so.
    const job = await until('the refusal', 60, async (seen) => {
      const [found] = (await stage.fleet.api.list('jobs', jobView, { dataset: name })).items;
      seen(JSON.stringify(found));
      return found?.error != null && ['dead-letter', 'cancelled'].includes(found.state) ? found : undefined;
    });
    expect(job.error?.message).toMatch(/root/);
    expect((await stage.fleet.api.call('dataset', datasetDetail, { path: { datasetId: name } })).dataset.versionId).toBeNull();
  } else expect(JSON.stringify(problem.parse(await response.json()))).toMatch(/root|absolute|path/);
});

test('no key, a wrong key and a too small role change nothing', async () => {
  const before = await standing();
  for (const headers of [{}, { 'x-api-key': 'dim_nobody' }] as Record<string, string>[]) {
    const response = await fetch(`${stage.fleet.url}/v1/datasets`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: added('"policy":{}'),
    });
    expect(response.status).toBe(401);
  }
  // The same words are taken from a key whose role is large enough: it is the role that refuses.
  for (const [role, status] of [
    ['viewer', 403],
    ['operator', 422],
  ] as const) {
    const { secret } = await stage.fleet.api.call('addKey', newKey, { body: { name: `a ${role}`, role } });
    const response = await fetch(`${stage.fleet.url}/v1/datasets`, {
      method: 'POST',
      headers: { 'x-api-key': secret, 'content-type': 'application/json' },
      body: added('"colour":"red"'),
    });
    expect(response.status, role).toBe(status);
    expect((await fetch(`${stage.fleet.url}/v1/datasets`, { headers: { 'x-api-key': secret } })).status, role).toBe(200);
  }
  expect(await standing()).toEqual(before);
});

test('what an enrolled client sends that is no access is quarantined and counted, and a good one after it is taken', async () => {
  const { token } = await stage.fleet.api.call('joinToken', joinTokenAnswer, { body: { nodeId: 'gateway', role: 'client' } });
  const { password } = await stage.fleet.api.call('enroll', enrollAnswer, { body: { token, nodeId: 'gateway' } });
  const client = await connectAsync(stage.fleet.mqttUrl, { clientId: 'gateway', username: 'gateway', password, reconnectPeriod: 0 });
  try {
    await garbage(client, topicFor('access', 'gateway'));
    await client.publishAsync(
      topicFor('access', 'gateway'),
      JSON.stringify({ v: 1, accesses: [{ accessId: 'good-1', datasetId: 'steady', kind: 'read', count: 7, bytes: 1, atMs: Date.now(), latencyMs: null }] }),
      { qos: 1 },
    );
    await until('the good access', 30, async (seen) => {
      const { dataset } = await detailOf(stage, 'steady');
      const hours = (await detailOf(stage, 'steady')).accessByHour;
      seen(JSON.stringify([dataset.heat?.windows, hours.at(-1)]));
      return hours.reduce((sum, count) => sum + count, 0) === 7 ? dataset : undefined;
    });
  } finally {
    await client.endAsync(true);
  }
});

test('what comes under an agent’s name and is none of its messages is quarantined, and the agent goes on', async () => {
  await stage.fleet.stopNode('virginia', 'killed');
  const { password } = z
    .object({ password: z.string() })
    .parse(JSON.parse(readFileSync(path.join(stage.fleet.home.agent('virginia'), 'credentials.json'), 'utf8')));
  const client = await connectAsync(stage.fleet.mqttUrl, { clientId: 'virginia', username: 'virginia', password, reconnectPeriod: 0 });
  try {
    await garbage(client, topicFor('batch', 'virginia'));
  } finally {
    await client.endAsync(true);
  }
  stage.fleet.startNode('virginia');
  await stage.fleet.untilReady();
  expect(await untilMet(stage, 'steady')).toMatchObject({ dataset: { policyState: 'met' } });
});

/** A broker of somebody's own asks for its own passwords; what the embedded one and the shipped rights let through is looked at beside the broker. */
const atTheDoor = usualServers === 'outside' ? test.skip : test;
atTheDoor('a wrong password does not come in, and neither does none', async () => {
  await expect(connectAsync(stage.fleet.mqttUrl, { clientId: 'berlin', username: 'berlin', password: 'guess', reconnectPeriod: 0 })).rejects.toThrow();
  await expect(connectAsync(stage.fleet.mqttUrl, { clientId: 'berlin', reconnectPeriod: 0 })).rejects.toThrow();
});

/** Four messages that can not be read: each is quarantined, and the counter says so. */
async function garbage(client: MqttClient, topic: string): Promise<void> {
  const before = await quarantined();
  const good = { v: 1, uid: 'x', accesses: [{ accessId: 'a', datasetId: 'steady', kind: 'read', count: 1, bytes: 0, atMs: Date.now(), latencyMs: null }] };
  const messages = [
    'not JSON',
    Buffer.from([0xff, 0x00, 0xfe]),
    JSON.stringify({ ...good, v: 99 }),
    JSON.stringify({ v: 1, accesses: [{ ...good.accesses[0], count: '5 reads' }] }),
  ];
  for (const message of messages) await client.publishAsync(topic, message, { qos: 1 });
  await until('the quarantine', 30, async (seen) => {
    const now = await quarantined();
    seen(`${now - before} of ${messages.length}`);
    return now - before >= messages.length ? now : undefined;
  });
}

async function quarantined(): Promise<number> {
  return (await stage.fleet.api.call('consistency', consistencyView)).quarantined;
}

/** What must be the same before and after: who and what there is, and its revision. */
async function standing(): Promise<unknown> {
  const { api } = stage.fleet;
  const nodes = (await api.list('nodes', nodeView)).items.map((one) => one.nodeId);
  const targets = (await api.list('targets', targetView)).items.map((one) => [one.targetId, one.replicas]);
  const { dataset, policy: inForce } = await detailOf(stage, 'steady');
  const datasets = (await api.list('datasets', z.object({ datasetId: z.string() }))).items;
  const jobs = (await api.list('jobs', jobView)).items.length;
  return { nodes, targets, rev: dataset.rev, inForce, datasets, jobs };
}
