import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelMetrics } from '@data-in-motion/shared/api/models';
import type { ModelMetrics } from '@data-in-motion/shared/domain/model-metrics';
import { asFailure, Failure } from '@data-in-motion/shared/failure';
import type { Store } from './store/database.ts';
import { addShippedModel } from './store/failure-models.ts';

/** The model that comes with this release. */
export const shippedModelFile = fileURLToPath(new URL('../models/drive-failure.json', import.meta.url));
/**
 * What the open test says of models trained as it is, beside it: at four origins, each on other drives and earlier months. The shipped one learned from all drives
 * and all months, so that no part of these is left to measure itself on; this is what a candidate measured on the same test is held against.
 */
export const openTestReport = 'open-test/report.json';

/**
 * Bring the shipped model into the registry: active where that is empty, otherwise a candidate. A release without one has the rules judge.
 *
 * @throws refused `model.invalid` when the file is not whole; the fleet works without it
 */
export async function takeShippedModel(store: Store, file: string): Promise<void> {
  const text = textOf(file);
  if (text === null) return;
  const given = parsed(text, file);
  const metrics = metricsBeside(file);
  await store.transaction(async (tx) => addShippedModel(tx, given, metrics, await store.nowMs(tx)));
}

/** Null where there is no report, or one that is not whole: the model works without. */
function metricsBeside(file: string): ModelMetrics | null {
  const text = textOf(path.join(path.dirname(file), openTestReport));
  if (text === null) return null;
  const found = modelMetrics.safeParse(parsed(text, openTestReport));
  return found.success ? found.data : null;
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    if ((thrown as { code?: string }).code === 'ENOENT') return null;
    throw asFailure(thrown);
  }
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure('refused', { code: 'model.invalid', message: `${file} is not JSON`, hint: 'install this release again', cause });
  }
}
