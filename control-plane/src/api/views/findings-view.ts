import { findingSeverities } from '@data-in-motion/shared/api/datasets';
import type { FindingRow, FindingsView } from '@data-in-motion/shared/api/findings';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { inSlices } from '@data-in-motion/shared/in-slices';
import type { DecisionSettings } from '../../fleet/decision-settings.ts';
import type { DatasetFacts } from '../../fleet/snapshot.ts';
import { remedyOf } from '../../placement/remedy.ts';
import { policyFindings, type Remedy } from '../../policy/findings.ts';
import { type FleetRows, factsOf } from '../fleet-rows.ts';
import { perLook } from '../per-look.ts';
import { impossible } from './dataset-views.ts';
import { explainsFrom } from './explanation-view.ts';

export interface Wanted {
  readonly severity?: FindingRow['severity'] | undefined;
  readonly rule?: string | undefined;
  readonly dataset?: string | undefined;
  readonly owner?: string | undefined;
  readonly limit: number;
  readonly before?: string | undefined;
}

interface Placed {
  /** Where it stands in the order, and the name of the page that begins after it. */
  readonly place: string;
  /** Among the findings of its dataset. */
  readonly at: number;
  readonly row: Omit<FindingRow, 'remedy'>;
}

/** One page of what is not as policies say, the worst first, with the counts of all of it. */
export async function findingsView(rows: FleetRows, wanted: Wanted, decisions: DecisionSettings): Promise<FindingsView> {
  const all = await fleetFindings(rows);
  const matching = all.filter(
    ({ place, row }) =>
      (wanted.severity === undefined || row.severity === wanted.severity) &&
      (wanted.rule === undefined || row.rule === wanted.rule) &&
      (wanted.dataset === undefined || row.datasetId === wanted.dataset) &&
      (wanted.owner === undefined || row.owner === wanted.owner) &&
      (wanted.before === undefined || place > wanted.before),
  );
  const page = matching.slice(0, wanted.limit);
  const bySeverity = { error: 0, warning: 0, info: 0 };
  const byRule: Record<string, number> = {};
  for (const { row } of all) {
    bySeverity[row.severity]++;
    byRule[row.rule] = (byRule[row.rule] ?? 0) + 1;
  }
  return {
    items: withRemedies(rows, page, decisions),
    next: matching.length > page.length ? page.at(-1)!.place : null,
    asOfMs: rows.asOfMs,
    datasets: new Set(all.map(({ row }) => row.datasetId)).size,
    bySeverity,
    byRule,
  };
}

/** What helps is looked for on a page alone: it weighs every place, and a node that is lost leaves findings by the hundred thousand. */
function withRemedies(rows: FleetRows, page: readonly Placed[], decisions: DecisionSettings): FindingRow[] {
  if (page.length === 0) return [];
  const context = explainsFrom(rows, decisions);
  const found = new Map<string, readonly Pick<FindingRow, 'remedy'>[]>();
  return page.map(({ at, row }) => {
    const facts = factsOf(rows, row.datasetId as DatasetId)!;
    const known = found.get(row.datasetId) ?? findingsOf(rows, facts, (leaving) => remedyOf(context, facts, leaving));
    found.set(row.datasetId, known);
    return { ...row, remedy: known[at]!.remedy };
  });
}

/** All findings of one dataset, that its policy can not be met among them. */
function findingsOf(rows: FleetRows, facts: DatasetFacts, remedy: Remedy) {
  return [...impossible(rows, facts.datasetId), ...policyFindings(rows.snapshot, facts, rows.health, remedy)];
}

/** All pages of one look at the fleet are cut from one walk over it. */
const fleetFindings = perLook(async (rows): Promise<readonly Placed[]> => {
  const working = new Set<string>(rows.activeJobs.map((job) => job.datasetId));
  const found = await inSlices(rows.datasets, ({ row }, place): Placed[] => {
    const facts = rows.snapshot.datasets[place];
    if (facts === undefined) return [];
    return findingsOf(rows, facts, () => '').map(({ remedy: _, ...finding }, at) => ({
      at,
      place: `${findingSeverities.indexOf(finding.severity)} ${row.datasetId} ${String(at).padStart(3, '0')}`,
      row: {
        ...finding,
        datasetId: row.datasetId,
        owner: row.owner,
        sizeBytes: facts.sizeBytes,
        mode: facts.policy.mode,
        working: working.has(row.datasetId),
      },
    }));
  });
  return found.sort((a, b) => (a.place < b.place ? -1 : 1));
});
