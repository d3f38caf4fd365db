import type { NodeId, TargetId } from '@data-in-motion/shared/domain/ids';
import { copyOnce, daysPerMonth } from '../fleet/copy-cost.ts';
import { indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot } from '../fleet/snapshot.ts';
import { targetHealth } from '../health/target-health.ts';
import { judgeTargets } from '../policy/allowed-targets.ts';
import { perMonth, replicaCost } from './cost.ts';
import { wayOut } from './way-out.ts';

export interface ImportedTree {
  readonly sizeBytes: number;
  readonly objects: number;
  /** The host that the tree lies on. */
  readonly sourceNodeId: NodeId;
}

export type ImportPlace = { readonly targetId: TargetId } | { readonly infeasible: { readonly rules: readonly string[]; readonly cheapestWayOut: string } };

/** Room beyond the bytes themselves: directories, manifests and side files. */
const overhead = 1.02;

/**
 * The cheapest target that policy allows for the first copy of a tree, which is its primary; among equals the tree's own node, so that no byte
 * crosses the network, then by name. How the dataset will be used is not known yet: heat moves it later.
 */
export function chooseImportTarget(snapshot: FleetSnapshot, dataset: DatasetFacts, tree: ImportedTree): ImportPlace {
  const health = targetHealth(snapshot);
  const judged = judgeTargets(snapshot, dataset, 'primary', health, tree.sizeBytes * overhead);
  const unused = { readsPerMonth: 0, readBytesPerMonth: 0 };
  const pinned = dataset.policy.pinnedTargets;
  const source = indexOf(snapshot).targets;
  const ranked = judged
    .filter(({ violations }) => violations.length === 0)
    .map(({ target }) => ({
      target,
      pinned: Number(pinned.includes(target.targetId)),
      // One month here, and the writes once; the source is a plain directory and costs nothing to read.
      dollars: perMonth(replicaCost(target, 'primary', tree, unused)) + (copyOnce({ ...target, prices: null }, target, tree) * daysPerMonth) / 30,
      near: Number(source.get(target.targetId)?.nodeId === tree.sourceNodeId),
    }))
    .sort((a, b) => b.pinned - a.pinned || a.dollars - b.dollars || b.near - a.near || (a.target.targetId < b.target.targetId ? -1 : 1));
  if (ranked[0] !== undefined) return { targetId: ranked[0].target.targetId };
  const { rules, cheapestWayOut } = wayOut(dataset, judged, new Set(), 'primary', undefined, tree);
  return { infeasible: { rules, cheapestWayOut } };
}
