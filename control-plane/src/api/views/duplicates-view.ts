import type { DuplicatesView } from '@data-in-motion/shared/api/duplicates';
import { type DuplicateGroup, duplicateGroups, repeatedFiles } from '../../placement/duplicates.ts';
import { allVersions, type FleetRows } from '../fleet-rows.ts';

/** So many datasets with repeated files are told by name. */
const mostTold = 100;

/** One page of groups of equal versions, what repeats inside of versions, and beside these what they have in common. */
export function duplicatesView(rows: FleetRows, across: DuplicatesView['across'], wanted: { limit: number; before?: string | undefined }): DuplicatesView {
  const versions = allVersions(rows);
  const groups = duplicateGroups(rows.snapshot, versions);
  const rest = wanted.before === undefined ? groups : groups.filter((group) => comesAfter(group, wanted.before!));
  const page = rest.slice(0, wanted.limit);
  const inside = repeatedFiles(rows.snapshot, versions);
  const present = new Set<string | null>(rows.snapshot.datasets.map((dataset) => dataset.versionId));
  return {
    items: page.map((group) => ({ ...group, members: group.members.map((member) => ({ ...member })) })),
    next: rest.length > page.length ? placeOf(page.at(-1)!) : null,
    asOfMs: rows.asOfMs,
    groups: groups.length,
    extraBytes: sum(groups, (group) => group.extraBytes),
    extraPerMonth: sum(groups, (group) => group.extraPerMonth),
    inside: {
      datasets: inside.length,
      notCounted: versions.filter((version) => present.has(version.versionId) && version.duplicateBytes === null).length,
      bytes: sum(inside, (one) => one.bytes),
      storagePerMonth: sum(inside, (one) => one.storagePerMonth),
      most: inside.slice(0, mostTold).map((one) => ({ ...one })),
    },
    across,
  };
}

function placeOf({ extraBytes, root }: DuplicateGroup): string {
  return `${extraBytes} ${root}`;
}

/** In the order of the groups: most bytes first, then by root. */
function comesAfter(group: DuplicateGroup, place: string): boolean {
  const [bytes = '', root = ''] = place.split(' ');
  return group.extraBytes < Number(bytes) || (group.extraBytes === Number(bytes) && group.root > root);
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
