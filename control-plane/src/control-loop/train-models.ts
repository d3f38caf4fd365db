import type { FailureModel } from '@data-in-motion/shared/domain/failure-model';
import { asFailure, Failure } from '@data-in-motion/shared/failure';
import { activeVersion, addModel, readModel } from '../store/failure-models.ts';
import { askForTraining, readTrainingAsked, tellTraining } from '../store/model-training.ts';
import type { LeaderWrite, LoopParts } from './parts.ts';
import { type Train, type Training, trainInThread } from './train-in-thread.ts';
import type { Trained } from './train-worker.ts';

const lookEveryMs = 60_000;
/** The same data and code give the same model, so that an unchanged directory adds none. */
const seed = 1;

export interface TrainerParts extends Pick<LoopParts, 'store' | 'settings' | 'onFailure'> {
  /** Where models are trained; a worker thread unless a test says otherwise. */
  readonly train?: Train;
}

/**
 * Has failure models trained from the recorded lives of drives that an operator gave, when their time has come and when somebody asks. What comes of it is
 * a candidate with its figures: who promotes it is a person.
 */
export class ModelTrainer {
  readonly #parts: TrainerParts;
  #lookAtMs = Number.NEGATIVE_INFINITY;
  #running: { readonly training: Training; readonly ended: Promise<void> } | null = null;

  constructor(parts: TrainerParts) {
    this.#parts = parts;
  }

  /** Whichever control plane hears it: the one that leads begins within a minute. @throws refused `model.no-training-data` */
  async ask(by: string): Promise<void> {
    const { store, settings } = this.#parts;
    if (settings.training.dataDirectory === null)
      throw new Failure('refused', {
        code: 'model.no-training-data',
        message: 'There are no recorded drives to train a failure model on.',
        hint: 'Set DIM_MODEL_DATA to a directory with Backblaze Drive Stats or change-point files, and start the control plane again.',
      });
    await store.transaction(async (tx) => askForTraining(tx, await store.nowMs(tx), by, `${by} asked for it`));
    this.#lookAtMs = Number.NEGATIVE_INFINITY;
  }

  async pass(write: LeaderWrite): Promise<void> {
    const { store, settings } = this.#parts;
    const { dataDirectory: directory, everyMs } = settings.training;
    if (directory === null || this.#running !== null) return;
    const nowMs = await store.nowMs();
    if (nowMs < this.#lookAtMs) return;
    this.#lookAtMs = nowMs + lookEveryMs;
    const { startedAtMs, isAsked } = await readTrainingAsked(store.db);
    if (!isAsked && startedAtMs !== null && nowMs < startedAtMs + everyMs) return;
    await write((tx, atMs) => tellTraining(tx, atMs, 'started', `A failure model is being trained on ${directory}.`));
    const active = await activeVersion(store.db);
    const artifact = active === undefined ? undefined : (await readModel(store.db, active))?.artifact;
    this.#start(directory, artifact === undefined ? null : (JSON.parse(artifact) as FailureModel), write);
  }

  /** Resolves when no model is being trained. */
  async settled(): Promise<void> {
    await this.#running?.ended;
  }

  /** A training that is under way is lost; its time comes again. */
  async stop(): Promise<void> {
    await this.#running?.training.stop();
    await this.settled();
  }

  #start(directory: string, active: FailureModel | null, write: LeaderWrite): void {
    // One after the other, and behind all of them what came of it.
    let told: Promise<unknown> = Promise.resolve();
    const say = (text: string): void => {
      told = told.then(() => write((tx, nowMs) => tellTraining(tx, nowMs, 'progress', `Training a failure model: ${text}.`))).catch(this.#failed);
    };
    const training = (this.#parts.train ?? trainInThread)({ directory, seed, active }, say);
    const ended = training.result
      .then(
        async (result) => {
          await told;
          await write((tx, nowMs) => keepResult(tx, nowMs, result, active));
        },
        async (thrown: unknown) => {
          await told;
          await write((tx, nowMs) => tellTraining(tx, nowMs, 'failed', `No failure model was trained: ${asFailure(thrown).message}.`));
        },
      )
      .catch(this.#failed)
      .finally(() => {
        this.#running = null;
      });
    this.#running = { training, ended };
  }

  readonly #failed = (thrown: unknown): void => this.#parts.onFailure(asFailure(thrown));
}

async function keepResult(tx: Parameters<Parameters<LeaderWrite>[0]>[0], nowMs: number, result: Trained, active: FailureModel | null): Promise<void> {
  if (result.status === 'too-few') return tellTraining(tx, nowMs, 'failed', `No failure model was trained: ${result.because}.`);
  if (active !== null && result.active !== null) await addModel(tx, active, result.active, 'control-plane', nowMs);
  const { version, state } = await addModel(tx, result.model, result.metrics, 'control-plane', nowMs);
  const { decisions, failures, auc } = result.metrics;
  const measured = `${decisions.toLocaleString('en-GB')} decisions and ${failures.toLocaleString('en-GB')} failures that it did not see, AUC ${auc?.toFixed(3) ?? 'unknown'}`;
  await tellTraining(tx, nowMs, 'done', `Failure model ${version} was trained and is ${state}; measured on ${measured}.`, { modelVersion: version });
}
