import { desc, inArray } from 'drizzle-orm';
import type { Db, Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { event } from './schema.ts';

const asked = 'model.training-asked';
const started = 'model.training-started';

/** Ask whoever leads for another model. Kept as an event: it is found by a leader that comes later, too. */
export async function askForTraining(tx: Tx, nowMs: number, by: string, because: string): Promise<void> {
  await appendEvents(tx, nowMs, [{ type: asked, severity: 'info', text: `A failure model is to be trained: ${because}.`, ids: {}, by }]);
}

/** Say how far the training of a model is. */
export async function tellTraining(
  tx: Tx,
  nowMs: number,
  what: 'started' | 'progress' | 'done' | 'failed',
  text: string,
  ids: Readonly<Record<string, string | number>> = {},
): Promise<void> {
  await appendEvents(tx, nowMs, [{ type: `model.training-${what}`, severity: what === 'failed' ? 'warning' : 'info', text, ids, by: 'control-plane' }]);
}

export interface TrainingAsked {
  /** When one was begun last, as far back as events are kept; null: never. */
  readonly startedAtMs: number | null;
  /** Somebody asked after that. */
  readonly isAsked: boolean;
}

export async function readTrainingAsked(db: Db): Promise<TrainingAsked> {
  const rows = await db
    .select({ type: event.type, atMs: event.atMs })
    .from(event)
    .where(inArray(event.type, [asked, started]))
    .orderBy(desc(event.seq));
  return { startedAtMs: rows.find((row) => row.type === started)?.atMs ?? null, isAsked: rows[0]?.type === asked };
}
