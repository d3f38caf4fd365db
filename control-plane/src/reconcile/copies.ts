import type { ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { currentReplicas } from '../fleet/lookup.ts';
import type { DatasetFacts, FleetSnapshot, JobFacts, ReplicaFacts } from '../fleet/snapshot.ts';
import type { TargetHealth } from '../health/target-health.ts';

/** The copies of a dataset by what they are good for now. A replica is in one list at most. */
export interface Copies {
  /** Verified, of the current version, on a place that counts, and not about to leave by a job. */
  readonly counted: readonly ReplicaFacts[];
  /** Verified, but on a place that does not count or that is being drained: they can be read, and shall be replaced. */
  readonly leaving: readonly ReplicaFacts[];
  /** Found corrupt or missing. */
  readonly bad: readonly ReplicaFacts[];
  /** Of another version, not yet letting go: an older one, or one that was imported and never switched to. */
  readonly stale: readonly ReplicaFacts[];
  /** Places where a job under way will add a copy that counts, or verifies one that would. */
  readonly comingTo: readonly TargetId[];
  /** Being replaced or let go by a job already. */
  readonly inHand: ReadonlySet<ReplicaId>;
  /** Made, checked or promoted by a job that has not ended: nothing takes them away meanwhile. */
  readonly inTheMaking: ReadonlySet<ReplicaId>;
}

/** Sort the copies of a dataset by what they are good for; work under way counts as done, so that nothing is asked for twice. */
export function copiesOf(snapshot: FleetSnapshot, dataset: DatasetFacts, health: ReadonlyMap<TargetId, TargetHealth>): Copies {
  const jobs = jobsOf(snapshot).get(dataset.datasetId) ?? [];
  const inHand = new Set(
    jobs.flatMap((job) => (job.fromReplicaId !== null && (job.purpose === 'move' || job.purpose === 'retire') ? [job.fromReplicaId] : [])),
  );
  const inTheMaking = new Set(jobs.flatMap((job) => job.toReplicaId ?? []));
  const free = dataset.replicas.filter((replica) => !inHand.has(replica.replicaId));
  const current = currentReplicas(dataset).filter((replica) => !inHand.has(replica.replicaId));
  const verified = current.filter((replica) => replica.state === 'verified');
  const isCounted = (replica: ReplicaFacts): boolean => {
    const place = health.get(replica.targetId);
    return place?.counts === true && !place.drain;
  };
  return {
    counted: verified.filter(isCounted),
    leaving: verified.filter((replica) => health.get(replica.targetId)?.drain === true),
    bad: current.filter((replica) => replica.state === 'corrupt' || replica.state === 'missing'),
    stale:
      dataset.versionId === null
        ? []
        : free.filter(
            (replica) =>
              // A newer one in the making is an import's that has not switched yet.
              (replica.versionId < dataset.versionId! || (replica.versionId > dataset.versionId! && !inTheMaking.has(replica.replicaId))) &&
              ['verified', 'suspect', 'corrupt', 'missing'].includes(replica.state),
          ),
    comingTo: jobs.flatMap((job) => comingTo(job, dataset, health) ?? []),
    inHand,
    inTheMaking,
  };
}

/** Where a job adds a copy that does not count yet; null when it adds none, or none on a place that would count. */
function comingTo(job: JobFacts, dataset: DatasetFacts, health: ReadonlyMap<TargetId, TargetHealth>): TargetId | null {
  const place = placeOfNewCopy(job, dataset);
  return place !== null && health.get(place)?.counts === true ? place : null;
}

function placeOfNewCopy(job: JobFacts, dataset: DatasetFacts): TargetId | null {
  if (job.purpose === 'verify') {
    // A doubted copy that is being read back will count again or be found bad: either way no other copy is asked for meanwhile.
    const checked = dataset.replicas.find((replica) => replica.replicaId === (job.toReplicaId ?? job.fromReplicaId));
    return checked !== undefined && checked.state === 'suspect' && checked.versionId === dataset.versionId ? checked.targetId : null;
  }
  if (job.purpose === 'retire' || job.toTargetId === null) return null;
  const made = dataset.replicas.find((replica) => replica.replicaId === job.toReplicaId);
  // Verified already: it is among the counted. A copy of an older version will be stale.
  if (made !== undefined && (made.state !== 'joining' || made.versionId !== dataset.versionId)) return null;
  return job.toTargetId;
}

const jobLists = new WeakMap<FleetSnapshot, ReadonlyMap<string, readonly JobFacts[]>>();

/** The jobs under way, by dataset; sorted once for each snapshot. */
export function jobsOf(snapshot: FleetSnapshot): ReadonlyMap<string, readonly JobFacts[]> {
  const known = jobLists.get(snapshot);
  if (known !== undefined) return known;
  const lists = Map.groupBy(snapshot.jobs, (job) => job.datasetId as string);
  jobLists.set(snapshot, lists);
  return lists;
}
