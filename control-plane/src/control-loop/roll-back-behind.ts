import { recordAudit } from '../audit/audit.ts';
import { compareLive } from '../learn/live-comparison.ts';
import { raiseAlert } from '../store/alerts.ts';
import { modelsOnTrial, readModel, rollBackModels } from '../store/failure-models.ts';
import { pairedScores } from '../store/model-scores.ts';
import type { LeaderWrite, LoopParts } from './parts.ts';

const by = 'control-plane';

/**
 * Back to the model that was active before, when what became of the drives shows that the active one falls behind it. By the revision that was looked at:
 * a person who promotes or rolls back in between is not undone.
 *
 * @returns whether it was rolled back
 */
export async function rollBackBehind({ store }: Pick<LoopParts, 'store'>, write: LeaderWrite): Promise<boolean> {
  const { active, before } = await modelsOnTrial(store.db);
  if (active === null || before === null) return false;
  const seen = await readModel(store.db, active);
  const found = compareLive(await pairedScores(store.db, active, before, await store.nowMs()));
  if (found.kind !== 'behind' || seen === undefined) return false;
  const because = `on this fleet ${active} falls behind ${before}: ${found.says}`;
  await write(async (tx, nowMs) => {
    const now = await rollBackModels(tx, because, { by, expectedRev: seen.rev }, nowMs);
    const text = `The failure model was rolled back to ${now.version}: ${because}.`;
    await raiseAlert(tx, nowMs, { rule: 'model.rolled-back', subject: active, severity: 'warning', text, ids: { modelVersion: now.version } });
    await recordAudit(tx, nowMs, {
      caller: { who: by, role: 'admin' },
      action: 'models.roll-back',
      subject: active,
      detail: { to: now.version, failures: found.failures, alarms: found.alarms, found: found.found, foundBefore: found.foundBefore, chance: found.chance },
      outcome: 'rolled back',
    });
  });
  return true;
}
