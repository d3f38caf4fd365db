import { findingSeverities } from '@data-in-motion/shared/api/datasets';
import type { FindingRow, FindingsView } from '@data-in-motion/shared/api/findings';
import { eachInSlices } from '@data-in-motion/shared/in-slices';
import type { DatasetFacts } from '../../fleet/snapshot.ts';
import { type Finding, policyFindings } from '../../policy/findings.ts';
import type { FleetRows } from '../fleet-rows.ts';
import { perLook } from '../per-look.ts';
import { impossible } from './dataset-views.ts';

/** A finding of the fleet, without what helps. */
export interface Placed {
  /** Where it stands in the order, and the name of the page that begins after it. */
  readonly place: string;
  /** Among the findings of its dataset. */
  readonly at: number;
  readonly row: Omit<FindingRow, 'remedy'>;
}

/** All that is not as policies say, the worst first. */
export interface FleetFindings extends Pick<FindingsView, 'datasets' | 'bySeverity' | 'byRule'> {
  readonly all: readonly Placed[];
  readonly kept: Kept;
}

/** What was found of each dataset, in the order of the snapshot; it stays true while the dataset and all places are as they were. */
interface Kept {
  readonly places: string;
  readonly datasets: readonly DatasetFacts[];
  readonly found: readonly (readonly Finding[])[];
}

const nothing: readonly Finding[] = [];

/** All pages of one look at the fleet are cut from one walk over it. */
export const fleetFindings = perLook(async (rows, before?: FleetFindings): Promise<FleetFindings> => {
  const kept = await findOfPolicies(rows, before?.kept);
  const working = new Set<string>(rows.activeJobs.map((job) => job.datasetId));
  const bySeverity = { error: 0, warning: 0, info: 0 };
  const byRule: Record<string, number> = {};
  const sorted: Placed[][] = findingSeverities.map(() => []);
  let datasets = 0;
  await eachInSlices(kept.datasets, (facts, place) => {
    const ofPolicy = kept.found[place]!;
    if (ofPolicy === nothing && !rows.infeasible.has(facts.datasetId)) return;
    const found = [...impossible(rows, facts.datasetId), ...ofPolicy];
    datasets++;
    for (const [at, { remedy: _, ...finding }] of found.entries()) {
      const { severity, rule } = finding;
      bySeverity[severity]++;
      byRule[rule] = (byRule[rule] ?? 0) + 1;
      const grade = findingSeverities.indexOf(severity);
      const { datasetId, owner, sizeBytes, policy } = facts;
      sorted[grade]!.push({
        at,
        place: `${grade} ${datasetId} ${String(at).padStart(3, '0')}`,
        row: { ...finding, datasetId, owner, sizeBytes, mode: policy.mode, working: working.has(datasetId) },
      });
    }
  });
  // The datasets came by name: each grade is in its order.
  return { all: sorted.flat(), datasets, bySeverity, byRule, kept };
});

async function findOfPolicies(rows: FleetRows, before: Kept | undefined): Promise<Kept> {
  const { snapshot, health } = rows;
  const places = placesText(rows);
  const isKept = before?.places === places;
  const found: (readonly Finding[])[] = [];
  await eachInSlices(snapshot.datasets, (facts, place) => {
    if (isKept && before.datasets[place] === facts) found.push(before.found[place]!);
    else {
      const made = policyFindings(snapshot, facts, health, () => '');
      found.push(made.length === 0 ? nothing : made);
    }
  });
  return { places, datasets: snapshot.datasets, found };
}

/** All that a finding can come from besides its dataset; how full and how fast a place is makes none. */
function placesText({ snapshot, health }: FleetRows): string {
  const places = snapshot.targets.map(({ usedBytes: _, reservedBytes: __, readBytesPerSec: ___, writeBytesPerSec: ____, ...rest }) => rest);
  const agents = snapshot.nodes.map(({ nodeId, agentState, lastHeardAtMs }) => [nodeId, agentState, agentState === 'lost' ? lastHeardAtMs : null]);
  return JSON.stringify([places, [...health], agents, snapshot.devices.map(({ deviceId, levelSinceMs }) => [deviceId, levelSinceMs])]);
}
