import type { Assignment } from '../assignment.ts';
import type { MixedModel } from '../solve-mixed.ts';
import { costOf } from './best-by-trying.ts';

/**
 * A problem as a mixed integer program: for each dataset and allowed target a variable for a copy and one for the primary, with what it saves against leaving
 * it out. Also what all left out costs.
 */
export function mixedAssignment(problem: Assignment): { model: MixedModel; allLeftOut: number } {
  const { datasets, targets, rules } = problem;
  type Row = { columns: number[]; weights: number[]; atMost: number };
  const row = (atMost: number): Row => ({ columns: [], weights: [], atMost });
  const costs: number[] = [];
  // In GB and so on the numbers stay near each other.
  const scale = (limit: number): number => (limit === Infinity ? 1 : Math.max(1, limit));
  const limits = [targets.roomBytes, targets.readBytesLimit, targets.requestsLimit].map((list) => Array.from(list, (limit) => row(limit / scale(limit))));
  const rows = limits.flat().filter((one) => one.atMost < Infinity && !Number.isNaN(one.atMost));
  let allLeftOut = 0;
  for (let at = 0; at < datasets.count; at++) {
    const missing = datasets.missing[at]!;
    allLeftOut += missing * datasets.copies[at]!;
    const copies = row(datasets.copies[at]! - datasets.hasPrimary[at]!);
    const primary = row(1);
    const apart = new Map<number, Row>();
    const rule = rules[datasets.rule[at]!]!;
    for (const [place, column] of rule.columns.entries()) {
      const domain = apart.get(rule.domains[place]!) ?? apart.set(rule.domains[place]!, row(1)).get(rule.domains[place]!)!;
      let isThere = false;
      for (let one = datasets.specialsFrom[at]!; one < datasets.specialsFrom[at + 1]!; one++)
        if (datasets.specialColumn[one] === column) isThere = datasets.stays[one] === 1;
      for (const role of ['copy', 'primary'] as const) {
        const cost = costOf(problem, at, column, role);
        if (cost === Infinity || (role === 'primary' && (datasets.hasPrimary[at] === 0 || rule.serves[place] === 0))) continue;
        const weights: [Row, number][] = [
          [role === 'copy' ? copies : primary, 1],
          [domain, 1],
        ];
        if (!isThere) weights.push([limits[0]![column]!, datasets.bytes[at]! / scale(targets.roomBytes[column]!)]);
        if (role === 'primary') {
          weights.push([limits[1]![column]!, datasets.readBytes[at]! / scale(targets.readBytesLimit[column]!)]);
          weights.push([limits[2]![column]!, datasets.requests[at]! / scale(targets.requestsLimit[column]!)]);
        }
        for (const [into, weight] of weights) {
          into.columns.push(costs.length);
          into.weights.push(weight);
        }
        costs.push(cost - missing);
      }
    }
    rows.push(copies, primary, ...apart.values());
  }
  return { model: { costs, rows: rows.filter((one) => one.columns.length > 0) }, allLeftOut };
}
