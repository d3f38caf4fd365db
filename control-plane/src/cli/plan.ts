import { type MoveView, type PlanView, planView } from '@data-in-motion/shared/api/decisions';
import type { Command } from 'commander';
import { z } from 'zod';
import { age, bytes, change, counted, duration, money, percent } from './figures.ts';
import { followJobs } from './follow.ts';
import { noun, verb } from './session.ts';
import { facts, table } from './table.ts';
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
      const { jobs: jobIds } = await session.api.call('applyPlan', z.looseObject({ jobs: z.array(z.string()) }), { path: { planId }, body: {} });
      const applied = await session.api.call('plan', planView, { path: { planId } });
      if (options.wait && jobIds.length > 0) await followJobs(session, jobIds);
      session.answer(
        applied,
        () =>
          `Plan ${planId}: ${counted(jobIds.length, 'move')} ${options.wait ? 'done' : 'under way'}, ${change(applied.costAfterPerMonth - applied.costBeforePerMonth)} per month.`,
      );
    },
  });
}

function planText(plan: PlanView, nowMs: number): string {
  return [
    facts([
      ['plan', `${plan.planId}, ${plan.state}, made ${age(plan.madeAtMs, nowMs)} by ${plan.solver} in ${duration(plan.solvedInMs)}`],
      [
        'cost',
        `${money(plan.costBeforePerMonth)} -> ${money(plan.costAfterPerMonth)} per month (${change(plan.costAfterPerMonth - plan.costBeforePerMonth)}), moving costs ${money(plan.migrationOnce)} once`,
      ],
      ['chosen by', boundText(plan)],
    ]),
    moveTable(plan.moves),
    ...plan.infeasible.map((one) => `${one.datasetId} can not be placed: ${one.rules.join(', ')}. ${one.cheapestWayOut}`),
  ].join('\n\n');
}

/** What the solver makes small is more than the bill, so its bound is told with what it bounds. */
function boundText(plan: PlanView): string {
  const chosenBy = `the bill, the moves and what readers’ waiting is worth, together ${money(plan.objectivePerMonth)} per month`;
  const aboveBest = plan.objectivePerMonth - plan.lowerBoundPerMonth;
  return aboveBest <= plan.objectivePerMonth * 1e-6
    ? `${chosenBy}: no plan has a lower sum`
    : `${chosenBy}: no plan can have a sum below ${money(plan.lowerBoundPerMonth)}`;
}

/** The moves of a plan, one on each line. */
export function moveTable(moves: readonly MoveView[]): string {
  return table(
    moves,
    [
      { title: 'dataset', of: (row) => row.datasetId },
      { title: 'does', of: (row) => row.action },
      { title: 'from', of: (row) => row.fromTargetId ?? '–' },
      { title: 'to', of: (row) => row.toTargetId ?? '–' },
      { title: 'size', align: 'right', of: (row) => bytes(row.sizeBytes) },
      { title: '$/month', align: 'right', of: (row) => change(row.changePerMonth) },
      { title: 'once', align: 'right', of: (row) => money(row.migrationOnce) },
      { title: 'pays back', of: (row) => (row.paybackDays === null ? 'for safety' : `${row.paybackDays.toFixed(1)} d`) },
      { title: 'sure', align: 'right', of: (row) => percent(row.confidence) },
      { title: 'verdict', of: (row) => (row.heldBecause === null ? row.verdict : `${row.verdict}: ${row.heldBecause}`) },
      { title: 'because', of: (row) => row.reason },
    ],
    'Nothing needs to move but what is moving already (dim jobs).',
  );
}
