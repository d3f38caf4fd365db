import { FailureJudge, type FailureModel } from '@data-in-motion/shared/domain/failure-model';
import type { DeviceId, ModelVersion } from '@data-in-motion/shared/domain/ids';
import { watchedDays } from '../learn/feature-distribution.ts';
import { featuresOn, knownDrive, scoreDrive } from '../learn/score-drive.ts';
import { modelsOnTrial, readModel } from '../store/failure-models.ts';
import { drivesToScore, driveWithReadings, type ModelScoreRow, storeScores } from '../store/model-scores.ts';
import { type LeaderWrite, type LoopParts, tolerate } from './parts.ts';

const dayMs = 86_400_000;
/** A drive that was not read for so long says nothing new. */
const silentMs = dayMs;

/** A look at a fleet: the features of the drives that were watched for `watchedDays`, beside the model that is active. */
export interface FleetLook {
  readonly model: FailureModel | null;
  readonly drives: readonly Float64Array[];
}

interface Tour {
  /** The day and the versions: another one begins anew. */
  readonly key: string;
  readonly day: number;
  readonly active: ModelVersion | null;
  readonly judges: readonly FailureJudge[];
  readonly open: DeviceId[];
  readonly seen: Float64Array[];
}

/**
 * Has every hard drive scored once a day, by the active model, the one in the shadow and the one that was active before, from what is kept of its
 * readings; at once when these change. Some drives with each pass, so that nothing is held up. Nothing acts on it: agents judge for themselves.
 * Where the tour stands is not kept: the next leader scores the day anew, which changes nothing.
 */
export class DriveScorer {
  readonly #parts: LoopParts;
  #tour: Tour | null = null;

  constructor(parts: LoopParts) {
    this.#parts = parts;
  }

  /** @returns what the tour saw of the fleet, when this pass scored its last drive; otherwise null */
  async pass(write: LeaderWrite): Promise<FleetLook | null> {
    const { store, settings } = this.#parts;
    const nowMs = await store.nowMs();
    const { active, shadow, before } = await modelsOnTrial(store.db);
    const versions = [active, shadow, before].filter((version) => version !== null);
    const day = Math.floor(nowMs / dayMs);
    const key = [day, ...versions].join(' ');
    if (key !== this.#tour?.key) this.#tour = await this.#start(key, day, active, versions, nowMs);
    const tour = this.#tour;
    if (tour.open.length === 0) return null;
    for (const deviceId of tour.open.splice(0, settings.scoring.drivesPerPass)) {
      await tolerate(this.#parts, async () => {
        const rows = await this.#score(tour, deviceId, nowMs);
        if (rows.length > 0) await write((tx) => storeScores(tx, rows));
      });
    }
    if (tour.open.length > 0) return null;
    const model = tour.judges.find((judge) => judge.model.version === tour.active)?.model ?? null;
    return { model, drives: tour.seen.splice(0) };
  }

  async #start(key: string, day: number, active: ModelVersion | null, versions: readonly ModelVersion[], nowMs: number): Promise<Tour> {
    const { db } = this.#parts.store;
    const known = new Map(this.#tour?.judges.map((judge) => [judge.model.version, judge]));
    const judges: FailureJudge[] = [];
    for (const version of versions) {
      const row = known.has(version) ? undefined : await readModel(db, version);
      const judge = known.get(version) ?? (row === undefined ? undefined : new FailureJudge(JSON.parse(row.artifact) as FailureModel));
      if (judge !== undefined) judges.push(judge);
    }
    return { key, day, active, judges, open: judges.length === 0 ? [] : await drivesToScore(db, nowMs - silentMs), seen: [] };
  }

  async #score({ judges, day, seen }: Tour, deviceId: DeviceId, nowMs: number): Promise<ModelScoreRow[]> {
    const drive = await driveWithReadings(this.#parts.store.db, deviceId, nowMs);
    const known = drive === undefined ? null : knownDrive(drive);
    if (drive === undefined || known === null) return [];
    const features = featuresOn(known, drive, known.day);
    if (known.firstDay <= known.day - watchedDays) seen.push(features);
    const scores = scoreDrive(features, judges);
    return scores.map((score) => ({ ...score, version: score.version as ModelVersion, deviceId, day }));
  }
}
