import { listOf } from '@data-in-motion/shared/api/fleet';
import {
  accessEventsAnswer,
  accessEventsRequest,
  burstAnswer,
  burstRequest,
  certificateDocument,
  certificateView,
  chaosView,
  consistencyView as consistencySchema,
  experimentRequest,
  experimentView,
} from '@data-in-motion/shared/api/operations';
import { faultKinds } from '@data-in-motion/shared/domain/fault-hooks';
import type { Access } from '@data-in-motion/shared/domain/heat';
import type { NodeId } from '@data-in-motion/shared/domain/ids';
import { Failure } from '@data-in-motion/shared/failure';
import { seededRandom } from '@data-in-motion/shared/random';
import { isSignedBy } from '@data-in-motion/shared/signature';
import { ulid } from '@data-in-motion/shared/ulid';
import { z } from '@hono/zod-openapi';
import { desc, eq, sql } from 'drizzle-orm';
import { storeAccesses } from '../../store/accesses.ts';
import { disturbances, startExperiment, stopExperiments } from '../../store/experiment-requests.ts';
import { agentStream, certificate, event, experiment, quarantine } from '../../store/schema.ts';
import { burstAccesses } from '../burst.ts';
import { placeFault } from '../chaos-safety.ts';
import type { ApiContext } from '../context.ts';
import { type Api, endpoint } from '../endpoint.ts';
import { consistencyView } from '../views/consistency-view.ts';
import { invariantsOf } from '../views/invariants-view.ts';
import { assertDatasets, found } from './fleet-routes.ts';

/** How far an application's clock may be ahead of ours. */
const furthestAheadMs = 3_600_000;

export function operationRoutes(app: Api, context: ApiContext): void {
  accessRoutes(app, context);
  consistencyRoutes(app, context);
  chaosRoutes(app, context);
  certificateRoutes(app, context);
}

function accessRoutes(app: Api, { store, fleet, loop, clock, random }: ApiContext): void {
  endpoint(app, 'accessEvents', {
    role: 'operator',
    says: 'Tell accesses that an application saw; an accessId that was told before counts once',
    body: accessEventsRequest,
    answer: accessEventsAnswer,
    status: 202,
    async run({ body }) {
      assertDatasets(
        await fleet.read(),
        body.accesses.map(({ datasetId }) => datasetId),
      );
      const nowMs = await store.nowMs();
      if (body.accesses.some((one) => (one.atMs ?? 0) > nowMs + furthestAheadMs))
        throw new Failure('refused', {
          code: 'access.invalid',
          message: 'An access lies more than an hour in the future; nothing was stored.',
          hint: 'atMs is milliseconds since the epoch; leave it out for now.',
        });
      const accesses: Access[] = body.accesses.map((one) => ({
        ...one,
        accessId: one.accessId ?? ulid(clock.nowMs(), random),
        atMs: one.atMs ?? nowMs,
        source: 'api',
      }));
      const counted = await store.transaction((tx) => storeAccesses(tx, nowMs, accesses));
      loop.wake();
      return { body: counted };
    },
  });

  endpoint(app, 'burst', {
    role: 'operator',
    says: 'Make up a burst of reads; with include_moves the plan that follows from it is applied',
    body: burstRequest,
    answer: burstAnswer,
    status: 202,
    async run({ body }) {
      const rows = await fleet.read();
      const chosen = body.dataset_ids ?? rows.datasets.map(({ row }) => row.datasetId as string);
      assertDatasets(rows, chosen);
      if (chosen.length === 0)
        throw new Failure('refused', { code: 'burst.no-datasets', message: 'There are no datasets to read from.', hint: 'Add one first: dim datasets add.' });
      const nowMs = await store.nowMs();
      const accesses = burstAccesses(chosen, body.events, nowMs, body.seed === undefined ? random : seededRandom(body.seed));
      for (let from = 0; from < accesses.length; from += 1_000) await store.transaction((tx) => storeAccesses(tx, nowMs, accesses.slice(from, from + 1_000)));
      fleet.forget();
      loop.wake();
      if (!body.include_moves) return { body: { events: accesses.length, datasets: chosen.length, planId: null, jobs: 0 } };
      const plan = await loop.makePlan({ dryRun: false, datasetIds: body.dataset_ids });
      return { body: { events: accesses.length, datasets: chosen.length, planId: plan.planId, jobs: plan.moves.filter((move) => move.jobId !== null).length } };
    },
  });
}

function consistencyRoutes(app: Api, { store, fleet, loop, settings }: ApiContext): void {
  endpoint(app, 'consistency', {
    role: 'viewer',
    says: 'What is out of step, why, and what is being done about it',
    answer: consistencySchema,
    async run() {
      const rows = await fleet.read();
      const streams = await store.db.select().from(agentStream).orderBy(agentStream.nodeId, desc(agentStream.incarnation));
      const [kept] = await store.db.select({ count: sql<number>`count(*)` }).from(quarantine);
      const [conflicts] = await store.db.select({ count: sql<number>`count(*)` }).from(event).where(eq(event.type, 'sync_conflict'));
      const kepts = await store.db
        .select({ id: quarantine.id, atMs: quarantine.atMs, topic: quarantine.topic, because: quarantine.because, bytes: quarantine.bytes })
        .from(quarantine)
        .orderBy(desc(quarantine.atMs))
        .limit(50);
      return {
        body: await consistencyView(rows, {
          streams,
          scrubEveryMs: settings.scrubEveryMs,
          quarantined: Number(kept?.count),
          syncConflicts: Number(conflicts?.count),
          quarantine: kepts,
        }),
      };
    },
  });

  endpoint(app, 'resync', {
    role: 'operator',
    says: 'Verify again every copy that is doubted, and send every agent its orders again',
    answer: z.object({ verifying: z.number(), nodes: z.number() }),
    status: 202,
    async run() {
      const answer = await loop.resync();
      fleet.forget();
      return { body: answer };
    },
  });
}

function chaosRoutes(app: Api, { store, fleet, dispatch, settings, clock, random }: ApiContext): void {
  endpoint(app, 'chaos', {
    role: 'viewer',
    says: 'Faults that are armed, faults that can be, and what must hold meanwhile',
    answer: chaosView,
    async run() {
      const rows = await store.db.select().from(experiment).orderBy(desc(experiment.startedAtMs)).limit(100);
      const armed = rows.filter((row) => row.state === 'sent' || row.state === 'armed');
      return {
        body: {
          allowed: settings.chaosAllowed,
          armed,
          recent: rows.filter((row) => !armed.includes(row)),
          kinds: Object.entries(faultKinds).map(([kind, fault]) => ({ kind, on: fault.on, parameters: fault.parameters, says: fault.says })),
          invariants: await invariantsOf(store, await fleet.read()),
        },
      };
    },
  });

  endpoint(app, 'startExperiment', {
    role: 'admin',
    says: "Arm a fault for a limited time; refused where it would touch a dataset's last verified copy",
    body: experimentRequest,
    answer: experimentView,
    status: 201,
    async run({ body, caller }) {
      fleet.forget();
      const rows = await fleet.read();
      const experimentId = ulid(clock.nowMs(), random);
      const parameters = { ...faultKinds[body.kind].parameters, ...body.parameters };
      const row = await store.transaction(async (tx) => {
        const nodeId = placeFault(rows, body, await disturbances(tx), settings.chaosAllowed) as NodeId;
        return startExperiment(tx, { experimentId, nodeId, ...body, parameters, by: caller.who }, clock.nowMs());
      });
      const nodeId = row.nodeId as NodeId;
      await dispatch.sendFault(nodeId, {
        v: 1,
        nodeId,
        experimentId: row.experimentId as never,
        action: 'arm',
        kind: body.kind,
        subject: body.subject,
        parameters,
        ttlMs: body.ttlMs,
        seed: body.seed,
        issuedAtMs: clock.nowMs(),
      });
      return { body: row };
    },
  });

  const stop = async (experimentId: string | null): Promise<number> => {
    const rows = await store.transaction((tx) => stopExperiments(tx, experimentId, clock.nowMs()));
    for (const row of rows) {
      await dispatch.sendFault(row.nodeId, {
        v: 1,
        nodeId: row.nodeId,
        experimentId: row.experimentId as never,
        action: experimentId === null ? 'undo-all' : 'undo',
        kind: row.kind,
        subject: row.subject,
        parameters: {},
        ttlMs: 1_000,
        seed: 0,
        issuedAtMs: clock.nowMs(),
      });
    }
    return rows.length;
  };
  const stopped = z.object({ stopped: z.number() });

  endpoint(app, 'stopExperiment', {
    role: 'operator',
    says: 'Undo one fault now',
    answer: stopped,
    status: 202,
    async run({ params }) {
      const [row] = await store.db.select().from(experiment).where(eq(experiment.experimentId, params['experimentId']!));
      found(row, 'experiment', params['experimentId']!);
      return { body: { stopped: await stop(params['experimentId']!) } };
    },
  });

  endpoint(app, 'stopChaos', {
    role: 'operator',
    says: 'Undo all faults everywhere, now',
    answer: stopped,
    status: 202,
    async run() {
      return { body: { stopped: await stop(null) } };
    },
  });
}

function certificateRoutes(app: Api, { store, signingKey }: ApiContext): void {
  endpoint(app, 'certificates', {
    role: 'viewer',
    says: 'Evacuation certificates, newest first',
    answer: listOf(certificateView),
    async run() {
      const rows = await store.db.select().from(certificate).orderBy(desc(certificate.openedAtMs)).limit(500);
      const items = rows.map((row) => {
        const body = JSON.parse(row.body) as { replicas: unknown[]; outcome: { text: string } | null };
        return {
          certificateId: row.certificateId,
          deviceId: row.deviceId,
          nodeId: row.nodeId,
          issuedAtMs: row.issuedAtMs,
          state: row.state,
          replicas: body.replicas.length,
          outcome: body.outcome?.text ?? null,
          verified: isSignedBy(row, signingKey.publicKeyPem),
        };
      });
      return { body: { items, next: null, asOfMs: await store.nowMs() } };
    },
  });

  endpoint(app, 'certificate', {
    role: 'viewer',
    says: 'One certificate as it was signed; `dim certificate verify` checks it without us',
    answer: certificateDocument,
    async run({ params }) {
      const [row] = await store.db.select().from(certificate).where(eq(certificate.certificateId, params['certificateId']!));
      const { body, signature, keyId } = found(row, 'certificate', params['certificateId']!);
      return { body: { body, signature, keyId, publicKeyPem: signingKey.publicKeyPem } };
    },
  });
}
