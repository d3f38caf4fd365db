import { listOf } from '@data-in-motion/shared/api/fleet';
import { type ModelOutcome, modelComparison, modelOutcome, modelScores } from '@data-in-motion/shared/api/models';
import { dateOfDay } from '@data-in-motion/shared/domain/calendar-days';
import { z } from '@hono/zod-openapi';
import { agreementOf, byDisagreement } from '../../learn/disagreement.ts';

import { verdictBeside } from '../../learn/live-comparison.ts';
import { type GoneDrive, type LiveOutcome, liveOutcomes } from '../../learn/live-outcomes.ts';
import { type DriveOutcomeRow, readDriveOutcomes } from '../../store/drive-outcomes.ts';
import { type ModelRow, modelsOnTrial, readModel, readModels } from '../../store/failure-models.ts';
import { newestShared, pairedScores, type ScoredDriveRow, type ScoredPeriodRow, scoredPeriods, sharedPeriods } from '../../store/model-scores.ts';
import type { ApiContext } from '../context.ts';
import { type Api, endpoint } from '../endpoint.ts';
import { found } from './fleet-routes.ts';

const dayMs = 86_400_000;
/** What was said of a drive longer ago is over: a model looks so far ahead. */
const recentDays = 30;

/** A drive that works again is none. */
function goneDrive({ deviceId, outcome, atMs }: DriveOutcomeRow): GoneDrive[] {
  return outcome === 'alive' ? [] : [{ deviceId, outcome, day: Math.floor(atMs / dayMs) }];
}

function rankOf({ state }: ModelOutcome): number {
  return state === 'active' ? 0 : state === 'shadow' ? 1 : 2;
}

function withState(outcomes: readonly LiveOutcome[], known: readonly ModelRow[]): ModelOutcome[] {
  return outcomes.flatMap((one) => {
    const state = known.find((row) => row.version === one.version)?.state;
    return state === undefined ? [] : [{ ...one, state }];
  });
}

function scoredDrive({ day, p7, p30, level, otherP7, otherP30, otherLevel, ...drive }: ScoredDriveRow) {
  return { ...drive, day: dateOfDay(day), score: { p7, p30, level }, other: { p7: otherP7, p30: otherP30, level: otherLevel } };
}

/** How the failure models do on this fleet, alone and one beside the other. */
export function modelOutcomeRoutes(app: Api, { store }: ApiContext): void {
  const { db } = store;
  const outcomesOf = async (periods: readonly ScoredPeriodRow[], asOfMs: number) =>
    withState(liveOutcomes(periods, (await readDriveOutcomes(db)).flatMap(goneDrive), Math.floor(asOfMs / dayMs)), await readModels(db));

  /** The version that was asked for, and the one to stand beside it: the active one, beside which stands the shadow, else the one before. */
  const pairOf = async (asked: string, given: string | undefined): Promise<{ version: ModelRow['version']; other: ModelRow['version'] | null }> => {
    const { version } = found(await readModel(db, asked), 'model', asked);
    if (given !== undefined) return { version, other: found(await readModel(db, given), 'model', given).version };
    const { active, shadow, before } = await modelsOnTrial(db);
    return { version, other: version === active ? (shadow ?? before) : active };
  };

  endpoint(app, 'modelOutcomes', {
    role: 'viewer',
    says: 'What came of what each version said on this fleet, from its daily scores and what became of the drives; the active one first',
    answer: listOf(modelOutcome),
    async run() {
      const asOfMs = await store.nowMs();
      const items = await outcomesOf(await scoredPeriods(db), asOfMs);
      items.sort((a, b) => rankOf(a) - rankOf(b) || a.version.localeCompare(b.version));
      return { body: { items, next: null, asOfMs } };
    },
  });

  endpoint(app, 'modelComparison', {
    role: 'viewer',
    says: 'What came of what a version said beside another one, from the drives and days that both scored; without `with` beside the active one, and that beside the one in the shadow, else the one before it',
    query: z.object({ with: z.string().max(64).optional() }),
    answer: modelComparison,
    async run({ params, query }) {
      const { version, other } = await pairOf(params['version']!, query.with);
      const asOfMs = await store.nowMs();
      if (other === null) {
        const says = 'no other version scores beside it';
        return { body: { version, other, drives: 0, from: null, to: null, outcomes: [], verdict: 'too-few' as const, says, asOfMs } };
      }
      const periods = await sharedPeriods(db, version, other);
      const days = periods.flatMap(({ firstDay, lastDay }) => [firstDay, lastDay]).sort((a, b) => a - b);
      const outcomes = (await outcomesOf(periods, asOfMs)).sort((a, b) => Number(b.version === version) - Number(a.version === version));
      const { verdict, says } = verdictBeside(await pairedScores(db, version, other, asOfMs), other);
      const [first, last] = [days[0], days.at(-1)];
      const span = { from: first === undefined ? null : dateOfDay(first), to: last === undefined ? null : dateOfDay(last) };
      return { body: { version, other, drives: new Set(periods.map(({ deviceId }) => deviceId)).size, ...span, outcomes, verdict, says, asOfMs } };
    },
  });

  endpoint(app, 'modelScores', {
    role: 'viewer',
    says: 'What a version and another one said of each drive last, within 30 days: those that they disagree about most first, at most `limit`',
    query: z.object({ with: z.string().max(64).optional(), limit: z.coerce.number().int().min(1).max(5_000).default(500) }),
    answer: modelScores,
    async run({ params, query }) {
      const { version, other } = await pairOf(params['version']!, query.with);
      const asOfMs = await store.nowMs();
      const rows = other === null ? [] : await newestShared(db, version, other, Math.floor(asOfMs / dayMs) - recentDays);
      const items = byDisagreement(rows).slice(0, query.limit).map(scoredDrive);
      return { body: { version, other, agreement: agreementOf(rows), items, asOfMs } };
    },
  });
}
