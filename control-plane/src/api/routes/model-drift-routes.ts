import { type ModelDrift, modelDrift } from '@data-in-motion/shared/api/models';
import { dateOfDay } from '@data-in-motion/shared/domain/calendar-days';
import type { ComparedFeature } from '@data-in-motion/shared/domain/compared-feature';
import type { FailureModel } from '@data-in-motion/shared/domain/failure-model';
import { driftedSince } from '../../learn/drift-since.ts';
import { leastDrives, watchedDays } from '../../learn/feature-distribution.ts';
import { hasDrifted } from '../../learn/feature-drift.ts';
import { featureInWords } from '../../learn/feature-words.ts';
import { newestDriftLook, type PastDrift, pastDrift, readFirstLooks } from '../../store/drift-looks.ts';
import { readModel } from '../../store/failure-models.ts';
import type { ApiContext } from '../context.ts';
import { type Api, endpoint } from '../endpoint.ts';

type Look = Pick<PastDrift, 'day' | 'strongest' | 'drifted'>;

function shown(features: readonly ComparedFeature[], past: readonly Look[]): ModelDrift['features'] {
  return features.map((one) => {
    const since = hasDrifted(one) ? driftedSince(past, one.feature) : null;
    const copied = { edges: [...one.edges], sharesBefore: [...one.sharesBefore], shares: [...one.shares] };
    return { ...one, ...copied, words: featureInWords(one.feature), driftedSince: since === null ? null : dateOfDay(since) };
  });
}

/** Whether the drives are still, and ever were, those that the active failure model knows. */
export function modelDriftRoutes(app: Api, { store }: ApiContext): void {
  const { db } = store;
  endpoint(app, 'modelDrift', {
    role: 'viewer',
    says: 'What the drives report now beside what they reported in the first weeks of the active failure model, and beside the drives that it was trained on, feature by feature, with since when',
    answer: modelDrift,
    async run() {
      const [newest, past, asOfMs] = [await newestDriftLook(db), await pastDrift(db), await store.nowMs()];
      const history = past.map((look) => ({
        ...{ day: dateOfDay(look.day), drives: look.drives, drifted: look.drifted.length, strongest: look.strongest },
        ...{ unlike: look.unlike.length, strongestUnlike: look.strongestUnlike },
      }));
      const nothing = { first: null, features: [], training: null };
      if (newest === undefined) return { body: { look: null, ...nothing, trainingUnknownBecause: 'there was no look at the fleet yet', history, asOfMs } };
      const { day, atMs, drives, version } = newest;
      const look = { day: dateOfDay(day), atMs, drives, version, leastDrives, watchedDays };
      if (version === null) return { body: { look, ...nothing, trainingUnknownBecause: 'no failure model was active', history, asOfMs } };

      // What another model saw is compared with something else.
      const own = past.filter((one) => one.version === version);
      const first = await readFirstLooks(db, version);
      const row = await readModel(db, version);
      const distribution = row === undefined ? undefined : (JSON.parse(row.artifact) as FailureModel).distribution;
      const body = {
        look,
        first: first === null ? null : { from: dateOfDay(first.fromDay), to: dateOfDay(first.toDay), drives: first.distribution.drives },
        features: shown(newest.features, own),
        ...(row === undefined || distribution === undefined || newest.besideTraining === null
          ? { training: null, trainingUnknownBecause: 'the model keeps no distribution of what it was trained on' }
          : {
              training: {
                ...{ from: row.trained.from, to: row.trained.to, drives: distribution.drives },
                features: shown(
                  newest.besideTraining,
                  own.map((one) => ({ day: one.day, strongest: one.strongestUnlike, drifted: one.unlike })),
                ),
              },
              trainingUnknownBecause: null,
            }),
        history,
        asOfMs,
      };
      return { body };
    },
  });
}
