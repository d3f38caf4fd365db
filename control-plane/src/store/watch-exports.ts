import { asFailure, type Failure } from '@data-in-motion/shared/failure';
import { endAlert, raiseAlert } from './alerts.ts';
import type { Store } from './database.ts';

const rule = 'store.export-failing';
/** One miss is made up for a minute later; from then on a power cut loses more than people were told. */
const missesUntilAlert = 2;

/** Tell a person while the exports fail, by which an embedded database survives a power cut; each miss is also given to `onFailure`. */
export function watchExports(store: Store, onFailure: (failure: Failure) => void): void {
  let missed = 0;
  // One that an earlier process left open ends as well.
  let isOpen = true;
  const note = async (failure: Failure | null): Promise<void> => {
    missed = failure === null ? 0 : missed + 1;
    if (failure !== null) onFailure(failure);
    if (failure !== null ? missed < missesUntilAlert : !isOpen) return;
    const nowMs = await store.nowMs();
    await store.transaction((tx) => (failure === null ? endAlert(tx, nowMs, rule, 'store') : raiseAlert(tx, nowMs, failing(failure))));
    isOpen = failure !== null;
  };
  store.signals.on('exported', (failure) => void note(failure).catch((thrown: unknown) => onFailure(asFailure(thrown))));
}

function failing(failure: Failure) {
  const text = `The database can not be exported: ${failure.message}. A power cut would lose what was stored since the last export.`;
  return { rule, subject: 'store', severity: 'error', text, ids: { code: failure.code } } as const;
}
