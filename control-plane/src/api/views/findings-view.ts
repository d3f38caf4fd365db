import { findingSeverities } from '@data-in-motion/shared/api/datasets';
import type { FindingRow, FindingsView } from '@data-in-motion/shared/api/findings';
import { policyFindings } from '../../policy/findings.ts';
import { type FleetRows, factsOf } from '../fleet-rows.ts';
import { impossible } from './dataset-views.ts';

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
  readonly row: FindingRow;
}

/** All pages of one look at the fleet are cut from one walk over it. */
const walks = new WeakMap<FleetRows, readonly Placed[]>();

/** One page of what is not as policies say, the worst first, with the counts of all of it. */
export function findingsView(rows: FleetRows, wanted: Wanted): FindingsView {
  const all = fleetFindings(rows);
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
    items: page.map(({ row }) => row),
    next: matching.length > page.length ? page.at(-1)!.place : null,
    asOfMs: rows.asOfMs,
    datasets: new Set(all.map(({ row }) => row.datasetId)).size,
    bySeverity,
    byRule,
  };
}

function fleetFindings(rows: FleetRows): readonly Placed[] {
  const known = walks.get(rows);
  if (known !== undefined) return known;
  const working = new Set<string>(rows.activeJobs.map((job) => job.datasetId));
  const found = rows.datasets.flatMap(({ row }): Placed[] => {
    const facts = factsOf(rows, row.datasetId);
    if (facts === undefined) return [];
    return [...impossible(rows, row), ...policyFindings(rows.snapshot, facts, rows.health)].map((finding, at) => ({
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
  found.sort((a, b) => (a.place < b.place ? -1 : 1));
  walks.set(rows, found);
  return found;
}
