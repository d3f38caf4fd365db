import {
  alertView,
  auditView,
  jobView as jobSchema,
  type MoveView,
  type PlanView,
  planRequest,
  planSummary,
  planView,
  recommendationView,
  recoveryView,
} from '@data-in-motion/shared/api/decisions';
import { listOf } from '@data-in-motion/shared/api/fleet';
import type { JobId, PlanId } from '@data-in-motion/shared/domain/ids';
import { Failure } from '@data-in-motion/shared/failure';
import { z } from '@hono/zod-openapi';
import { and, asc, desc, eq, lt, sql } from 'drizzle-orm';
import { readAudit } from '../../audit/audit.ts';
import { recoveryReport } from '../../health/recovery-report.ts';
import { callOffPlan } from '../../store/call-off-plan.ts';
import { cancelJob, retryJob } from '../../store/job-wishes.ts';
import { plansListed, viewsOf } from '../../store/plan-work.ts';
import { alert, job, jobTransition, plan, recommendation } from '../../store/schema.ts';
import type { ApiContext } from '../context.ts';
import { type Api, endpoint } from '../endpoint.ts';
import { StalePlan } from '../problem.ts';
import { jobView } from '../views/job-view.ts';
import { assertDatasets, found } from './fleet-routes.ts';

const page = z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(200), before: z.string().optional() });

export function decisionRoutes(app: Api, context: ApiContext): void {
  const { store, loop, fleet } = context;
  const { db } = store;
  const asShown = async (row: typeof plan.$inferSelect): Promise<PlanView> => (await viewsOf(db, [row], await store.nowMs()))[0]!;

  endpoint(app, 'plans', {
    role: 'viewer',
    says: 'Plans, newest first, their moves counted; with `running` only those of which moves are still to be begun',
    query: page.extend({ running: z.literal('true').optional() }),
    answer: listOf(planSummary),
    async run({ query }) {
      const which = and(
        query.before === undefined ? undefined : lt(plan.planId, query.before as PlanId),
        query.running === undefined ? undefined : sql`${plan.execution}->>'state' = 'running'`,
      );
      const asOfMs = await store.nowMs();
      const items = await plansListed(db, which, query.limit, asOfMs);
      return { body: { items, next: items.length === query.limit ? items.at(-1)!.planId : null, asOfMs } };
    },
  });

  endpoint(app, 'currentPlan', {
    role: 'viewer',
    says: 'The newest plan of the whole fleet',
    answer: planView,
    async run({ newest }) {
      const body = await fleet.planAnswer({ newest });
      if (body === null) throw new Failure('refused', { code: 'plan.not-found', message: 'There is no plan yet.', hint: 'dim plan --dry-run makes one.' });
      return { body };
    },
  });

  endpoint(app, 'plan', {
    role: 'viewer',
    says: 'One plan: whether it still holds, or how far it is carried out',
    answer: planView,
    async run({ params }) {
      const [row] = await db
        .select()
        .from(plan)
        .where(eq(plan.planId, params['planId'] as PlanId));
      const shown = await asShown(found(row, 'plan', params['planId']!));
      const differences = await loop.planDifferences(params['planId'] as PlanId);
      return { body: differences === null ? shown : { ...shown, differences } };
    },
  });

  endpoint(app, 'makePlan', {
    role: 'operator',
    says: 'Decide now, for the whole fleet or some datasets: what would be moved, why, and what it costs',
    body: planRequest,
    answer: planView,
    status: 201,
    async run({ body }) {
      assertDatasets(await fleet.read(), body.datasetIds ?? []);
      const made = await loop.makePlan(body);
      fleet.forget();
      return { body: made };
    },
  });

  endpoint(app, 'applyPlan', {
    role: 'operator',
    says: 'Carry out a plan as it was shown: the first moves begin now, the others as the limits allow; refused with what has changed since, and another plan',
    answer: z.object({ planId: z.string(), jobs: z.array(z.string()) }),
    status: 202,
    async run({ params }) {
      const applied = await loop.applyPlan(params['planId'] as PlanId);
      if (applied.kind === 'refused')
        throw new Failure('refused', { code: applied.code, message: applied.because, hint: 'Make a new plan and look at it: dim plan --dry-run.' });
      if (applied.kind === 'stale') throw new StalePlan(params['planId']!, applied.differences, applied.newPlanId);
      fleet.forget();
      loop.wake();
      return { body: { planId: params['planId']!, jobs: [...applied.jobs] } };
    },
  });

  endpoint(app, 'cancelPlan', {
    role: 'operator',
    says: 'Call an applied plan off: none of its moves that wait is begun any more and their room is free; what is under way is finished',
    answer: z.object({ planId: z.string(), leftOut: z.number().int(), running: z.number().int() }),
    async run({ params, caller }) {
      const planId = params['planId'] as PlanId;
      const answer = await store.transaction(async (tx) => callOffPlan(tx, planId, caller.who, await store.nowMs(tx)));
      if (!answer.ok) throw new Failure('refused', { code: answer.code, message: answer.because, hint: 'dim plan show tells how far it is.', ids: { planId } });
      fleet.forget();
      loop.wake();
      return { body: { planId, leftOut: answer.leftOut, running: answer.running } };
    },
  });

  endpoint(app, 'recommendations', {
    role: 'viewer',
    says: 'Moves that would pay or are needed, newest first',
    query: page,
    answer: listOf(recommendationView),
    async run({ query }) {
      const rows = await db.select().from(recommendation).orderBy(desc(recommendation.madeAtMs)).limit(query.limit);
      const items = rows.map((row) => ({
        ...(row.body as MoveView),
        recommendationId: row.recommendationId,
        planId: row.planId,
        madeAtMs: row.madeAtMs,
        judge: row.judge,
      }));
      return { body: { items, next: null, asOfMs: await store.nowMs() } };
    },
  });

  endpoint(app, 'recovery', {
    role: 'viewer',
    says: 'What would be left, and how soon, when a device, a node or a site is lost',
    query: z.object({ dataset: z.string().optional() }),
    answer: recoveryView,
    async run({ query, newest }) {
      const rows = await fleet.show({ newest });
      if (query.dataset !== undefined) assertDatasets(rows, [query.dataset]);
      const { disasters, datasets } = recoveryReport(rows.snapshot);
      return {
        body: {
          asOfMs: rows.asOfMs,
          disasters: [...disasters],
          datasets: datasets
            .filter(({ datasetId }) => query.dataset === undefined || datasetId === query.dataset)
            .map((one) => ({ ...one, worst: [...one.worst] })),
        },
      };
    },
  });

  endpoint(app, 'jobs', {
    role: 'viewer',
    says: 'Jobs, newest first',
    query: page.extend({ state: z.string().optional(), dataset: z.string().optional(), active: z.enum(['true', 'false']).optional() }),
    answer: listOf(jobSchema),
    async run({ query }) {
      const jobs = db
        .select()
        .from(job)
        .where(
          and(
            query.before === undefined ? undefined : lt(job.jobId, query.before as JobId),
            query.state === undefined ? undefined : eq(job.state, query.state as (typeof job.$inferSelect)['state']),
            query.dataset === undefined ? undefined : eq(job.datasetId, query.dataset as (typeof job.$inferSelect)['datasetId']),
            query.active === undefined ? undefined : eq(job.active, query.active === 'true'),
          ),
        )
        .orderBy(desc(job.jobId))
        .limit(query.limit);
      const [rows, asOfMs] = await Promise.all([jobs, store.nowMs()]);
      return { body: { items: rows.map((row) => jobView(row)), next: rows.length === query.limit ? rows.at(-1)!.jobId : null, asOfMs } };
    },
  });

  endpoint(app, 'job', {
    role: 'viewer',
    says: 'One job with all its transitions',
    answer: jobSchema,
    async run({ params }) {
      const jobId = params['jobId'] as JobId;
      const [row] = await db.select().from(job).where(eq(job.jobId, jobId));
      const transitions = await db.select().from(jobTransition).where(eq(jobTransition.jobId, jobId)).orderBy(asc(jobTransition.seq));
      return { body: { ...jobView(found(row, 'job', jobId)), transitions: transitions.map(({ atMs, from, event, to }) => ({ atMs, from, event, to })) } };
    },
  });

  for (const [name, verb, says] of [
    ['retryJob', retryJob, 'Try a waiting or failed job again now'],
    ['cancelJob', cancelJob, 'Give up a job that has not switched yet; the source keeps every byte'],
  ] as const) {
    endpoint(app, name, {
      role: 'operator',
      says,
      answer: jobSchema,
      async run({ params }) {
        const jobId = params['jobId'] as JobId;
        const answer = await store.transaction(async (tx) => verb(tx, jobId, await store.nowMs(tx)));
        const [row] = await db.select().from(job).where(eq(job.jobId, jobId));
        const view = jobView(found(row, 'job', jobId));
        if (!answer.ok)
          throw new Failure('refused', { code: 'job.refused', message: answer.reason, hint: 'dim jobs show tells what state it is in.', ids: { jobId } });
        fleet.forget();
        loop.wake();
        return { body: view };
      },
    });
  }

  endpoint(app, 'alerts', {
    role: 'viewer',
    says: 'What a person should look at, open ones first',
    answer: listOf(alertView),
    async run() {
      const rows = await db.select().from(alert).orderBy(desc(alert.sinceMs)).limit(500);
      const items = rows.map(({ key: _, ...row }) => row).sort((a, b) => Number(a.endedAtMs !== null) - Number(b.endedAtMs !== null) || b.sinceMs - a.sinceMs);
      return { body: { items, next: null, asOfMs: await store.nowMs() } };
    },
  });

  endpoint(app, 'audit', {
    role: 'viewer',
    says: 'Who changed what, newest first',
    query: page.extend({ before: z.coerce.number().int().min(0).optional() }),
    answer: listOf(auditView),
    async run({ query }) {
      const rows = await readAudit(db, query.before ?? null, query.limit);
      return { body: { items: rows, next: rows.length === query.limit ? String(rows.at(-1)!.seq) : null, asOfMs: await store.nowMs() } };
    },
  });
}
