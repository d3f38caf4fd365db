import { expect, test } from 'vitest';
import { event } from '../../src/store/schema.ts';
import { openInterface, problem } from './interface.ts';

test('an admin asks for another model; without recorded drives the setting is named', async () => {
  const bare = await openInterface();
  const refused = await bare.call('POST', '/v1/models/train', { role: 'admin', body: {} });
  const said = await problem(refused);
  expect([refused.status, said.code, said.fix]).toEqual([409, 'model.no-training-data', expect.stringContaining('DIM_MODEL_DATA')]);
  await bare.close();

  const api = await openInterface({ modelData: '/data' });
  expect((await api.call('POST', '/v1/models/train', { role: 'operator', body: {} })).status).toBe(403);
  expect((await api.call('POST', '/v1/models/train', { role: 'admin', body: {} })).status).toBe(202);
  expect(await api.store.db.select().from(event)).toMatchObject([
    { type: 'model.training-asked', by: 'admin', text: 'A failure model is to be trained: admin asked for it.' },
  ]);
  await api.close();
}, 60_000);
