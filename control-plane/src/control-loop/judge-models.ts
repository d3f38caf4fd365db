import { askForTraining } from '../store/model-training.ts';
import type { LeaderWrite, LoopParts } from './parts.ts';
import { rollBackBehind } from './roll-back-behind.ts';
import type { DriveScorer } from './score-drives.ts';
import { tellDrift } from './watch-drift.ts';

/** Score some drives; once all of a day are scored, look whether the active model falls behind and whether the fleet drifts. */
export async function judgeModels({ store, settings }: Pick<LoopParts, 'store' | 'settings'>, scorer: DriveScorer, write: LeaderWrite): Promise<void> {
  const look = await scorer.pass(write);
  if (look === null) return;
  await rollBackBehind({ store }, write);
  await write(async (tx, nowMs) => {
    const isNew = await tellDrift(tx, nowMs, look);
    if (isNew && settings.training.dataDirectory !== null) await askForTraining(tx, nowMs, 'control-plane', 'the features of the fleet drifted');
  });
}
