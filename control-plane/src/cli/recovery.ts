import { type RecoveryView, recoveryView } from '@data-in-motion/shared/api/decisions';
import type { Command } from 'commander';
import { age, bytes, duration, whole } from './figures.ts';
import { verb } from './session.ts';
import { table } from './table.ts';

type Outcome = RecoveryView['datasets'][number]['worst'][number];

export function addRecovery(program: Command): void {
  verb(program, {
    usage: 'recovery [dataset]',
    says: 'what would be left, and how soon, when a device, a node or a site is lost',
    examples: ['recovery', 'recovery photos', 'recovery --json'],
    async run(session, [dataset]) {
      const view = await session.api.call('recovery', recoveryView, { query: { ...(dataset === undefined ? {} : { dataset }) } });
      session.answer(view, () => (dataset === undefined ? `${disasterTable(view)}\n\n${datasetTable(view)}` : datasetTable(view)));
    },
  });
}

function disasterTable(view: RecoveryView): string {
  return table(
    view.disasters,
    [
      { title: 'when it dies', of: (row) => `${row.kind} ${row.id}` },
      { title: 'datasets hit', align: 'right', of: (row) => whole(row.datasets) },
      { title: 'lost', align: 'right', of: (row) => whole(row.lost) },
      { title: 'bytes lost', align: 'right', of: (row) => bytes(row.lostBytes) },
      { title: 'back to an older version', align: 'right', of: (row) => whole(row.setBack) },
      { title: 'short of copies', align: 'right', of: (row) => whole(row.short) },
      { title: 'longest read back', align: 'right', of: (row) => (row.restoreMs === null ? '–' : duration(row.restoreMs)) },
    ],
    'No copy is verified yet.',
  );
}

function datasetTable(view: RecoveryView): string {
  return table(
    view.datasets.flatMap((dataset) => dataset.worst.map((outcome) => ({ dataset, outcome }))),
    [
      { title: 'dataset', of: ({ dataset }) => dataset.datasetId },
      { title: 'size', align: 'right', of: ({ dataset }) => bytes(dataset.sizeBytes) },
      { title: 'worst loss', of: ({ outcome }) => `${outcome.kind} ${outcome.id}` },
      { title: 'copies left', align: 'right', of: ({ dataset, outcome }) => `${outcome.copiesLeft} of ${dataset.copiesWanted}` },
      { title: 'recovery point', of: ({ outcome }) => pointText(outcome, view.asOfMs) },
      { title: 'recovery time', align: 'right', of: ({ outcome }) => (outcome.restoreMs === null ? '–' : duration(outcome.restoreMs)) },
      { title: 'from', of: ({ outcome }) => outcome.bestTargetId ?? '–' },
    ],
    'No dataset has a verified copy yet.',
  );
}

function pointText(outcome: Outcome, nowMs: number): string {
  if (outcome.pointAtMs === null) return 'nothing is left';
  const made = `version made ${age(outcome.pointAtMs, nowMs)}`;
  return outcome.copiesLeft > 0 ? `the present ${made}` : `an older ${made}`;
}
