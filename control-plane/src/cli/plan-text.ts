import type { MoveView, PlanView } from '@data-in-motion/shared/api/decisions';
import type { PlanDifference } from '@data-in-motion/shared/api/plan-difference';
import { partWords } from '@data-in-motion/shared/domain/objective-words';
import { age, bytes, change, counted, duration, money, percent } from './figures.ts';
import { facts, table } from './table.ts';

/** A plan as a person reads it: what it costs, how good it is, whether it holds, what binds, and its moves in order. */
export function planText(plan: PlanView, nowMs: number): string {
  return [
    facts([
      ['plan', `${plan.planId}, ${plan.state}, made ${age(plan.madeAtMs, nowMs)} by ${plan.solver} in ${duration(plan.solvedInMs)}`],
      [
        'cost',
        `${money(plan.costBeforePerMonth)} -> ${money(plan.costAfterPerMonth)} per month (${change(plan.costAfterPerMonth - plan.costBeforePerMonth)}), moving costs ${money(plan.migrationOnce)} once`,
      ],
      ['chosen by', boundText(plan)],
      ...partsOf(plan),
      ...standingOf(plan, nowMs),
    ]),
    ...((plan.differences ?? []).length > 0 ? [differenceTable(plan.differences!)] : []),
    moveTable(plan.moves),
    ...((plan.full ?? []).length > 0 ? [fullTable(plan.full!)] : []),
    ...plan.infeasible.map((one) => `${one.datasetId} can not be placed: ${one.rules.join(', ')}. ${one.cheapestWayOut}`),
  ].join('\n\n');
}

/** What has changed since a plan was made. */
export function differenceTable(differences: readonly PlanDifference[]): string {
  return table(
    differences,
    [
      { title: 'changed', of: (row) => row.kind },
      { title: 'of', of: (row) => row.id },
      { title: 'what', of: (row) => row.what },
      { title: 'then', of: (row) => valueText(row, row.before) },
      { title: 'now', of: (row) => valueText(row, row.after) },
    ],
    'Nothing has changed since.',
  );
}

function valueText(row: PlanDifference, value: PlanDifference['before']): string {
  if (value === null) return '–';
  return typeof value === 'number' && (row.what === 'room' || row.what === 'size') ? bytes(value) : String(value);
}

/** What the solver makes small is more than the bill, so its bound is told with what it bounds. */
function boundText(plan: PlanView): string {
  const chosenBy = `the bill, readers’ waiting, the risk of loss and the moves, together ${money(plan.objectivePerMonth)} per month`;
  const aboveBest = plan.objectivePerMonth - plan.lowerBoundPerMonth;
  if (aboveBest <= plan.objectivePerMonth * 1e-6) return `${chosenBy}: no plan has a lower sum`;
  const gap = plan.gap ?? aboveBest / plan.objectivePerMonth;
  return `${chosenBy}: no plan can have a sum below ${money(plan.lowerBoundPerMonth)}, ${Number((gap * 100).toPrecision(2))} % less`;
}

function partsOf(plan: PlanView): [string, string][] {
  const { parts, leftForLater } = plan;
  if (parts === undefined) return [];
  const told = (Object.keys(partWords) as (keyof typeof partWords)[])
    .filter((part) => parts[part] !== 0)
    .map((part) => `${partWords[part]} ${money(parts[part])}`);
  const later = leftForLater?.moves ?? 0;
  return [
    ...(told.length === 0 ? [] : [['of which', told.join(', ')] as [string, string]]),
    ...(later === 0
      ? []
      : [
          ['left for later', `${counted(later, 'move')} that would save ${money(leftForLater!.savesPerMonth)} a month: a plan has the best 5,000`] as [
            string,
            string,
          ],
        ]),
  ];
}

/** Whether the plan still holds, or how far it is. */
function standingOf(plan: PlanView, nowMs: number): [string, string][] {
  const { execution, differences, roomHeldUntilMs } = plan;
  if (execution !== undefined) {
    const { state, done, running, waiting, failed, leftOut, newPlanId } = execution;
    const offer = newPlanId === null ? '' : `; instead of it: dim plan show ${newPlanId}`;
    const why =
      execution.calledOff !== undefined
        ? ` by ${execution.calledOff.by}`
        : execution.differences.length === 0
          ? ''
          : `, because ${execution.differences[0]!.text}`;
    return [
      [
        'carried out',
        `${state === 'called-off' ? 'called off' : state}${why}: ${done} done, ${running} under way, ${waiting} waiting, ${failed} given up, ${leftOut} left out${offer}`,
      ],
    ];
  }
  const held = roomHeldUntilMs == null ? '' : `, its room is held for ${duration(roomHeldUntilMs - nowMs)}`;
  if (differences === undefined) return held === '' ? [] : [['holds', held.slice(2)]];
  return [['holds', differences.length === 0 ? `yes${held}` : `no: ${counted(differences.length, 'thing')} changed since it was made`]];
}

/** The moves of a plan, one on each line. */
export function moveTable(moves: readonly MoveView[]): string {
  return table(
    moves.map((move, i) => ({ ...move, order: move.order ?? i + 1 })),
    [
      { title: '#', align: 'right', of: (row) => String(row.order) },
      { title: 'dataset', of: (row) => row.datasetId },
      { title: 'does', of: (row) => row.action },
      { title: 'from', of: (row) => row.fromTargetId ?? '–' },
      { title: 'to', of: (row) => row.toTargetId ?? '–' },
      { title: 'size', align: 'right', of: (row) => bytes(row.sizeBytes) },
      { title: '$/month', align: 'right', of: (row) => change(row.changePerMonth) },
      { title: 'once', align: 'right', of: (row) => money(row.migrationOnce) },
      { title: 'pays back', of: (row) => (row.paybackDays === null ? 'for safety' : `${row.paybackDays.toFixed(1)} d`) },
      { title: 'sure', align: 'right', of: (row) => percent(row.confidence) },
      { title: 'verdict', of: verdictText },
      { title: 'because', of: (row) => row.reason },
    ],
    'Nothing needs to move but what is moving already (dim jobs).',
  );
}

function verdictText({ verdict, heldBecause, progress }: MoveView): string {
  if (progress === undefined) return heldBecause === null ? verdict : `${verdict}: ${heldBecause}`;
  const { stage, because, place } = progress;
  return `${stage}${place === null ? '' : `, ${place === 1 ? 'next' : `${place - 1} before it`}`}${because === null ? '' : `: ${because}`}`;
}

function fullTable(full: NonNullable<PlanView['full']>): string {
  return table(
    full,
    [
      { title: 'full target', of: (row) => row.targetId },
      { title: 'one more TB would save a month', align: 'right', of: (row) => money(row.dollarsPerTbMonth) },
    ],
    '',
  );
}
