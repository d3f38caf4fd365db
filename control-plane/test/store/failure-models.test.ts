import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DeviceId, ModelVersion } from '@data-in-motion/shared/domain/ids';
import type { ModelMetrics } from '@data-in-motion/shared/domain/model-metrics';
import { smallModel } from '@data-in-motion/shared/testdata/small-model';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { takeShippedModel } from '../../src/shipped-model.ts';
import type { Store, Tx } from '../../src/store/database.ts';
import { addModel, promoteModel, readModel, readModels, retireModel, rollBackModels, shadowModel } from '../../src/store/failure-models.ts';
import { pruneModels } from '../../src/store/retention.ts';
import { event, failureModel, modelScore } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';

const measured = (auc: number, dataHash = 'test part'): ModelMetrics => ({
  dataHash,
  from: '2016-01-01',
  to: '2016-12-01',
  auc,
  averagePrecision: null,
  truePositiveRate: { '0.001': 0.1, '0.005': 0.2, '0.01': 0.4 },
  decisions: 1_000,
  failures: 30,
});
const [one, two, three] = [smallModel(), smallModel({ base: -4 }), smallModel({ base: -3 })];
const anna = { by: 'anna', expectedRev: null };

describe.each(storeKinds)('the registry of failure models on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  let store: Store;
  let nowMs = 0;
  beforeAll(async () => {
    store = await open.open();
  }, 120_000);
  beforeEach(async () => {
    await store.db.delete(failureModel);
    await store.db.delete(modelScore);
    await store.db.delete(event);
  });
  afterAll(() => open.stop());

  const write = <T>(work: (tx: Tx, atMs: number) => Promise<T>): Promise<T> => store.transaction((tx) => work(tx, ++nowMs));
  const add = (model: unknown, metrics: ModelMetrics | null = measured(0.8)) => write((tx, atMs) => addModel(tx, model, metrics, 'anna', atMs));
  const promote = (version: string, expectedRev: number | null = null) => write((tx, atMs) => promoteModel(tx, version, { by: 'anna', expectedRev }, atMs));
  const states = async () => Object.fromEntries((await readModels(store.db)).map((row) => [row.version, row.state]));

  test('a model is kept to the last character, once, and its figures may come later', async () => {
    await add(one, null);
    expect((await readModel(store.db, one.version))!.artifact).toBe(JSON.stringify(one));
    expect(await add(one, measured(0.9))).toMatchObject({ version: one.version, state: 'candidate', rev: 2, metrics: { auc: 0.9 } });
    expect(await readModels(store.db)).toHaveLength(1);
    expect((await store.db.select().from(event)).map((row) => row.type)).toEqual(['model.added']);
  });

  test('what can not be run, or is not what its name says, stays out', async () => {
    await expect(add({ ...one, trees: null })).rejects.toMatchObject({ code: 'model.invalid', hint: expect.any(String) });
    await expect(add({ ...one, base: 1 })).rejects.toMatchObject({ code: 'model.invalid', message: expect.stringContaining(one.version) });
    const parameters = { padding: 'x'.repeat(1_000_000) };
    await expect(add(smallModel({ trained: { ...one.trained, parameters } }))).rejects.toMatchObject({ code: 'model.too-large' });
    expect(await readModels(store.db)).toEqual([]);
  });

  test('one is active and one in the shadow: who comes takes the place of who was there', async () => {
    for (const model of [one, two, three]) await add(model);
    await promote(one.version);
    await write((tx, atMs) => shadowModel(tx, two.version, anna, atMs));
    await write((tx, atMs) => shadowModel(tx, three.version, anna, atMs));
    expect(await states()).toEqual({ [one.version]: 'active', [two.version]: 'candidate', [three.version]: 'shadow' });
    await promote(three.version);
    expect(await states()).toEqual({ [one.version]: 'retired', [two.version]: 'candidate', [three.version]: 'active' });
    expect(await readModel(store.db, one.version)).toMatchObject({ retiredBecause: `${three.version} took its place`, promotedBy: 'anna' });
    const second = store.db
      .update(failureModel)
      .set({ state: 'active' })
      .where(eq(failureModel.version, two.version as never));
    await expect(second.execute()).rejects.toThrow();
  });

  test('a model that foresees less, or was not measured on the same data, does not become active', async () => {
    await add(one, measured(0.85));
    await add(two, measured(0.84));
    await promote(one.version);
    await expect(promote(two.version)).rejects.toMatchObject({ code: 'model.worse', message: expect.stringContaining('AUC 0.84, the active one 0.85') });
    await add(two, measured(0.99, 'other drives'));
    await expect(promote(two.version)).rejects.toMatchObject({ code: 'model.not-comparable', hint: expect.stringContaining('same data') });
    expect(await states()).toEqual({ [one.version]: 'active', [two.version]: 'candidate' });
    await add(two, measured(0.85));
    expect(await promote(two.version)).toMatchObject({ state: 'active' });
  });

  test('a roll-back goes one back each time, and never forth', async () => {
    for (const model of [one, two, three]) {
      await add(model);
      await promote(model.version);
    }
    const back = () => write((tx, atMs) => rollBackModels(tx, 'it cried wolf', anna, atMs));
    expect(await back()).toMatchObject({ version: two.version, state: 'active', retiredAtMs: null });
    expect(await readModel(store.db, three.version)).toMatchObject({ state: 'retired', retiredBecause: 'it cried wolf' });
    expect(await back()).toMatchObject({ version: one.version });
    await expect(back()).rejects.toMatchObject({ code: 'model.no-earlier', hint: expect.stringContaining('retire') });
    await write((tx, atMs) => retireModel(tx, one.version, 'enough', anna, atMs));
    expect(Object.values(await states())).toEqual(['retired', 'retired', 'retired']);
    expect(await back()).toMatchObject({ version: three.version });
  });

  test('what the state does not allow, and a change of what was read earlier, is refused', async () => {
    await add(one);
    await write((tx, atMs) => retireModel(tx, one.version, 'not good', anna, atMs));
    expect(await states()).toEqual({ [one.version]: 'rejected' });
    await expect(promote(one.version)).rejects.toMatchObject({ code: 'model.refused' });
    await expect(promote('0123456789ab')).rejects.toMatchObject({ code: 'model.not-found' });
    const { rev } = await add(two);
    await add(two, measured(0.9));
    await expect(promote(two.version, rev)).rejects.toMatchObject({ code: 'model.stale' });
    expect(await promote(two.version, rev + 1)).toMatchObject({ rev: rev + 2 });
  });

  test('of two promotions at once both end, and one model is active', async () => {
    await add(one);
    await add(two);
    await Promise.all([promote(one.version), promote(two.version)]);
    expect(Object.values(await states()).sort()).toEqual(['active', 'retired']);
  });

  test('of retired models the newest twenty stay, and older ones as long as something names them', async () => {
    const models = Array.from({ length: 24 }, (_, i) => smallModel({ base: -5 - i / 100 }));
    for (const model of models) {
      await add(model);
      await promote(model.version);
    }
    await write((tx) =>
      tx.insert(modelScore).values({ version: models[1]!.version as ModelVersion, deviceId: 'd' as DeviceId, day: 1, p7: 0, p30: 0, level: 'healthy' }),
    );
    expect(await write((tx) => pruneModels(tx, 100))).toBe(2);
    const kept = new Set((await readModels(store.db)).map((row) => row.version as string));
    expect(models.map((model) => kept.has(model.version))).toEqual(models.map((_, i) => i !== 0 && i !== 2));
  });

  test('the shipped model comes with the figures of the open test, unless it was measured here', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'dim-shipped-'));
    const file = path.join(directory, 'drive-failure.json');
    writeFileSync(file, JSON.stringify(one));
    await takeShippedModel(store, file);
    expect((await readModel(store.db, one.version))!.metrics).toBeNull();
    mkdirSync(path.join(directory, 'open-test'));
    writeFileSync(path.join(directory, 'open-test/report.json'), JSON.stringify({ title: 'more than the figures', ...measured(0.86) }));
    await takeShippedModel(store, file);
    await takeShippedModel(store, file);
    expect(await readModel(store.db, one.version)).toMatchObject({ metrics: measured(0.86), state: 'active', rev: 3 });
    await add(two, measured(0.85));
    await expect(promote(two.version)).rejects.toMatchObject({ code: 'model.worse' });
    await add(one, measured(0.7, 'months of our own'));
    await takeShippedModel(store, file);
    expect((await readModel(store.db, one.version))!.metrics).toMatchObject({ auc: 0.7 });
    rmSync(directory, { recursive: true });
  });

  test('the shipped model is active where there was none, a later one a candidate, and a broken file changes nothing', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'dim-shipped-'));
    const file = path.join(directory, 'drive-failure.json');
    await takeShippedModel(store, file);
    expect(await states()).toEqual({});
    for (const model of [one, one, two]) {
      writeFileSync(file, `${JSON.stringify(model)}\n`);
      await takeShippedModel(store, file);
    }
    expect(await states()).toEqual({ [one.version]: 'active', [two.version]: 'candidate' });
    expect((await readModels(store.db)).map((row) => row.addedBy)).toEqual(['shipped', 'shipped']);
    writeFileSync(file, '{');
    await expect(takeShippedModel(store, file)).rejects.toMatchObject({ code: 'model.invalid' });
    rmSync(directory, { recursive: true });
  });
});
