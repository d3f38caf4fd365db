import type { DatasetDetail, policyView } from '@data-in-motion/shared/api/datasets';
import type { z } from 'zod';
import { age, bytes, counted, moment, money, percent, sentence } from './figures.ts';
import { policyText } from './policy-options.ts';
import { facts, table } from './table.ts';

const shownHistory = 12;

/** Of a dataset's own policy what it sets itself. */
export function ownFields(
  own: { [Field in keyof z.infer<typeof policyView>]?: z.infer<typeof policyView>[Field] | undefined },
): Partial<z.infer<typeof policyView>> {
  return Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
}

/** What is to be known of the scan behind the current version: what was left out, and why. */
export function notesOf(detail: DatasetDetail): readonly string[] {
  return detail.versions.find((version) => version.current)?.notes ?? [];
}

/** All of one dataset, for a person. */
export function detailText(detail: DatasetDetail, nowMs: number): string {
  const { dataset, replicas } = detail;
  const heat = dataset.heat;
  return [
    facts([
      ['dataset', `${dataset.name}, of ${dataset.owner}, ${bytes(dataset.sizeBytes)} in ${counted(dataset.objects, 'object')}`],
      ['version', dataset.versionId === null ? 'none yet' : `${dataset.versionId}, root ${dataset.root}`],
      ...notesOf(detail).map((note): [string, string] => ['note', note]),
      ['copies', `${dataset.copiesVerified} of ${dataset.copiesWanted} verified: policy ${dataset.policyState}`],
      [
        'heat',
        heat === null
          ? 'not judged yet'
          : `score ${heat.score.toFixed(2)}, ${percent(heat.confidence)} sure, last access ${heat.lastAccessAtMs === null ? 'never' : age(heat.lastAccessAtMs, nowMs)}; ${heat.reason}`,
      ],
      ['cost', `${money(dataset.costPerMonth)} per month`],
    ]),
    policyText(detail.policy, ownFields(detail.ownPolicy)),
    table(
      replicas,
      [
        { title: 'copy on', of: (row) => `${row.targetId}${row.primary ? ' *' : ''}` },
        { title: 'site', of: (row) => row.siteId },
        { title: 'region', of: (row) => row.region },
        { title: 'tier', of: (row) => row.tier },
        { title: 'state', of: (row) => (row.current ? row.state : `${row.state} (old version)`) },
        { title: 'verified', of: (row) => age(row.verifiedAtMs, nowMs) },
        { title: '$/month', align: 'right', of: (row) => money(row.costPerMonth) },
        { title: 'path', of: (row) => row.path },
      ],
      'No copies yet.',
    ),
    ...(replicas.some((replica) => replica.why !== undefined)
      ? [[...replicas.filter((replica) => replica.why !== undefined).map(whyText), `Alternatives and what binds: dim explain ${dataset.name}`].join('\n')]
      : []),
    ...(detail.findings.length === 0
      ? []
      : [detail.findings.map((finding) => `${finding.severity}: ${sentence(finding.text)} ${sentence(finding.remedy)}`).join('\n')]),
    detail.history
      .slice(0, shownHistory)
      .map((line) => `  ${moment(line.atMs, nowMs)}  ${line.text}`)
      .join('\n'),
  ]
    .join('\n\n')
    .trimEnd();
}

function whyText(replica: DatasetDetail['replicas'][number]): string {
  return `Why on ${replica.targetId}: ${replica.why}`;
}
