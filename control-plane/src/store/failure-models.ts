import type { FailureModel } from '@data-in-motion/shared/domain/failure-model';
import type { ModelVersion } from '@data-in-motion/shared/domain/ids';
import { modelFault } from '@data-in-motion/shared/domain/model-fault';
import { type ModelEvent, modelMachine } from '@data-in-motion/shared/domain/model-lifecycle';
import { compareMetrics, type ModelMetrics } from '@data-in-motion/shared/domain/model-metrics';
import { Failure } from '@data-in-motion/shared/failure';
import { step } from '@data-in-motion/shared/machine';
import { artifactHash, contentVersion } from '@data-in-motion/shared/model-identity';
import { and, desc, eq, getTableColumns, lt, sql } from 'drizzle-orm';
import type { Db, Tx } from './database.ts';
import { appendEvents, type NewEvent } from './events.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { failureModel } from './schema.ts';

type Row = typeof failureModel.$inferSelect;
/** Everything but the artifact, which is long. */
export type ModelRow = Omit<Row, 'artifact'>;

/** Who asks for a change, and what they saw: null changes whatever is there. */
export interface Wish {
  readonly by: string;
  readonly expectedRev: number | null;
}

/** Agents get it in one message, beside its signature. */
export const largestArtifactBytes = 1_000_000;

const { artifact: _, ...withoutArtifact } = getTableColumns(failureModel);

/** Newest first. */
export async function readModels(db: Db): Promise<ModelRow[]> {
  return db.select(withoutArtifact).from(failureModel).orderBy(desc(failureModel.addedAtMs), desc(failureModel.version));
}

export async function readModel(db: Db, version: string): Promise<Row | undefined> {
  const [row] = await db
    .select()
    .from(failureModel)
    .where(eq(failureModel.version, version as ModelVersion));
  return row;
}

/** What the agents are to run; undefined when rules are to judge. */
export async function activeVersion(db: Db): Promise<ModelVersion | undefined> {
  const [row] = await db.select({ version: failureModel.version }).from(failureModel).where(eq(failureModel.state, 'active'));
  return row?.version;
}

/** The models that are looked at day by day; null where there is none. `before` is what a roll-back would go to. */
export interface ModelsOnTrial {
  readonly active: ModelVersion | null;
  readonly shadow: ModelVersion | null;
  readonly before: ModelVersion | null;
}

export async function modelsOnTrial(db: Db): Promise<ModelsOnTrial> {
  const [active, shadow] = [await inState(db, 'active'), await inState(db, 'shadow')];
  const before = active === undefined ? undefined : await earlierThan(db, active);
  return { active: active?.version ?? null, shadow: shadow?.version ?? null, before: before?.version ?? null };
}

/**
 * Bring a model in as a candidate. One that is known stays as it is, but for new figures.
 *
 * @param given plain data from outside
 * @throws refused `model.invalid` when it can not be run or is not what its name says, `model.too-large`
 */
export async function addModel(tx: Tx, given: unknown, metrics: ModelMetrics | null, by: string, nowMs: number): Promise<ModelRow> {
  const model = checkedModel(given);
  const artifact = JSON.stringify(model);
  await oneAtATime(tx, 'models');
  const known = await readModel(tx, model.version);
  if (known !== undefined) return metrics === null ? known : change(tx, known, { metrics });
  const row = {
    version: model.version as ModelVersion,
    name: model.name,
    artifact,
    artifactHash: artifactHash(artifact),
    dataHash: model.trained.dataHash,
    trained: model.trained,
    metrics,
    addedAtMs: nowMs,
    addedBy: by,
  };
  const [added] = await tx.insert(failureModel).values(row).returning(withoutArtifact);
  const { from, to } = model.trained;
  await appendEvents(tx, nowMs, [happened('added', added!.version, `Failure model ${row.version}, trained on ${from} to ${to}, is a candidate.`, by)]);
  return added!;
}

/** Score beside the active model; the one that did goes back. @throws refused as `promoteModel` */
export async function shadowModel(tx: Tx, version: string, { by, expectedRev }: Wish, nowMs: number): Promise<ModelRow> {
  const model = await lockedModel(tx, version, expectedRev);
  const state = stepped(model, 'shadow');
  const before = await inState(tx, 'shadow');
  if (before !== undefined) await change(tx, before, { state: stepped(before, 'make-room') });
  await appendEvents(tx, nowMs, [happened('promoted', model.version, `Failure model ${version} scores beside the active one.`, by)]);
  return change(tx, model, { state });
}

/**
 * Have every agent run it; the one before is retired. While there is an active model, only one that was measured on the same data and foresees no
 * less takes its place.
 *
 * @throws refused `model.not-found`, `model.stale`, `model.refused` for what its state does not allow, `model.worse`, `model.not-comparable`
 */
export async function promoteModel(tx: Tx, version: string, { by, expectedRev }: Wish, nowMs: number): Promise<ModelRow> {
  const model = await lockedModel(tx, version, expectedRev);
  const state = stepped(model, 'activate');
  const before = await inState(tx, 'active');
  if (before !== undefined) {
    refuseWorse(model, before);
    await retire(tx, before, `${version} took its place`, nowMs);
  }
  await appendEvents(tx, nowMs, [happened('promoted', model.version, `Failure model ${version} is what agents judge drives by.`, by)]);
  return change(tx, model, { state, promotedAtMs: nowMs, promotedBy: by, retiredAtMs: null, retiredBecause: null });
}

/** Not wanted any more: an active one leaves the drives to the rules, one that never was active is rejected for good. @throws refused as `promoteModel` */
export async function retireModel(tx: Tx, version: string, because: string, { by, expectedRev }: Wish, nowMs: number): Promise<ModelRow> {
  const model = await lockedModel(tx, version, expectedRev);
  const retired = await retire(tx, model, because, nowMs);
  await appendEvents(tx, nowMs, [happened('retired', model.version, `Failure model ${version} is ${retired.state}: ${because}.`, by)]);
  return retired;
}

/**
 * Back to the model that was active before the present one; after a retirement that left none, to the last.
 *
 * @returns the one that is active now
 * @throws refused `model.no-earlier`, `model.stale` when the active one is not at the revision that was seen
 */
export async function rollBackModels(tx: Tx, because: string, { by, expectedRev }: Wish, nowMs: number): Promise<ModelRow> {
  await oneAtATime(tx, 'models');
  const active = await inState(tx, 'active');
  if (active !== undefined) refuseStale(active, expectedRev);
  const earlier = await earlierThan(tx, active);
  if (earlier === undefined)
    throw new Failure('refused', {
      code: 'model.no-earlier',
      message: 'No failure model was active before the present one.',
      hint: 'Have the rules judge: dim models retire VERSION.',
    });
  if (active !== undefined) await retire(tx, active, because, nowMs);
  const text = `Failure model ${earlier.version} is active again${active === undefined ? '' : ` instead of ${active.version}`}: ${because}.`;
  await appendEvents(tx, nowMs, [happened('rolled-back', earlier.version, text, by)]);
  return change(tx, earlier, { state: stepped(earlier, 'activate'), retiredAtMs: null, retiredBecause: null });
}

/**
 * The model that comes with the program: active where there is none at all, else a candidate; a person decides.
 *
 * @param metrics what is known of models of its kind; figures that it got here stand over them
 */
export async function addShippedModel(tx: Tx, given: unknown, metrics: ModelMetrics | null, nowMs: number): Promise<void> {
  await oneAtATime(tx, 'models');
  const known = await readModels(tx);
  const version = checkedModel(given).version as ModelVersion;
  const isMeasured = known.some((row) => row.version === version && row.metrics !== null);
  await addModel(tx, given, isMeasured ? null : metrics, 'shipped', nowMs);
  if (known.length === 0) await promoteModel(tx, version, { by: 'shipped', expectedRev: null }, nowMs);
}

function checkedModel(given: unknown): FailureModel {
  const fault = modelFault(given);
  if (fault !== null) throw invalid(`This is no failure model that can be run: ${fault}.`, 'Take the file that dim models train wrote, unchanged.');
  const model = given as FailureModel;
  const version = contentVersion(model);
  if (version !== model.version)
    throw invalid(`It calls itself ${model.version}, but its content is ${version}.`, 'It was changed after it was trained: train it again.');
  const bytes = Buffer.byteLength(JSON.stringify(model));
  if (bytes > largestArtifactBytes)
    throw new Failure('refused', {
      code: 'model.too-large',
      message: `It has ${bytes} bytes; agents take ${largestArtifactBytes} at most.`,
      hint: 'Train it with fewer trees.',
    });
  return model;
}

function invalid(message: string, hint: string): Failure {
  return new Failure('refused', { code: 'model.invalid', message, hint });
}

async function inState(db: Db, state: 'active' | 'shadow'): Promise<ModelRow | undefined> {
  const [row] = await db.select(withoutArtifact).from(failureModel).where(eq(failureModel.state, state));
  return row;
}

/** The one that was active before; the last that was, when none is. */
async function earlierThan(db: Db, active: ModelRow | undefined): Promise<ModelRow | undefined> {
  const isEarlier = active === undefined ? undefined : lt(failureModel.promotedAtMs, active.promotedAtMs!);
  const [earlier] = await db
    .select(withoutArtifact)
    .from(failureModel)
    .where(and(eq(failureModel.state, 'retired'), isEarlier))
    .orderBy(desc(failureModel.promotedAtMs))
    .limit(1);
  return earlier;
}

/** The model, while nobody else changes any. */
async function lockedModel(tx: Tx, version: string, expectedRev: number | null): Promise<ModelRow> {
  await oneAtATime(tx, 'models');
  const row = await readModel(tx, version);
  if (row === undefined)
    throw new Failure('refused', { code: 'model.not-found', message: `There is no failure model "${version}".`, hint: 'dim models list names them.' });
  refuseStale(row, expectedRev);
  return row;
}

function refuseStale({ version, rev }: ModelRow, expectedRev: number | null): void {
  if (expectedRev === null || expectedRev === rev) return;
  const message = `Failure model ${version} is at revision ${rev}, not ${expectedRev}.`;
  throw new Failure('refused', { code: 'model.stale', message, hint: 'Read it again and repeat the change.' });
}

function stepped(model: ModelRow, event: ModelEvent): ModelRow['state'] {
  const next = step(modelMachine, model.state, event);
  if (next.ok) return next.state;
  const message = `Failure model ${model.version} is ${model.state}: ${next.reason}.`;
  throw new Failure('refused', { code: 'model.refused', message, hint: 'dim models list tells what state each is in.', ids: { modelVersion: model.version } });
}

function refuseWorse(model: ModelRow, active: ModelRow): void {
  const found = compareMetrics(model.metrics, active.metrics);
  if (found.kind === 'not-worse') return;
  const [code, message, hint] =
    found.kind === 'worse'
      ? (['model.worse', `${model.version} foresees less than ${active.version} on the same data: ${found.because}.`, 'Keep the active one.'] as const)
      : ([
          'model.not-comparable',
          `Nobody knows whether ${model.version} is better than ${active.version}: ${found.because}.`,
          'Measure both on the same data first, and add the figures: dim models add FILE --metrics REPORT.',
        ] as const);
  throw new Failure('refused', { code, message, hint, ids: { modelVersion: model.version } });
}

function retire(tx: Tx, model: ModelRow, because: string, nowMs: number): Promise<ModelRow> {
  return change(tx, model, { state: stepped(model, 'retire'), retiredAtMs: nowMs, retiredBecause: because });
}

async function change(tx: Tx, { version }: ModelRow, to: Partial<Row>): Promise<ModelRow> {
  const [changed] = await tx
    .update(failureModel)
    .set({ ...to, rev: sql`${failureModel.rev} + 1` })
    .where(eq(failureModel.version, version))
    .returning(withoutArtifact);
  return changed!;
}

function happened(what: 'added' | 'promoted' | 'retired' | 'rolled-back', modelVersion: ModelVersion, text: string, by: string): NewEvent {
  return { type: `model.${what}`, severity: 'info', text, ids: { modelVersion }, by };
}
