import type { PlanView } from '@data-in-motion/shared/api/decisions';
import { findingsApplied, findingsApplyRequest, findingsQuery, findingsView } from '@data-in-motion/shared/api/findings';
import type { PlanId } from '@data-in-motion/shared/domain/ids';
import { Failure } from '@data-in-motion/shared/failure';
import type { ApiContext } from '../context.ts';
import { type Api, endpoint } from '../endpoint.ts';
import { StalePlan } from '../problem.ts';
import { findingsView as viewOf } from '../views/findings-view.ts';
import { assertDatasets } from './fleet-routes.ts';

export function findingRoutes(app: Api, { loop, fleet, settings }: ApiContext): void {
  endpoint(app, 'findings', {
    role: 'viewer',
    says: 'Where datasets are not as their policies say, the worst first, each with what helps',
    query: findingsQuery,
    answer: findingsView,
    async run({ query, newest }) {
      return { body: await viewOf(await fleet.show({ newest }), query, settings.decisions) };
    },
  });

  endpoint(app, 'applyFindings', {
    role: 'operator',
    says: 'Do what helps a dataset: make its plan and admit its moves, also in advisory mode; refused with the way out when no place is left',
    body: findingsApplyRequest,
    answer: findingsApplied,
    status: 202,
    async run({ body: { datasetId } }) {
      assertDatasets(await fleet.read(), [datasetId]);
      const plan = await loop.makePlan({ dryRun: true, datasetIds: [datasetId] });
      assertHelps(plan, datasetId);
      const applied = await loop.applyPlan(plan.planId as PlanId);
      if (applied.kind === 'refused')
        throw new Failure('refused', { code: applied.code, message: applied.because, hint: 'The fleet has just changed: look again and repeat it.' });
      if (applied.kind === 'stale') throw new StalePlan(plan.planId, applied.differences, applied.newPlanId);
      fleet.forget();
      loop.wake();
      return { body: { datasetId, plan, jobs: [...applied.jobs] } };
    },
  });
}

/** What only follows heat or saves money is no remedy, and is not done under the name of one. @throws refused `findings.infeasible`, `findings.nothing-to-do` */
function assertHelps(plan: PlanView, datasetId: string): void {
  if (plan.moves.some(({ need }) => need !== 'follow-heat' && need !== 'cheaper-place')) return;
  const blocked = plan.infeasible.find((one) => one.datasetId === datasetId);
  if (blocked !== undefined)
    throw new Failure('refused', {
      code: 'findings.infeasible',
      message: `No place is left for ${datasetId}; these rules clash: ${blocked.rules.join(', ')}.`,
      hint: `The cheapest way out: ${blocked.cheapestWayOut}`,
      ids: { datasetId },
    });
  throw new Failure('refused', {
    code: 'findings.nothing-to-do',
    message: `No move would help ${datasetId}: what can be done is under way already, or is as its policy says.`,
    hint: `dim findings --dataset ${datasetId} tells what is found, dim jobs what is under way.`,
    ids: { datasetId },
  });
}
