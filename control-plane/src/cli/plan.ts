import { type PlanView, planSummary, planView } from '@data-in-motion/shared/api/decisions';
import { problem } from '@data-in-motion/shared/api/fleet';
import { Failure } from '@data-in-motion/shared/failure';
import type { Command } from 'commander';
import { z } from 'zod';
import { change, counted } from './figures.ts';
import { followPlan } from './follow.ts';
import { differenceTable, planText } from './plan-text.ts';
import { noun, type Session, verb } from './session.ts';
import { collect } from './units.ts';

export function addPlan(program: Command): void {
  const plan = noun(program, 'plan', 'what should move where, what it costs and why');
  verb<{ dryRun?: true; dataset?: string[] }>(plan, {
    usage: 'show [plan]',
    isDefault: true,
    says: 'the current plan, another one, or with --dry-run a fresh one that changes nothing',
    examples: ['plan', 'plan --dry-run', 'plan --dry-run --dataset photos', 'plan show 01JD0000000000000000000000'],
    options: (command) =>
      command
        .option('--dry-run', 'make a new plan from what is known now, without doing anything')
        .option('--dataset <name>', 'only for this dataset; again for more (with --dry-run)', collect),
    async run(session, [planId], options) {
      const shown = options.dryRun
        ? await session.api.call('makePlan', planView, { body: { dryRun: true, ...(options.dataset === undefined ? {} : { datasetIds: options.dataset }) } })
        : planId === undefined
          ? await session.api.call('currentPlan', planView)
          : await session.api.call('plan', planView, { path: { planId } });
      session.answer(shown, () => planText(shown, Date.now()));
    },
  });
  verb<{ wait: boolean }>(plan, {
    usage: 'apply [plan]',
    says: 'do what a plan advises (the current one when none is named) and follow it',
    examples: ['plan apply', 'plan apply 01JD0000000000000000000000 --no-wait'],
    options: (command) => command.option('--no-wait', 'do not follow it'),
    async run(session, [named], options) {
      const planId = named ?? (await session.api.call('currentPlan', planView)).planId;
      await applyPlan(session, planId);
      const applied = options.wait ? await followPlan(session, planId) : await session.api.call('plan', planView, { path: { planId } });
      session.answer(applied, () => appliedText(applied));
    },
  });
  verb(plan, {
    usage: 'cancel [plan]',
    says: 'call an applied plan off (the one that is being carried out when none is named): what waits is not begun, what runs is finished',
    examples: ['plan cancel', 'plan cancel 01JD0000000000000000000000'],
    async run(session, [named]) {
      const planId = named ?? (await planAtWork(session));
      const { leftOut, running } = await session.api.call('cancelPlan', z.looseObject({ leftOut: z.number(), running: z.number() }), {
        path: { planId },
        body: {},
      });
      session.answer({ planId, leftOut, running }, () => {
        const rest = running === 0 ? 'nothing of it is under way' : `${counted(running, 'move')} under way will be finished (dim jobs)`;
        return `Plan ${planId} is called off: ${counted(leftOut, 'move is', 'moves are')} not begun, ${rest}.`;
      });
    },
  });
}

async function planAtWork(session: Session): Promise<string> {
  const { items } = await session.api.list('plans', planSummary, { running: 'true' });
  if (items.length === 1) return items[0]!.planId;
  throw new Failure('refused', {
    code: items.length === 0 ? 'plan.none-at-work' : 'plan.several-at-work',
    message: items.length === 0 ? 'No plan is being carried out.' : `${items.length} plans are being carried out.`,
    hint: items.length === 0 ? 'A single job is stopped with: dim jobs cancel JOB' : `Name one of them: ${items.map((each) => each.planId).join(', ')}`,
  });
}

/** Where the plan does not hold any more, what has changed is told as a table before the refusal. */
async function applyPlan(session: Session, planId: string): Promise<void> {
  try {
    await session.api.call('applyPlan', z.looseObject({ jobs: z.array(z.string()) }), { path: { planId }, body: {} });
  } catch (error) {
    const told = error instanceof Failure && error.code === 'plan.stale' ? problem.safeParse(error.cause) : undefined;
    if (told?.success === true && !session.json) session.say(differenceTable(told.data.differences ?? []));
    throw error;
  }
}

function appliedText(plan: PlanView): string {
  const { done = 0, running = 0, waiting = 0, failed = 0 } = plan.execution ?? {};
  const rest = [running > 0 ? `${running} under way` : '', waiting > 0 ? `${waiting} waiting for their turn` : '', failed > 0 ? `${failed} given up` : ''];
  const stages = [`${counted(done, 'move')} done`, ...rest.filter((text) => text !== '')].join(', ');
  return `Plan ${plan.planId}: ${stages}, ${change(plan.costAfterPerMonth - plan.costBeforePerMonth)} per month when all are.`;
}
