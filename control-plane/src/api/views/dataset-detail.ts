import type { DatasetDetail, ReplicaView } from '@data-in-motion/shared/api/datasets';
import type { DecisionSettings } from '../../fleet/decision-settings.ts';
import { paidCopies, perMonth } from '../../placement/cost.ts';
import { whyReplica } from '../../placement/explain.ts';
import type { DatasetRows, ReplicaRow } from '../../store/kept-datasets.ts';
import { type FleetRows, factsOf, policyOf, rowsOfDataset } from '../fleet-rows.ts';
import { perAsked } from '../per-asked.ts';
import { datasetView } from './dataset-views.ts';
import { findingsOf } from './findings-view.ts';

/** Why each copy is where it is. */
const whyOf = perAsked(
  ({ replicaId }: Pick<ReplicaRow, 'replicaId' | 'datasetId'>) => replicaId,
  (_, { datasetId, replicaId }, context) => whyReplica(context, datasetId, replicaId),
);

const standing: readonly ReplicaRow['state'][] = ['verified', 'suspect', 'retiring'];

function replicaView(rows: FleetRows, row: ReplicaRow, why: string | null): ReplicaView {
  const target = rows.targetFacts.get(row.targetId);
  const root = rows.targetOf.get(row.targetId)?.description.root ?? '';
  const pointer = rowsOfDataset(rows, row.datasetId)?.pointer;
  const facts = factsOf(rows, row.datasetId);
  // Also of what is broken or in the trash: the copies of a dataset cost together what it costs.
  const paid = facts === undefined ? [] : paidCopies(rows.snapshot, facts, rows.heats.get(row.datasetId));
  const bill = paid.find(({ replica }) => replica.replicaId === row.replicaId)?.cost;
  return {
    replicaId: row.replicaId,
    versionId: row.versionId ?? '',
    targetId: row.targetId,
    nodeId: target?.nodeId ?? '',
    siteId: target?.siteId ?? '',
    region: target?.region ?? '',
    tier: target?.tier ?? 'cold',
    state: row.state,
    primary: pointer?.replicaId === row.replicaId,
    current: pointer?.versionId === row.versionId,
    verifiedAtMs: row.verifiedAtMs,
    verifiedLevel: row.verifiedLevel,
    path: row.state === 'trashed' ? `${root}/.dim/trash/${row.replicaId}` : `${root}/${row.datasetId}/${row.replicaId}`,
    costPerMonth: bill === undefined ? 0 : perMonth(bill),
    ...(why === null ? {} : { why }),
    ...(bill === undefined ? {} : { cost: bill }),
  };
}

export interface DatasetExtras {
  readonly accessByHour: readonly number[];
  readonly history: readonly { atMs: number; text: string }[];
}

export async function datasetDetail(rows: FleetRows, dataset: DatasetRows, decisions: DecisionSettings, extras: DatasetExtras): Promise<DatasetDetail> {
  const { row, pointer } = dataset;
  const policy = policyOf(rows, row);
  const findings = (await findingsOf(rows, [row.datasetId], decisions)).get(row.datasetId)!;
  const counted = pointer === undefined ? [] : dataset.replicas.filter(({ state }) => standing.includes(state));
  const why = await whyOf(rows, counted, decisions);
  return {
    dataset: datasetView(rows, dataset),
    policy: { ...policy, regions: [...policy.regions], pinnedTargets: [...policy.pinnedTargets], forbiddenTargets: [...policy.forbiddenTargets] },
    ownPolicy: row.ownPolicy as DatasetDetail['ownPolicy'],
    findings: [...findings],
    replicas: dataset.replicas
      .filter((replica) => !['purged', 'abandoned'].includes(replica.state))
      .map((replica) => replicaView(rows, replica, counted.includes(replica) ? why.get(replica.replicaId)! : null))
      .sort((a, b) => Number(b.primary) - Number(a.primary) || a.targetId.localeCompare(b.targetId)),
    versions: dataset.versions
      .map((version) => ({
        versionId: version.versionId,
        root: version.root,
        objects: version.objects,
        sizeBytes: version.sizeBytes,
        committedAtMs: version.committedAtMs,
        notes: [...version.notes],
        current: version.versionId === pointer?.versionId,
      }))
      .reverse(),
    accessByHour: [...extras.accessByHour],
    history: [...extras.history],
  };
}
