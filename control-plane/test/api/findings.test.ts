import { findingsApplied, findingsView } from '@data-in-motion/shared/api/findings';
import type { NodeId, SiteId, TargetId } from '@data-in-motion/shared/domain/ids';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dataset, job, node, target } from '../../src/store/schema.ts';
import { type Interface, problem } from './interface.ts';
import { openWithTwoCopies } from './two-copies.ts';

let api: Interface;
beforeAll(async () => {
  api = await openWithTwoCopies({ decides: true });
}, 60_000);
afterAll(() => api.close());

const look = async (query = '') => {
  api.forgetLook();
  return findingsView.parse(await (await api.call('GET', `/v1/findings${query}`, { role: 'viewer' })).json());
};
const apply = (role: 'viewer' | 'operator' = 'operator', datasetId = 'maps') => api.call('POST', '/v1/findings/apply', { role, body: { datasetId } });

async function moveFrankfurtTo(region: string): Promise<void> {
  const [row] = await api.store.db
    .select()
    .from(target)
    .where(eq(target.targetId, 'frankfurt-disk' as TargetId));
  await api.store.db
    .update(target)
    .set({ description: { ...row!.description, region } })
    .where(eq(target.targetId, 'frankfurt-disk' as TargetId));
}

test('where all is as policy says nothing is found, and nothing is done in the name of it', async () => {
  expect(await look()).toMatchObject({ items: [], next: null, datasets: 0, bySeverity: { error: 0, warning: 0, info: 0 } });
  const answer = await apply();
  expect(answer.status).toBe(409);
  expect(await problem(answer)).toMatchObject({ code: 'findings.nothing-to-do' });
});

test('a copy in a forbidden region is found with its remedy; where no place is left, applying it says which rules clash and the way out', async () => {
  await moveFrankfurtTo('us-east');
  await api.store.db.update(dataset).set({ ownPolicy: { regions: ['eu-central'], copies: 2, spread: 'site', mode: 'advisory' } });
  expect(await look()).toMatchObject({
    items: [{ datasetId: 'maps', owner: 'cartography', rule: 'region', severity: 'error', targetId: 'frankfurt-disk', mode: 'advisory', working: false }],
    byRule: { region: 1 },
    datasets: 1,
  });
  const answer = await apply();
  expect(answer.status).toBe(409);
  expect(await problem(answer)).toMatchObject({
    code: 'findings.infeasible',
    detail: expect.stringMatching(/No place is left for maps; these rules clash: .*spread/),
    fix: expect.stringContaining('The cheapest way out: '),
  });
  expect(await api.store.db.select().from(job)).toEqual([]);
});

test('with a place for it one request moves the copy, also in advisory mode, and a second one makes no second job', async () => {
  const { db } = api.store;
  const [berlin] = await db
    .select()
    .from(target)
    .where(eq(target.targetId, 'berlin-disk' as TargetId));
  const heard = { agentState: 'online' as const, incarnation: 1, importRoots: [], faultsAllowed: true, lastHeardAtMs: await api.store.nowMs() };
  await db.insert(node).values({ nodeId: 'paris' as NodeId, siteId: 'paris' as SiteId, ...heard });
  const targetId = 'paris-disk' as TargetId;
  await db.insert(target).values({ ...berlin!, nodeId: 'paris' as NodeId, targetId, description: { ...berlin!.description, targetId } });

  expect((await apply('viewer')).status).toBe(403);
  const answer = await apply();
  expect(answer.status).toBe(202);
  const { plan, jobs } = findingsApplied.parse(await answer.json());
  expect(plan.moves).toMatchObject([{ need: 'leave-forbidden-place', action: 'move', fromTargetId: 'frankfurt-disk', toTargetId: 'paris-disk' }]);
  expect((await db.select().from(job)).map(({ jobId, purpose, toTargetId }) => [jobId, purpose, toTargetId])).toEqual([[jobs[0], 'move', 'paris-disk']]);
  expect((await look()).items).toMatchObject([{ rule: 'region', working: true }]);

  expect(await problem(await apply())).toMatchObject({ code: 'findings.nothing-to-do' });
  expect(await db.select().from(job)).toHaveLength(1);
});

test('findings come in pages without a gap and without one twice, the worst first, and can be asked for by rule and owner', async () => {
  const { db } = api.store;
  const [maps] = await db.select().from(dataset);
  // Copies of the dataset are wanted at three places, of which there are two: a warning besides the error.
  await db.update(dataset).set({ ownPolicy: { ...maps!.ownPolicy, copies: 3 } });
  const whole = await look();
  expect(whole.items.map(({ rule, severity }) => `${severity} ${rule}`)).toEqual(['error region', 'warning copies']);
  const first = await look('?limit=1');
  expect(first.items).toEqual([whole.items[0]]);
  expect((await look(`?limit=1&before=${encodeURIComponent(first.next!)}`)).items).toEqual([whole.items[1]]);
  expect((await look('?severity=warning')).items).toEqual([whole.items[1]]);
  expect((await look('?rule=region&owner=cartography')).items).toEqual([whole.items[0]]);
  expect((await look('?owner=nobody')).items).toEqual([]);
});

test('a dataset that is not there is refused', async () => {
  expect((await apply('operator', 'atlantis')).status).toBe(404);
});
