import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { asFailure, Failure } from '@data-in-motion/shared/failure';
import type { Store } from './store/database.ts';
import { addShippedModel } from './store/failure-models.ts';

/** The model that comes with this release. */
export const shippedModelFile = fileURLToPath(new URL('../models/drive-failure.json', import.meta.url));

/**
 * Bring the shipped model into the registry: active where that is empty, otherwise a candidate. A release without one has the rules judge.
 *
 * @throws refused `model.invalid` when the file is not whole; the fleet works without it
 */
export async function takeShippedModel(store: Store, file: string): Promise<void> {
  const text = textOf(file);
  if (text === null) return;
  const given = parsed(text, file);
  await store.transaction(async (tx) => addShippedModel(tx, given, await store.nowMs(tx)));
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
