import type { TargetId } from '@data-in-motion/shared/domain/ids';
import { eachInSlices } from '@data-in-motion/shared/in-slices';
import type { DatasetFacts, FleetSnapshot } from '../fleet/snapshot.ts';
import type { TargetHealth } from '../health/target-health.ts';
import { jobsOf } from '../reconcile/copies.ts';
import { datasetNeeds, type Need } from '../reconcile/needs.ts';

type Health = ReadonlyMap<TargetId, TargetHealth>;

interface Looked {
  /** As the snapshot has them, and alongside what each needs. */
  readonly datasets: readonly DatasetFacts[];
  readonly needs: readonly (readonly Need[])[];
  /** Datasets that work was under way for: what comes of it is not in their facts alone. */
  readonly atWork: ReadonlyMap<string, unknown>;
  readonly places: ReadonlyMap<TargetId, string>;
}

/** Of most datasets nothing is needed: they share this. */
const nothing: readonly Need[] = [];

/**
 * What each dataset needs, asked again only where something is another than the time before: the dataset itself, a place where a copy of it is, or work under
 * way. Of a large fleet in which little happens that is a hundredth of the whole.
 */
export class KeptNeeds {
  #before: Looked = { datasets: [], needs: [], atWork: new Map(), places: new Map() };

  /** In the order of the datasets. @param health of the same snapshot, by the same settings each time */
  async of(snapshot: FleetSnapshot, health: Health): Promise<Need[]> {
    const before = this.#before;
    const atWork = jobsOf(snapshot);
    const places = new Map(snapshot.targets.map((target) => [target.targetId, placeText(target, health)]));
    const changed = new Set([...places.keys(), ...before.places.keys()].filter((targetId) => places.get(targetId) !== before.places.get(targetId)));
    const isAsBefore = (dataset: DatasetFacts, at: number): boolean =>
      before.datasets[at] === dataset &&
      !atWork.has(dataset.datasetId) &&
      !before.atWork.has(dataset.datasetId) &&
      (changed.size === 0 || !dataset.replicas.some(({ targetId }) => changed.has(targetId)));
    const needs: (readonly Need[])[] = [];
    await eachInSlices(snapshot.datasets, (dataset, at) => {
      if (isAsBefore(dataset, at)) needs.push(before.needs[at]!);
      else {
        const asked = datasetNeeds(snapshot, dataset, health);
        needs.push(asked.length === 0 ? nothing : asked);
      }
    });
    this.#before = { datasets: snapshot.datasets, needs, atWork, places };
    return needs.flat();
  }
}

/** All that a need can come from at a place; how full and how fast it is asks for nothing. */
function placeText(target: FleetSnapshot['targets'][number], health: Health): string {
  const { usedBytes: _, reservedBytes: __, readBytesPerSec: ___, writeBytesPerSec: ____, ...rest } = target;
  return JSON.stringify([rest, health.get(target.targetId)]);
}
