import { type DeviceHistory, type DeviceOutcome, deviceHistory } from '@data-in-motion/shared/api/fleet';
import type { ModelOutcome } from '@data-in-motion/shared/api/models';
import type { DeviceId, NodeId } from '@data-in-motion/shared/domain/ids';
import { smallModel } from '@data-in-motion/shared/testdata/small-model';
import { desc, sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addShippedModel } from '../../src/store/failure-models.ts';
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
    { version: model.version, state: 'active', decisions: 16, failures: 1, found: 1, alarms: 6, says: 'too few failures to say: 1 of at least 5' },
  ]);
  for (const drive of ['d2', 'd3', 'd4', 'd7']) await report(drive, { outcome: 'failed' });
  await report('d5', { outcome: 'removed' });
  const [now] = await outcomes();
  expect(now).toMatchObject({ failures: 5, found: 4, trueAlarms: 4, recall: 0.8 });
  expect(now!.says).toMatch(/^foresaw 4 of 5 failures, in the median \d+ days ahead; 4 of \d alarms were followed by one within 30 days$/);
  await report('d7', { outcome: 'alive' });
  expect(await outcomes()).toMatchObject([{ failures: 4, recall: 1, says: 'too few failures to say: 4 of at least 5' }]);
});
