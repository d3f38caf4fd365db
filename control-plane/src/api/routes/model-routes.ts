import { listOf } from '@data-in-motion/shared/api/fleet';
import { modelDetail, modelRequest, modelView as modelSchema, promoteRequest, retireRequest, trainingAsked } from '@data-in-motion/shared/api/models';
import { Failure } from '@data-in-motion/shared/failure';
import { z } from '@hono/zod-openapi';
import type { Tx } from '../../store/database.ts';
import { noteConflict } from '../../store/datasets.ts';
import { addModel, type ModelRow, promoteModel, readModel, readModels, retireModel, rollBackModels, shadowModel } from '../../store/failure-models.ts';
import { node } from '../../store/schema.ts';
import type { ApiContext } from '../context.ts';
import { type Api, endpoint, type Reply } from '../endpoint.ts';
import { modelDetailView, modelView } from '../views/model-view.ts';
import { found } from './fleet-routes.ts';

/** The models by which agents foretell that drives fail. */
export function modelRoutes(app: Api, { store, loop }: ApiContext): void {
  const { db } = store;
  const runningOn = async () => (await db.select({ version: node.modelVersion }).from(node)).map((row) => row.version);

  /** One change, whole or not at all; what changed is told to the agents with the next pass. */
  const changed = async (by: string, work: (tx: Tx, nowMs: number) => Promise<ModelRow>): Promise<Reply<z.infer<typeof modelSchema>>> => {
    try {
      const row = await store.transaction(async (tx) => work(tx, await store.nowMs(tx)));
      loop.wake();
      return { body: modelView(row, await runningOn()), rev: row.rev };
    } catch (thrown) {
      if (thrown instanceof Failure && thrown.code === 'model.stale') await noteConflict(store, 'the failure models', {}, by);
      throw thrown;
    }
  };

  endpoint(app, 'models', {
    role: 'viewer',
    says: 'The failure models that were brought in, newest first, with their state and figures',
    answer: listOf(modelSchema),
    async run() {
      const [rows, running] = [await readModels(db), await runningOn()];
      return { body: { items: rows.map((row) => modelView(row, running)), next: null, asOfMs: await store.nowMs() } };
    },
  });

  endpoint(app, 'model', {
    role: 'viewer',
    says: 'One failure model with its levels and what its log-odds are worth; with artifact=true also what agents run',
    query: z.object({ artifact: z.enum(['true', 'false']).default('false') }),
    answer: modelDetail,
    async run({ params, query }) {
      const row = found(await readModel(db, params['version']!), 'model', params['version']!);
      return { body: modelDetailView(row, await runningOn(), query.artifact === 'true' ? 'with' : 'without'), rev: row.rev };
    },
  });

  endpoint(app, 'addModel', {
    role: 'admin',
    says: 'Bring a trained model in as a candidate, or new figures of one that is known',
    body: modelRequest,
    answer: modelSchema,
    status: 201,
    run: ({ body, caller }) => changed(caller.who, (tx, nowMs) => addModel(tx, body.artifact, body.metrics ?? null, caller.who, nowMs)),
  });

  endpoint(app, 'promoteModel', {
    role: 'admin',
    says: 'Have a model score in the shadow, or have every agent run it; refused when it foresees less than the active one on the same data',
    body: promoteRequest,
    answer: modelSchema,
    run({ params, body, caller, ifMatchRev }) {
      const promote = body.to === 'active' ? promoteModel : shadowModel;
      return changed(caller.who, (tx, nowMs) => promote(tx, params['version']!, { by: caller.who, expectedRev: ifMatchRev }, nowMs));
    },
  });

  endpoint(app, 'retireModel', {
    role: 'admin',
    says: 'A model is not wanted any more; without an active one, rules judge the drives',
    body: retireRequest,
    answer: modelSchema,
    run({ params, body, caller, ifMatchRev }) {
      const because = body.because ?? `${caller.who} retired it`;
      return changed(caller.who, (tx, nowMs) => retireModel(tx, params['version']!, because, { by: caller.who, expectedRev: ifMatchRev }, nowMs));
    },
  });

  endpoint(app, 'trainModel', {
    role: 'admin',
    says: 'Have another model trained on the recorded drives that were set; it becomes a candidate, and events say how far it is',
    answer: trainingAsked,
    status: 202,
    async run({ caller }) {
      await loop.trainModel(caller.who);
      return { body: { asked: true } };
    },
  });

  endpoint(app, 'rollBackModels', {
    role: 'admin',
    says: 'Back to the model that was active before; If-Match names the revision of the present one',
    body: retireRequest,
    answer: modelSchema,
    run({ body, caller, ifMatchRev }) {
      const because = body.because ?? `${caller.who} rolled back`;
      return changed(caller.who, (tx, nowMs) => rollBackModels(tx, because, { by: caller.who, expectedRev: ifMatchRev }, nowMs));
    },
  });
}
