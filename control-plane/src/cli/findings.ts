import { findingSeverities } from '@data-in-motion/shared/api/datasets';
import { type FindingRow, findingRow, findingsApplied } from '@data-in-motion/shared/api/findings';
import type { Command } from 'commander';
import { age, bytes, counted, sentence } from './figures.ts';
import { followJobs } from './follow.ts';
import { moveTable } from './plan-text.ts';
import { noun, verb } from './session.ts';
import { table } from './table.ts';
import { oneOf } from './units.ts';

export function addFindings(program: Command): void {
  const findings = noun(program, 'findings', 'where datasets are not as their policies say, and what helps');
  verb<{ severity?: FindingRow['severity']; rule?: string; dataset?: string; owner?: string }>(findings, {
    usage: 'list',
    isDefault: true,
    says: 'all findings of the fleet, the worst first',
    examples: ['findings', 'findings --severity error', 'findings --rule region --owner lab'],
    options: (command) =>
      command
        .option(`--severity <${findingSeverities.join('|')}>`, 'only these', oneOf(findingSeverities))
        .option('--rule <rule>', 'only of this rule: region, encryption, spread, copies, latency-slo …')
        .option('--dataset <name>', 'only of this dataset')
        .option('--owner <owner>', "only of this owner's datasets"),
    async run(session, _args, options) {
      const { severity, rule, dataset, owner } = options;
      const query = { ...(severity && { severity }), ...(rule && { rule }), ...(dataset && { dataset }), ...(owner && { owner }), limit: '1000' };
      const list = await session.api.list('findings', findingRow, query);
      session.answer(list, () => findingTable(list.items, list.asOfMs));
    },
  });
  verb<{ wait: boolean }>(findings, {
    usage: 'apply <dataset>',
    says: 'do what helps a dataset, also in advisory mode, and follow it; says the way out where no place is left',
    examples: ['plan --dry-run --dataset photos', 'findings apply photos', 'findings apply photos --no-wait'],
    options: (command) => command.option('--no-wait', 'do not follow it'),
    async run(session, [datasetId = ''], options) {
      const applied = await session.api.call('applyFindings', findingsApplied, { body: { datasetId } });
      session.say(moveTable(applied.plan.moves));
      if (options.wait && applied.jobs.length > 0) await followJobs(session, applied.jobs);
      session.answer(applied, () =>
        [
          `${datasetId}: ${counted(applied.jobs.length, 'move')} ${options.wait ? 'done' : 'under way'}.`,
          ...applied.plan.infeasible.map((one) => `Not everything could be met (${one.rules.join(', ')}): ${one.cheapestWayOut}`),
        ].join('\n'),
      );
    },
  });
}

function findingTable(rows: readonly FindingRow[], nowMs: number): string {
  return table(
    rows,
    [
      { title: 'severity', of: (row) => row.severity },
      { title: 'dataset', of: (row) => row.datasetId },
      { title: 'owner', of: (row) => row.owner },
      { title: 'rule', of: (row) => row.rule },
      { title: 'size', align: 'right', of: (row) => bytes(row.sizeBytes) },
      { title: 'since', of: (row) => age(row.sinceMs, nowMs) },
      { title: 'under way', of: (row) => (row.working ? 'yes' : 'no') },
      { title: 'what', of: (row) => sentence(row.text) },
      { title: 'what helps', of: (row) => sentence(row.remedy) },
    ],
    'Everything is as its policy says.',
  );
}
