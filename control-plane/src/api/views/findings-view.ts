import type { FindingRow, FindingsView } from '@data-in-motion/shared/api/findings';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import type { DecisionSettings } from '../../fleet/decision-settings.ts';
import { remedyOf } from '../../placement/remedy.ts';
import { policyFindings } from '../../policy/findings.ts';
import { type FleetRows, factsOf } from '../fleet-rows.ts';
import { perAsked } from '../per-asked.ts';
import { impossible } from './dataset-views.ts';
import { fleetFindings, type Placed } from './fleet-findings.ts';

export interface Wanted {
  readonly severity?: FindingRow['severity'] | undefined;
  readonly rule?: string | undefined;
  readonly dataset?: string | undefined;
  readonly owner?: string | undefined;
  readonly limit: number;
  readonly before?: string | undefined;
}

/** One page of what is not as policies say, the worst first, with the counts of all of it. */
export async function findingsView(rows: FleetRows, wanted: Wanted, decisions: DecisionSettings): Promise<FindingsView> {
  const { all, datasets, bySeverity, byRule } = await fleetFindings(rows);
  const { page, next } = pageOf(all, wanted);
  return { items: await withRemedies(rows, page, decisions), next, asOfMs: rows.asOfMs, datasets, bySeverity: { ...bySeverity }, byRule: { ...byRule } };
}

/** Those that were asked for, from the one after `before` on. */
function pageOf(all: readonly Placed[], { severity, rule, dataset, owner, limit, before }: Wanted): { page: Placed[]; next: string | null } {
  const page: Placed[] = [];
  for (let at = before === undefined ? 0 : firstAfter(all, before); at < all.length; at++) {
    const found = all[at]!;
    const { row } = found;
    if (severity !== undefined && row.severity !== severity) continue;
    if ((rule !== undefined && row.rule !== rule) || (dataset !== undefined && row.datasetId !== dataset) || (owner !== undefined && row.owner !== owner))
      continue;
    if (page.length === limit) return { page, next: page.at(-1)!.place };
    page.push(found);
  }
  return { page, next: null };
}

/** Where the first stands whose place comes after this one, by halving. */
function firstAfter(all: readonly Placed[], place: string): number {
  let [from, to] = [0, all.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (all[middle]!.place <= place) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Of a dataset, in their order; with what helps, which is looked for on a page alone: a node that is lost leaves findings by the hundred thousand. */
export const findingsOf = perAsked(
  (datasetId: string) => datasetId,
  (rows, datasetId, context) => {
    const facts = factsOf(rows, datasetId as DatasetId);
    if (facts === undefined) return [];
    return [...impossible(rows, facts.datasetId), ...policyFindings(rows.snapshot, facts, rows.health, (leaving) => remedyOf(context, facts, leaving))];
  },
);

async function withRemedies(rows: FleetRows, page: readonly Placed[], decisions: DecisionSettings): Promise<FindingRow[]> {
  if (page.length === 0) return [];
  const found = await findingsOf(rows, [...new Set(page.map(({ row }) => row.datasetId))], decisions);
  return page.map(({ at, row }) => ({ ...row, remedy: found.get(row.datasetId)![at]!.remedy }));
}
