import { domainOf, indexOf } from '../fleet/lookup.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import type { Move } from './plan.ts';

/**
 * The moves in the order in which they are begun: copies before any is dropped, then the most urgent, then those that save most for each byte that travels.
 * Among the moves of one dataset, one that leaves a spread domain comes before one that enters it, where they do not go round in a circle.
 *
 * What a drop frees counts for nothing: its bytes lie in the trash for days. So a plan whose arrivals fit what is free now overflows no target at any
 * step, in this order or another, and also when some moves fail.
 *
 * @returns the same moves; those that are alike in all this keep their order
 */
export function orderMoves(snapshot: FleetSnapshot, moves: readonly Move[]): Move[] {
  const sorted = moves
    .map((move, place) => ({ move, place }))
    .sort(
      (a, b) =>
        Number(a.move.action === 'retire') - Number(b.move.action === 'retire') ||
        a.move.priority - b.move.priority ||
        savedPerByte(b.move) - savedPerByte(a.move) ||
        a.place - b.place,
    )
    .map(({ move }) => move);
  return leaversFirst(snapshot, sorted);
}

/** Dollars a month for each byte that travels; what has nothing to copy saves at once. */
function savedPerByte(move: Move): number {
  return -move.changePerMonth / Math.max(1, move.sizeBytes);
}

/** Exchange the places of one dataset's moves where one enters what another leaves; all other moves stay where they are. */
function leaversFirst(snapshot: FleetSnapshot, sorted: readonly Move[]): Move[] {
  const ordered = [...sorted];
  const byDataset = Map.groupBy(sorted.entries(), ([, move]) => move.datasetId);
  for (const entries of byDataset.values()) {
    const moving = entries.filter(([, move]) => move.action === 'move');
    if (moving.length < 2) continue;
    const places = moving.map(([place]) => place);
    const inTurn = inTurns(
      snapshot,
      moving.map(([, move]) => move),
    );
    for (const [i, place] of places.entries()) ordered[place] = inTurn[i]!;
  }
  return ordered;
}

function inTurns(snapshot: FleetSnapshot, moving: readonly Move[]): Move[] {
  const left = [...moving];
  const turns: Move[] = [];
  while (left.length > 0) {
    const free = left.findIndex((move) => !left.some((other) => other !== move && leaves(snapshot, other, move)));
    // In a circle nobody is first: both copies are made, and the old ones leave when both stand.
    turns.push(...left.splice(Math.max(0, free), 1));
  }
  return turns;
}

/** Whether one move of a dataset leaves the spread domain that another enters. */
function leaves(snapshot: FleetSnapshot, leaver: Move, enterer: Move): boolean {
  const fleet = indexOf(snapshot);
  const spread = fleet.datasets.get(leaver.datasetId)?.policy.spread;
  const from = fleet.targets.get(leaver.fromTargetId!);
  const to = fleet.targets.get(enterer.toTargetId!);
  return spread !== undefined && from !== undefined && to !== undefined && domainOf(from, spread) === domainOf(to, spread);
}
