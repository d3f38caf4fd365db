import type { DatasetView } from '@data-in-motion/shared/api/datasets';

export const sortKeys = ['name', 'owner', 'size', 'heat', 'copies', 'cost', 'state'] as const;
export type SortKey = (typeof sortKeys)[number];

export interface DatasetFilter {
  /** Part of a name or an owner. */
  readonly text: string;
  readonly policyState: string;
  readonly tier: string;
  readonly sort: SortKey;
  readonly descending: boolean;
}

const urgency: Record<string, number> = { infeasible: 0, short: 1, working: 2, empty: 3, met: 4 };

/** The rows that a filter leaves, in its order; names break ties so that rows do not jump when numbers move. */
export function datasetRows(datasets: readonly DatasetView[], filter: DatasetFilter): DatasetView[] {
  const text = filter.text.trim().toLowerCase();
  const kept = datasets.filter(
    (dataset) =>
      (text === '' || dataset.name.toLowerCase().includes(text) || dataset.owner.toLowerCase().includes(text)) &&
      (filter.policyState === '' || dataset.policyState === filter.policyState) &&
      (filter.tier === '' || dataset.tier === filter.tier),
  );
  const turn = filter.descending ? -1 : 1;
  return kept.sort((a, b) => turn * compare(a, b, filter.sort) || (a.name < b.name ? -1 : 1));
}

function compare(a: DatasetView, b: DatasetView, key: SortKey): number {
  switch (key) {
    case 'name':
      return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
    case 'owner':
      return a.owner < b.owner ? -1 : a.owner > b.owner ? 1 : 0;
    case 'size':
      return a.sizeBytes - b.sizeBytes;
    case 'heat':
      return (a.heat?.score ?? -1) - (b.heat?.score ?? -1);
    case 'copies':
      return a.copiesVerified - a.copiesWanted - (b.copiesVerified - b.copiesWanted);
    case 'cost':
      return a.costPerMonth - b.costPerMonth;
    case 'state':
      return (urgency[a.policyState] ?? 5) - (urgency[b.policyState] ?? 5);
  }
}
