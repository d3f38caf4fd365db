import { type CostLineView, type CostsView, costsView, type PastCostsView, pastCostsView, type SpentView } from '@data-in-motion/shared/api/costs';
import type { Command } from 'commander';
import { csv } from './csv.ts';
import { age, bytes, change, counted, money, percent, whole } from './figures.ts';
import { noun, verb } from './session.ts';
import { facts, table } from './table.ts';
import { oneOf, parseCount } from './units.ts';

const splits = ['owner', 'tier', 'target'] as const;
type Split = (typeof splits)[number];

export function addCosts(program: Command): void {
  const costs = noun(program, 'costs', 'what the fleet costs, has cost and would have cost');
  verb<{ by?: Split; csv?: true }>(costs, {
    usage: 'show',
    isDefault: true,
    says: 'what the fleet costs a month, by owner, tier and target, now and once the current plan is carried out',
    examples: ['costs', 'costs --by target', 'costs --csv > showback.csv'],
    options: (command) =>
      command
        .option(`--by <${splits.join('|')}>`, 'only this split', oneOf(splits))
        .option('--csv', 'one split as comma-separated values, by owner unless --by says else'),
    async run(session, _args, options) {
      const view = await session.api.call('costs', costsView);
      session.answer(view, () => (options.csv ? costCsv(view, options.by ?? 'owner') : costText(view, options.by === undefined ? splits : [options.by])));
    },
  });
  addPast(costs);
}

function addPast(costs: Command): void {
  verb<{ days?: number }>(costs, {
    usage: 'past',
    says: 'what the last days have cost, what they would have cost at the best places, and what as many days will cost',
    examples: ['costs past', 'costs past --days 90'],
    options: (command) => command.option('--days <n>', 'how far back; 30 when it is not given', parseCount),
    async run(session, _args, { days }) {
      const view = await session.api.call('pastCosts', pastCostsView, { query: days === undefined ? {} : { days: String(days) } });
      session.answer(view, () => pastText(view));
    },
  });
}

function pastText(view: PastCostsView): string {
  const { spent, compared, next } = view;
  const lost = compared.spent.total - compared.best.total;
  const told = Math.round(((view.asOfMs - view.fromMs) / 86_400_000) * 10) / 10;
  return [
    facts([
      [`last ${told} days`, `${money(spent.total)}: ${spentText(spent)}`],
      ['at the best places', `${money(compared.best.total)}: ${spentText(compared.best)}`],
      [
        'that is',
        `${money(Math.abs(lost))} ${lost >= 0 ? 'less' : 'more, since copies that policies want were missing,'} for ${counted(compared.datasets, 'dataset')} with the same bytes and reads, all wanted copies standing still, without limits of room`,
      ],
      ...(view.notCompared === 0 ? [] : [['not compared', `${counted(view.notCompared, 'dataset')} whose policy leaves too few places`] as const]),
      [
        `next ${view.days} days`,
        `${money(next.asItIs)} at what it costs now${next.afterThePlan === null ? '' : `, ${money(next.afterThePlan)} once the current plan is carried out`}`,
      ],
    ]),
    table(
      view.most,
      [
        { title: 'dataset', of: (row) => row.datasetId },
        { title: 'owner', of: (row) => row.owner },
        { title: 'spent', align: 'right', of: (row) => money(row.spent) },
        { title: 'at best', align: 'right', of: (row) => money(row.best) },
        { title: 'best places, the primary first', of: (row) => row.bestTargets.join(', ') },
      ],
      'No dataset would have cost less elsewhere.',
    ),
  ].join('\n\n');
}

function spentText({ storage, requests, retrieval, egress, moving }: SpentView): string {
  return `storage ${money(storage)}, requests ${money(requests)}, retrieval ${money(retrieval)}, egress ${money(egress)}, moving ${money(moving)}`;
}

function linesOf(view: CostsView, split: Split): readonly CostLineView[] {
  return { owner: view.owners, tier: view.tiers, target: view.targets }[split];
}

function costText(view: CostsView, shown: readonly Split[]): string {
  const { total, plan } = view;
  return [
    facts([
      [
        'now',
        `${money(total.perMonth)} per month for ${counted(total.copies, 'copy', 'copies')} with ${bytes(total.bytes)} of ${counted(total.datasets, 'dataset')}`,
      ],
      [
        'parts',
        parts(total)
          .map(([name, value]) => `${name} ${money(value)}`)
          .join(', '),
      ],
      ['plan', plan === null ? 'none yet' : planText(view, plan)],
    ]),
    ...shown.map((split) => splitTable(linesOf(view, split), split)),
  ].join('\n\n');
}

function planText({ asOfMs, total }: CostsView, plan: NonNullable<CostsView['plan']>): string {
  const moves = counted(plan.moves, 'move');
  return `${money(total.afterPerMonth)} per month after the ${moves} of ${plan.planId} (${change(-plan.savesPerMonth)}), which cost ${money(plan.migrationOnce)} once; made ${age(plan.madeAtMs, asOfMs)}`;
}

function parts({ cost }: CostLineView): (readonly [string, number])[] {
  return [
    ['storage', cost.storagePerMonth],
    ['requests', cost.requestsPerMonth],
    ['retrieval', cost.retrievalPerMonth],
    ['egress', cost.egressPerMonth],
  ];
}

function splitTable(lines: readonly CostLineView[], split: Split): string {
  return table(
    lines,
    [
      { title: split, of: (row) => row.name },
      { title: 'datasets', align: 'right', of: (row) => whole(row.datasets) },
      { title: 'copies', align: 'right', of: (row) => whole(row.copies) },
      { title: 'bytes', align: 'right', of: (row) => bytes(row.bytes) },
      { title: 'storage', align: 'right', of: (row) => money(row.cost.storagePerMonth) },
      { title: 'requests', align: 'right', of: (row) => money(row.cost.requestsPerMonth) },
      { title: 'retrieval', align: 'right', of: (row) => money(row.cost.retrievalPerMonth) },
      { title: 'egress', align: 'right', of: (row) => money(row.cost.egressPerMonth) },
      { title: '$/month', align: 'right', of: (row) => money(row.perMonth) },
      { title: 'share', align: 'right', of: (row) => percent(row.share) },
      { title: 'after the plan', align: 'right', of: (row) => money(row.afterPerMonth) },
    ],
    'Nothing is stored yet.',
  );
}

function costCsv(view: CostsView, split: Split): string {
  return csv(
    [split, 'datasets', 'copies', 'bytes', 'storage_usd', 'requests_usd', 'retrieval_usd', 'egress_usd', 'usd_per_month', 'share', 'usd_per_month_after_plan'],
    linesOf(view, split).map((line) => [
      line.name,
      line.datasets,
      line.copies,
      line.bytes,
      ...parts(line).map(([, value]) => value),
      line.perMonth,
      line.share,
      line.afterPerMonth,
    ]),
  );
}
