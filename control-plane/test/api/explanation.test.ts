import type { DatasetDetail } from '@data-in-motion/shared/api/datasets';
import { datasetExplanation } from '@data-in-motion/shared/api/explanation';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeGlobalPolicy } from '../../src/store/policies.ts';
import { dataset, globalPolicy, target } from '../../src/store/schema.ts';
import { type Interface, problem } from './interface.ts';
import { openWithTwoCopies } from './two-copies.ts';

let api: Interface;
const path = '/v1/datasets/maps/policy';

beforeAll(async () => {
  api = await openWithTwoCopies();
});
afterAll(() => api.close());
beforeEach(async () => {
  await api.store.db.update(dataset).set({ ownPolicy: {} });
  api.forgetLook();
});

const patch = (set: object, query = '') => api.call('PATCH', `${path}${query}`, { role: 'operator', body: { set } });
const own = async () =>
  (
    await api.store.db
      .select()
      .from(dataset)
      .where(eq(dataset.datasetId, 'maps' as never))
  )[0]!.ownPolicy;

describe('why each copy is where it is', () => {
  test('is told with parts that add up, at most five alternatives, what binds and where it flips', async () => {
    const answer = await api.call('GET', '/v1/datasets/maps/explanation', { role: 'viewer' });
    expect(answer.status).toBe(200);
    const explained = datasetExplanation.parse(await answer.json());
    expect(explained.copies.map((copy) => [copy.targetId, copy.primary])).toEqual([
      ['berlin-disk', true],
      ['frankfurt-disk', false],
    ]);
    for (const copy of explained.copies) {
      expect(Object.values(copy.parts).reduce((sum, part) => sum + part, 0)).toBeCloseTo(copy.objectivePerMonth, 15);
      expect(copy.alternatives.length).toBeLessThanOrEqual(5);
      expect(copy.bindingText).not.toBe('');
    }
    expect(explained.objectivePerMonth).toBeCloseTo(
      explained.copies.reduce((sum, copy) => sum + copy.objectivePerMonth, 0),
      15,
    );
    const detail = (await (await api.call('GET', '/v1/datasets/maps', { role: 'viewer' })).json()) as DatasetDetail;
    expect(detail.replicas.map(({ why }) => why)).toEqual(explained.copies.map(({ why }) => why));
    expect(explained.impossible).toBeNull();
  });

  test('is not there for a dataset that is not', async () => {
    expect((await api.call('GET', '/v1/datasets/nothing/explanation', { role: 'viewer' })).status).toBe(404);
  });
});

describe('a policy that can not be met', () => {
  test('ever: is refused with the rule and the cheapest way out, changes nothing, and is set when a person insists', async () => {
    const answer = await patch({ copies: 3 });
    expect(answer.status).toBe(422);
    expect(await problem(answer)).toMatchObject({
      code: 'policy.infeasible',
      detail: 'No place of this fleet can meet this policy: spread.',
      fix: expect.stringMatching(/^Cheapest way out: ask for less distance between copies than "site", so that .*force/),
    });
    expect(await own()).toEqual({});
    const forced = await patch({ copies: 3 }, '?force=true');
    expect(forced.status).toBe(200);
    expect(await forced.json()).toMatchObject({ datasetId: 'maps', warning: { when: 'never', rules: ['spread'] } });
    expect(await own()).toEqual({ copies: 3 });
    api.forgetLook();
    const explained = (await (await api.call('GET', '/v1/datasets/maps/explanation', { role: 'viewer' })).json()) as { impossible: object };
    expect(explained.impossible).toMatchObject({ when: 'never', rules: ['spread'] });
  });

  test('in a region that no target has: is refused, and set when a person insists', async () => {
    expect(await problem(await patch({ regions: ['mars'] }))).toMatchObject({ code: 'policy.infeasible', detail: 'No target is in the region "mars".' });
    expect((await patch({ regions: ['mars'] }, '?force=true')).status).toBe(200);
  });

  test('now: is set, with a warning', async () => {
    await api.store.db.update(target).set({ usedBytes: 999e9 });
    const large = { name: 'large', owner: 'me', source: { nodeId: 'berlin', sampleBytes: 5e9 }, policy: { latencySloMs: null } };
    const answer = await api.call('POST', '/v1/datasets', { role: 'operator', body: large });
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ warning: { when: 'now', rules: ['capacity'], cheapestWayOut: expect.stringContaining('make room on') } });
    // Copies that stand need no room.
    expect(await (await patch({ copies: 2 })).json()).not.toHaveProperty('warning');
    await api.store.db.update(target).set({ usedBytes: 0 });
  });

  test('for what was there before: a request that does not ask for it is not refused, and warned', async () => {
    await patch({ copies: 3 }, '?force=true');
    const answer = await patch({ mode: 'advisory' });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ warning: { when: 'never' } });
  });

  test('of a new dataset: is refused where it asks for it itself, and warned where the fleet does', async () => {
    const add = (name: string, policy: object, query = '') =>
      api.call('POST', `/v1/datasets${query}`, { role: 'operator', body: { name, owner: 'me', source: { nodeId: 'berlin', sampleBytes: 1_000 }, policy } });
    expect((await problem(await add('new-a', { copies: 3 }))).code).toBe('policy.infeasible');
    expect(await (await add('new-b', { copies: 3 }, '?force=true')).json()).toMatchObject({ datasetId: 'new-b', warning: { when: 'never' } });
    expect(await (await add('new-c', {})).json()).not.toHaveProperty('warning');
    const [global] = await api.store.db.select().from(globalPolicy);
    await writeGlobalPolicy(api.store.db, global!.rev, { ...global!.policy, copies: 3 });
    api.forgetLook();
    expect(await (await add('new-d', {})).json()).toMatchObject({ datasetId: 'new-d', warning: { when: 'never', rules: ['spread'] } });
  });

  test('of the whole fleet: is refused likewise', async () => {
    const global = (body: object, query = '') => api.call('PATCH', `/v1/policies/global${query}`, { role: 'admin', body });
    expect((await problem(await global({ copies: 5 }))).code).toBe('policy.infeasible');
    expect(await (await global({ copies: 5 }, '?force=true')).json()).toMatchObject({ copies: 5, warning: { when: 'never' } });
    expect(await (await global({ copies: 2 })).json()).not.toHaveProperty('warning');
  });
});
