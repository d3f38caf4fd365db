import { type DeviceHistory, type DeviceOutcome, deviceHistory } from '@data-in-motion/shared/api/fleet';
import { type ModelOutcome, modelComparison, modelDrift, modelScores } from '@data-in-motion/shared/api/models';
import { dateOfDay } from '@data-in-motion/shared/domain/calendar-days';
import type { DeviceId, ModelVersion, NodeId } from '@data-in-motion/shared/domain/ids';
import { smallModel } from '@data-in-motion/shared/testdata/small-model';
import { desc, sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeDriftLook } from '../../src/store/drift-looks.ts';
import { addModel, addShippedModel, shadowModel } from '../../src/store/failure-models.ts';
import { audit, device, event } from '../../src/store/schema.ts';
import { type Interface, openInterface, problem } from './interface.ts';

let api: Interface;
const model = smallModel();
const dayMs = 86_400_000;
let today = 0;
beforeAll(async () => {
  api = await openInterface();
  today = Math.floor((await api.store.nowMs()) / dayMs);
  await api.store.transaction((tx) => addShippedModel(tx, model, null, 1));
  for (let n = 1; n <= 8; n++) {
    const facts = { serial: `S${n}`, model: 'M', kind: 'hdd', transport: 'ata', capacityBytes: 1, path: '/dev/x' } as const;
    await api.store.db.insert(device).values({ deviceId: `d${n}` as DeviceId, nodeId: 'berlin' as NodeId, ...facts, lastReadingAtMs: (today - 60) * dayMs });
    // Two periods of 30 days, long over; drives 1 to 6 were called at risk in the second.
    const from = Math.floor((today - 120) / 30) * 30;
    await api.store.db.execute(sql`insert into model_score select ${model.version}, ${`d${n}`}, day, 0.01, 0.1,
      case when ${n <= 6} and day >= ${from + 30} then 'at-risk' else 'healthy' end from generate_series(${from}::int, ${from + 59}::int) day`);
  }
});
afterAll(() => api.close());

const report = (deviceId: string, body: object, role: 'viewer' | 'operator' = 'operator') =>
  api.call('POST', `/v1/devices/${deviceId}/outcome`, { role, body });
const outcomes = async () => ((await (await api.call('GET', '/v1/models/outcomes', { role: 'viewer' })).json()) as { items: ModelOutcome[] }).items;

const get = async (at: string) => (await api.call('GET', `/v1/models${at}`, { role: 'viewer' })).json();

test('an operator says what became of a drive; who said it stays known', async () => {
  expect((await report('d1', { outcome: 'failed' }, 'viewer')).status).toBe(403);
  expect((await report('d1', { outcome: 'lost' })).status).toBe(422);
  const unknown = await report('nowhere', { outcome: 'failed' });
  expect([unknown.status, (await problem(unknown)).code]).toEqual([404, 'device.not-found']);

  const answer = await report('d1', { outcome: 'failed', note: 'clicks' });
  expect(answer.status).toBe(200);
  const said = { deviceId: 'd1', outcome: 'failed', how: 'reported', by: 'operator', note: 'clicks', atMs: (today - 60) * dayMs };
  expect((await answer.json()) as DeviceOutcome).toEqual(said);
  const shown = deviceHistory.parse(await (await api.call('GET', '/v1/devices/d1', { role: 'viewer' })).json()) satisfies DeviceHistory;
  expect(shown.outcome).toEqual(said);
  const [row] = await api.store.db.select().from(audit).orderBy(desc(audit.seq));
  expect(row).toMatchObject({ who: 'operator', action: 'POST /v1/devices/d1/outcome', outcome: '200' });
  const [newest] = await api.store.db.select().from(event).orderBy(desc(event.seq));
  expect(newest).toMatchObject({ type: 'device.outcome', by: 'operator', text: 'operator said of the device d1 that it failed: clicks' });
});

test('what came of a version is computed anew from what it said and what became of the drives', async () => {
  expect(await outcomes()).toMatchObject([
    {
      version: model.version,
      state: 'active',
      decisions: 16,
      failures: 1,
      found: 1,
      alarms: 6,
      failing: { alarms: 0, recall: 0 },
      says: 'too few failures to say: 1 of at least 5',
    },
  ]);
  for (const drive of ['d2', 'd3', 'd4', 'd7']) await report(drive, { outcome: 'failed' });
  await report('d5', { outcome: 'removed' });
  const [now] = await outcomes();
  expect(now).toMatchObject({ failures: 5, found: 4, trueAlarms: 4, recall: 0.8 });
  expect([now!.recallRange!.low.toFixed(2), now!.recallRange!.high.toFixed(2)]).toEqual(['0.38', '0.96']);
  expect(now!.says).toMatch(/^foresaw 4 of 5 failures, in the median \d+ days ahead; 4 of \d alarms were followed by one within 30 days$/);
  await report('d7', { outcome: 'alive' });
  expect(await outcomes()).toMatchObject([{ failures: 4, recall: 1, says: 'too few failures to say: 4 of at least 5' }]);
});

test('a version stands beside another on the drives and days that both scored; without one to stand beside it says so', async () => {
  const path = `/${model.version}`;
  expect(await get(`${path}/comparison`)).toMatchObject({ other: null, outcomes: [], says: 'no other version scores beside it' });
  expect(await get(`${path}/scores`)).toMatchObject({ other: null, items: [], agreement: { both: 0 } });
  const next = smallModel({ base: -4 });
  await api.store.transaction(async (tx) => {
    await addModel(tx, next, null, 'anna', 2);
    await shadowModel(tx, next.version, { by: 'anna', expectedRev: null }, 3);
  });
  expect(modelComparison.parse(await get(`${path}/comparison`))).toMatchObject({
    other: next.version,
    drives: 0,
    from: null,
    outcomes: [],
    verdict: 'too-few',
  });
  // The shadow scored the first four drives for as long, and calls none of them risky but one; besides, both scored all today.
  await api.store.db.execute(sql`insert into model_score select ${next.version}, device_id, day, 0.01, 0.05, case when device_id = 'd1' then 'failing' else 'watch' end
    from model_score where version = ${model.version} and device_id in ('d1', 'd2', 'd3', 'd4')`);
  const beside = modelComparison.parse(await get(`/${next.version}/comparison`));
  expect(beside).toMatchObject({ version: next.version, other: model.version, drives: 4, verdict: 'too-few' });
  expect(beside.says).toBe('too few failures to compare: 4 of at least 10');
  expect(beside.outcomes).toMatchObject([
    { version: next.version, state: 'shadow', failures: 4, found: 1, failing: { found: 1 } },
    { version: model.version, state: 'active', failures: 4, found: 4, failing: { found: 0 } },
  ]);
  expect(modelComparison.parse(await get(`${path}/comparison?with=${next.version}`)).outcomes.map(({ state }) => state)).toEqual(['active', 'shadow']);
  const unknown = await api.call('GET', `/v1/models${path}/comparison?with=0123456789ab`, { role: 'viewer' });
  expect([unknown.status, (await problem(unknown)).code]).toEqual([404, 'model.not-found']);

  await api.store.db.execute(sql`insert into model_score select version, 'd' || n, ${today}::int, 0.01, case when version = ${model.version} or n = 8 then 0.1 else 0.0001 end,
    case when version = ${model.version} then 'at-risk' else 'healthy' end from generate_series(5, 8) n, (values (${model.version}), (${next.version})) versions (version)`);
  const scores = modelScores.parse(await get(`${path}/scores?limit=3`));
  expect(scores.agreement).toEqual({ both: 0, onlyThis: 4, onlyOther: 0, neither: 0 });
  expect(scores.items.map(({ deviceId }) => deviceId)).toEqual(['d5', 'd6', 'd7']);
  expect(scores.items[0]).toMatchObject({ serial: 'S5', nodeId: 'berlin', score: { p30: 0.1, level: 'at-risk' }, other: { p30: 0.0001 }, outcome: 'removed' });
});

test('how the fleet drifts is told feature by feature, with since when, beside the first weeks of the model and beside its training', async () => {
  expect(await get('/drift')).toMatchObject({ look: null, first: null, features: [], training: null, history: [] });
  const bins = { bound: 0.25, edges: [0], sharesBefore: [0.9, 0.1, 0], shares: [0.5, 0.5, 0] };
  const look = (day: number, index: number, version: string, besideTraining: number | null) =>
    api.store.transaction((tx) =>
      storeDriftLook(tx, {
        ...{ day, atMs: day * dayMs, drives: 80, version: version as ModelVersion },
        features: [
          { ...bins, feature: 'smart197', index, medianBefore: 0, median: 4 },
          { ...bins, feature: 'smart5', index: 0.01, medianBefore: null, median: null },
        ],
        besideTraining: besideTraining === null ? null : [{ ...bins, feature: 'capacityTb', index: besideTraining, medianBefore: 4, median: 12 }],
      }),
    );
  for (const [day, index, version] of [
    [today - 4, 0.9, 'another'],
    [today - 3, 0.1, model.version],
    [today - 2, 0.4, model.version],
    [today, 0.9, model.version],
  ] as const)
    await look(day, index, version, null);
  const drift = modelDrift.parse(await get('/drift'));
  expect(drift.look).toMatchObject({ day: dateOfDay(today), drives: 80, version: model.version, leastDrives: 30, watchedDays: 90 });
  expect(drift.features.map(({ words, driftedSince }) => [words, driftedSince])).toEqual([
    ['pending sectors', dateOfDay(today - 2)],
    ['reallocated sectors', null],
  ]);
  expect(drift.history.map(({ drifted, strongest, unlike }) => [drifted, strongest, unlike])).toEqual([
    [1, 0.9, 0],
    [0, 0.1, 0],
    [1, 0.4, 0],
    [1, 0.9, 0],
  ]);
  // An older model, that keeps nothing of its training.
  expect(drift).toMatchObject({ training: null, trainingUnknownBecause: 'the model keeps no distribution of what it was trained on' });

  const counts = { median: 4, edges: [4], counts: [900, 100, 0] };
  const keeping = smallModel({ distribution: { drives: 400, looks: 1_000, features: [{ feature: 'capacityTb', ...counts }] } });
  await api.store.transaction((tx) => addModel(tx, keeping, null, 'anna', 1));
  await look(today - 1, 0.1, keeping.version, 3.2);
  await look(today, 0.1, keeping.version, 3.1);
  const beside = modelDrift.parse(await get('/drift'));
  expect(beside.training).toMatchObject({ from: keeping.trained.from, to: keeping.trained.to, drives: 400 });
  expect(beside.training!.features).toMatchObject([{ words: 'capacity in TB', index: 3.1, medianBefore: 4, median: 12, driftedSince: dateOfDay(today - 1) }]);
  expect(beside.trainingUnknownBecause).toBeNull();
  expect(beside.history.at(-1)).toMatchObject({ unlike: 1, strongestUnlike: 3.1, drifted: 0 });
});
