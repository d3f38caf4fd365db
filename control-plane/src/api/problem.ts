import type { Problem } from '@data-in-motion/shared/api/fleet';
import type { PlanDifference } from '@data-in-motion/shared/api/plan-difference';
import { Failure } from '@data-in-motion/shared/failure';
import type { z } from 'zod';
import { asStoreFailure } from '../store/database-failure.ts';

/** The HTTP status that says what the caller should do about a failure. */
export function statusOf(failure: Failure): number {
  if (failure instanceof StalePlan) return 409;
  if (failure.code.endsWith('.not-found')) return 404;
  if (failure.code.endsWith('.invalid') || failure.code === 'policy.infeasible' || failure.code.startsWith('database.22')) return 422;
  if (failure.code.endsWith('.stale')) return 412;
  if (failure.code.endsWith('.unauthenticated')) return 401;
  if (failure.code.endsWith('.forbidden')) return 403;
  if (failure.code.endsWith('.too-large')) return 413;
  if (failure.code.endsWith('.not-json')) return 400;
  if (failure.kind === 'refused') return 409;
  if (failure.kind === 'exhausted') return 507;
  if (failure.kind === 'unavailable') return 503;
  return 500;
}

const titles: Readonly<Record<number, string>> = {
  400: 'The request can not be read',
  401: 'Who are you?',
  403: 'Not allowed',
  404: 'Not there',
  409: 'Not possible now',
  412: 'It changed in the meantime',
  413: 'Too large',
  422: 'Something in the request is not right',
  503: 'Not available at the moment',
  507: 'No space',
};

/** RFC 9457 document for anything that was thrown; what is our own fault says so and tells no inner detail. */
export function problemOf(thrown: unknown): Problem {
  const failure = plainWords(asStoreFailure(thrown));
  const status = statusOf(failure);
  const own = status === 500;
  return {
    type: `urn:data-in-motion:${own ? 'defect' : failure.code}`,
    title: titles[status] ?? 'Our own mistake',
    status,
    detail: own ? 'The control plane made a mistake; its log has the details.' : failure.message,
    code: own ? 'defect' : failure.code,
    ...(failure.hint === undefined || own ? {} : { fix: failure.hint }),
    ...(failure instanceof InvalidRequest ? { errors: failure.errors } : {}),
    ...(failure instanceof StalePlan ? { differences: [...failure.differences], newPlanId: failure.newPlanId } : {}),
  };
}

/** What a database refuses is said without its words. */
function plainWords(failure: Failure): Failure {
  if (failure.kind !== 'refused' || !failure.code.startsWith('database.')) return failure;
  return new Failure('refused', {
    code: failure.code,
    message: 'A value of the request can not be stored.',
    hint: 'GET /docs shows what is expected.',
    cause: failure,
  });
}

/** A plan that does not hold any more: what has changed, and the plan that is offered instead. */
export class StalePlan extends Failure {
  readonly differences: readonly PlanDifference[];
  readonly newPlanId: string | null;

  constructor(planId: string, differences: readonly PlanDifference[], newPlanId: string | null) {
    const more = differences.length > 1 ? `, and ${differences.length - 1} more` : '';
    super('refused', {
      code: 'plan.stale',
      message: `Plan ${planId} does not hold any more, and nothing of it was begun: ${differences[0]?.text ?? ''}${more}.`,
      hint: newPlanId === null ? 'Make a new plan and look at it: dim plan --dry-run.' : `Look at the plan that was made instead: dim plan show ${newPlanId}`,
      ids: { planId },
    });
    this.differences = differences;
    this.newPlanId = newPlanId;
  }
}

/** A request whose fields are wrong: every field is named. */
export class InvalidRequest extends Failure {
  readonly errors: { field: string; message: string }[];

  constructor(where: string, error: z.ZodError) {
    const errors = error.issues.map((issue) => ({ field: [where, ...issue.path].join('.'), message: issue.message }));
    super('refused', {
      code: 'request.invalid',
      message: errors.map((one) => `${one.field}: ${one.message}`).join('; '),
      hint: 'GET /docs shows what is expected.',
    });
    this.errors = errors;
  }
}
