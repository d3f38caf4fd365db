import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Failure } from '@data-in-motion/shared/failure';
import { smallModel } from '@data-in-motion/shared/testdata/small-model';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { defaultLoopSettings, leaderWrite } from '../../src/control-loop/parts.ts';
import { type Train, trainInThread } from '../../src/control-loop/train-in-thread.ts';
import { ModelTrainer } from '../../src/control-loop/train-models.ts';
import type { Trained } from '../../src/control-loop/train-worker.ts';
import type { Store } from '../../src/store/database.ts';
import { addModel, promoteModel, readModels } from '../../src/store/failure-models.ts';
import { holdLeadership } from '../../src/store/leader.ts';
import { event } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';

const dayMs = 86_400_000;
const metrics = {
  dataHash: 'apart',
  from: '2016-01-01',
  to: '2016-03-01',
  auc: 0.8512,
  averagePrecision: null,
  truePositiveRate: { '0.001': 0.1, '0.005': 0.2, '0.01': 0.4 },
  decisions: 1_000,
  failures: 30,
};
const trained: Trained = { status: 'trained', model: smallModel(), metrics, active: null };

describe.each(storeKinds)('training by itself, on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  let store: Store;
  let nowMs = 500 * dayMs;
  let trainings = 0;
  let result: () => Promise<Trained> = async () => trained;
  afterAll(() => open.stop());
  beforeEach(async () => {
    store = await open.open();
    nowMs = 500 * dayMs;
    trainings = 0;
    result = async () => trained;
  });

  const train: Train = (_, say) => {
    trainings++;
    say('growing the trees');
    return { result: result(), stop: async () => {} };
  };
  function newTrainer(dataDirectory: string | null = '/data', by: Train = train): ModelTrainer {
    const still = Object.assign(Object.create(store) as Store, { nowMs: async () => nowMs });
    const settings = { ...defaultLoopSettings, training: { dataDirectory, everyMs: 7 * dayMs } };
    return new ModelTrainer({ store: still, settings, train: by, onFailure: (failure) => expect.fail(String(failure)) });
  }
  async function pass(trainer: ModelTrainer): Promise<void> {
    const still = Object.assign(Object.create(store) as Store, { nowMs: async () => nowMs });
    await trainer.pass(leaderWrite(still, (await holdLeadership(still, 'one', 1))!));
    await trainer.settled();
  }
  const told = async () => (await store.db.select().from(event).orderBy(event.seq)).map((row) => [row.type, row.text]);

  test('a model is trained once a week and comes in as a candidate with its figures; nobody promotes it', async () => {
    const trainer = newTrainer();
    await pass(trainer);
    expect(await readModels(store.db)).toMatchObject([{ version: smallModel().version, state: 'candidate', addedBy: 'control-plane', metrics }]);
    expect(await told()).toEqual([
      ['model.training-started', 'A failure model is being trained on /data.'],
      ['model.training-progress', 'Training a failure model: growing the trees.'],
      ['model.added', expect.stringContaining('is a candidate')],
      [
        'model.training-done',
        `Failure model ${smallModel().version} was trained and is candidate; measured on 1,000 decisions and 30 failures that it did not see, AUC 0.851.`,
      ],
    ]);
    nowMs += 6 * dayMs;
    await pass(trainer);
    // Another leader knows when the last one was.
    await pass(newTrainer());
    expect(trainings).toBe(1);
    nowMs += dayMs;
    await pass(trainer);
    expect(trainings).toBe(2);
    expect(await readModels(store.db)).toHaveLength(1);
  });

  test('who asks gets one at once, whichever control plane heard it', async () => {
    await pass(newTrainer());
    nowMs += dayMs;
    const leader = newTrainer();
    await newTrainer().ask('anna');
    await pass(leader);
    expect(trainings).toBe(2);
    nowMs += dayMs;
    await pass(leader);
    expect(trainings).toBe(2);
  });

  test('the active model gets its figures on the same months, so that the candidate can be held against it', async () => {
    const active = smallModel({ base: -4 });
    await store.transaction(async (tx) => {
      await addModel(tx, active, null, 'shipped', nowMs);
      await promoteModel(tx, active.version, { by: 'shipped', expectedRev: null }, nowMs);
    });
    result = async () => ({ ...trained, active: { ...metrics, auc: 0.9 } });
    await pass(newTrainer());
    expect((await readModels(store.db)).find((row) => row.version === active.version)).toMatchObject({ metrics: { auc: 0.9, dataHash: metrics.dataHash } });
    const promotion = store.transaction((tx) => promoteModel(tx, smallModel().version, { by: 'anna', expectedRev: null }, nowMs));
    await expect(promotion).rejects.toMatchObject({ code: 'model.worse' });
  });

  test('without recorded drives none is trained, and who asks is told the setting', async () => {
    const trainer = newTrainer(null);
    await pass(trainer);
    expect(trainings).toBe(0);
    await expect(trainer.ask('anna')).rejects.toMatchObject({ code: 'model.no-training-data', hint: expect.stringContaining('DIM_MODEL_DATA') });
  });

  test('too few failures, or a training that fails, is told and leaves nothing behind', async () => {
    const trainer = newTrainer();
    result = async () => ({ status: 'too-few', because: '3 of 90 drives failed', active: null });
    await pass(trainer);
    nowMs += 7 * dayMs;
    result = async () => {
      throw new Failure('unavailable', { code: 'training.ended', message: 'out of memory' });
    };
    await pass(trainer);
    expect((await told()).filter(([type]) => type === 'model.training-failed').map(([, text]) => text)).toEqual([
      'No failure model was trained: 3 of 90 drives failed.',
      'No failure model was trained: out of memory.',
    ]);
    expect(await readModels(store.db)).toEqual([]);
  });
});

test('the thread reads the directory, and says what it can not make a model of', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'dim-train-'));
  const said: string[] = [];
  const run = () => trainInThread({ directory, seed: 1, active: null }, (text) => said.push(text)).result;
  await expect(run()).rejects.toMatchObject({ code: 'models.no-data', message: `${directory} holds no drive histories` });
  writeFileSync(
    path.join(directory, '2016-01-01.csv'),
    'date,serial_number,model,capacity_bytes,failure,smart_5_raw,smart_9_raw\n2016-01-01,S1,ST4000DM000,4000000000000,0,0,100\n',
  );
  expect(await run()).toMatchObject({ status: 'too-few', because: expect.stringContaining('120 days') });
  expect(said).toEqual(['1 drives read']);
  rmSync(directory, { recursive: true });
});
