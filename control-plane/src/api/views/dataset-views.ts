import type { DatasetDetail, DatasetLocation, DatasetView } from '@data-in-motion/shared/api/datasets';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import type { JobState } from '@data-in-motion/shared/domain/job';
import { Failure } from '@data-in-motion/shared/failure';
import { datasetCost, perMonth } from '../../placement/cost.ts';
import type { DatasetRows, ReplicaRow, VersionRow } from '../../store/kept-datasets.ts';
import { type FleetRows, factsOf, policyOf, rowsOfDataset } from '../fleet-rows.ts';

/** The copy that the job makes is in use; what is left to do is about the old one. */
const copyStands: readonly JobState[] = ['switched', 'grace', 'retiring', 'trashed', 'purged'];

/** Whether the promised copies are there: `met`, being made (`working`), missing (`short`), impossible (`infeasible`), or not imported yet (`empty`). */
export function policyState(rows: FleetRows, { row }: DatasetRows, verified: number): DatasetView['policyState'] {
  const facts = factsOf(rows, row.datasetId);
  const jobs = (rows.jobsOf.get(row.datasetId) ?? []).filter((job) => ['import', 'copy', 'move'].includes(job.purpose));
  const working = jobs.length > 0;
  if (facts === undefined || facts.versionId === null) return working ? 'working' : 'empty';
  // Also with every copy in place: one of them breaks a rule, and no copy that is still to come will change it.
  if (rows.infeasible.has(row.datasetId) && jobs.every((job) => copyStands.includes(job.state))) return 'infeasible';
  if (verified >= facts.policy.copies && !rows.breaksPolicy(facts)) return 'met';
  return working ? 'working' : 'short';
}

/** How many verified copies there are of the version that the pointer names. */
export function verifiedCopies({ pointer, replicas }: DatasetRows): number {
  let verified = 0;
  for (const replica of replicas) if (replica.versionId === pointer?.versionId && replica.state === 'verified') verified++;
  return verified;
}

function currentVersion({ pointer, versions }: DatasetRows): VersionRow | undefined {
  return pointer === undefined ? undefined : versions.find((one) => one.versionId === pointer.versionId);
}

function primaryOf({ pointer, replicas }: DatasetRows): ReplicaRow | undefined {
  return pointer === undefined ? undefined : replicas.find((replica) => replica.replicaId === pointer.replicaId);
}

export function datasetView(rows: FleetRows, dataset: DatasetRows): DatasetView {
  const { row, pointer } = dataset;
  const version = currentVersion(dataset);
  const primary = primaryOf(dataset);
  const target = primary === undefined ? undefined : rows.targetOf.get(primary.targetId);
  const verified = verifiedCopies(dataset);
  const facts = factsOf(rows, row.datasetId);
  return {
    datasetId: row.datasetId,
    name: row.datasetId,
    owner: row.owner,
    rev: row.rev,
    createdAtMs: row.createdAtMs,
    sizeBytes: version?.sizeBytes ?? 0,
    objects: version?.objects ?? 0,
    versionId: version?.versionId ?? null,
    root: version?.root ?? null,
    copiesWanted: policyOf(rows, row).copies,
    copiesVerified: verified,
    tier: target?.description.tier ?? null,
    heat: row.heat === null ? null : { ...row.heat, windows: [...row.heat.windows] },
    costPerMonth: facts === undefined ? 0 : perMonth(datasetCost(rows.snapshot, facts, rows.heats.get(row.datasetId))),
    policyState: policyState(rows, dataset, verified),
    primary:
      pointer === undefined || primary === undefined || target === undefined
        ? null
        : { replicaId: primary.replicaId, targetId: primary.targetId, nodeId: target.nodeId, pointerRev: pointer.rev },
  };
}

/** What the newest plan said of a policy that can not be met. */
export function impossible(rows: FleetRows, datasetId: DatasetId): DatasetDetail['findings'] {
  const found = rows.infeasible.get(datasetId);
  return found === undefined
    ? []
    : [
        {
          rule: 'infeasible',
          text: `No places meet these rules together: ${found.rules.join(', ')}.`,
          remedy: found.cheapestWayOut,
          severity: 'error',
          targetId: null,
          sinceMs: rows.infeasibleSinceMs.get(datasetId) ?? null,
        },
      ];
}

/** Where the verified primary is, by the link that always names it. @throws refused `dataset.not-ready` */
export function datasetLocation(rows: FleetRows, datasetId: DatasetId): DatasetLocation {
  const dataset = rowsOfDataset(rows, datasetId);
  const version = dataset === undefined ? undefined : currentVersion(dataset);
  const primary = dataset === undefined ? undefined : primaryOf(dataset);
  if (dataset === undefined || version === undefined || primary === undefined)
    throw notReady(datasetId, `Dataset ${datasetId} has no verified copy yet.`, 'dim jobs shows how far its import is.');
  const copies = dataset.replicas
    .filter((replica) => replica.versionId === version.versionId && replica.state === 'verified' && replica.activated)
    .flatMap((replica) => placeOf(rows, replica) ?? []);
  const found = placeOf(rows, primary);
  if (found === undefined || primary.verifiedAtMs === null)
    throw notReady(
      datasetId,
      `The primary copy of ${datasetId} on ${primary.targetId} can not be read: ${whyNot(rows, primary)}.`,
      copies.length === 0
        ? 'There is no other verified copy that can be read. GET /v1/consistency tells what is being done.'
        : `Verified copies: ${copies.map((copy) => `${copy.nodeId}:${copy.path}`).join(', ')}.`,
    );
  return { datasetId, versionId: version.versionId, replicaId: primary.replicaId, ...found, root: version.root, verifiedAtMs: primary.verifiedAtMs, copies };
}

/** The place of a copy that is whole, on a node that is not lost and a target that its agent reaches. */
function placeOf(rows: FleetRows, replica: ReplicaRow): DatasetLocation['copies'][number] | undefined {
  const target = rows.targetOf.get(replica.targetId);
  if (target === undefined || whyNot(rows, replica) !== null) return undefined;
  return { nodeId: target.nodeId, targetId: target.targetId, path: `${target.description.root}/${replica.datasetId}/current` };
}

function whyNot(rows: FleetRows, replica: ReplicaRow): string | null {
  if (!['verified', 'retiring'].includes(replica.state)) return `it is ${replica.state}`;
  if (replica.verifiedAtMs === null) return 'it was never read back';
  const target = rows.targetOf.get(replica.targetId);
  if (target === undefined) return 'its target is not known';
  const agent = rows.nodes.find((one) => one.nodeId === target.nodeId)?.agentState;
  if (agent === 'lost' || agent === 'revoked') return `the agent of ${target.nodeId} is ${agent}`;
  if (target.state === 'lost') return `${target.targetId} is ${target.stateReason ?? 'lost'}`;
  return target.reachable ? null : (rows.unreachable.get(target.targetId) ?? `${target.targetId} can not be reached`);
}

function notReady(datasetId: DatasetId, message: string, hint: string): Failure {
  return new Failure('refused', { code: 'dataset.not-ready', message, hint, ids: { datasetId } });
}
