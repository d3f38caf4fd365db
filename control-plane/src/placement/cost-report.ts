import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { eachInSlices } from '@data-in-motion/shared/in-slices';
import { datasetAfter, type Step } from '../fleet/after-steps.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { costPartNames, noCost, type PaidCopy, paidCopies, perMonth } from './cost.ts';
import type { CostParts } from './plan.ts';

/** What a part of the fleet costs per month, US dollars, and what is there for it. */
export interface CostLine {
  readonly name: string;
  readonly cost: CostParts;
  readonly perMonth: number;
  /** Of all that the fleet costs, 0 to 1; 0 when it costs nothing. */
  readonly share: number;
  /** Copies that are paid for, and their bytes as they are (not as they are billed). */
  readonly copies: number;
  readonly bytes: number;
  /** Datasets with such a copy; of an owner all that are its own. */
  readonly datasets: number;
  /** Once the moves of the plan are made; null when there is no plan. */
  readonly afterPerMonth: number | null;
}

/** The same copies, divided in three ways: each split has the sums of `total`. */
export interface CostReport {
  readonly total: CostLine;
  readonly tiers: readonly CostLine[];
  readonly targets: readonly CostLine[];
  readonly owners: readonly CostLine[];
}

/**
 * What the fleet costs, by tier, target and owner, and what it would cost with a plan's moves made. One walk over the copies, slice by slice: a fleet of
 * 100,000 datasets is asked for this with every look at the page.
 *
 * @param steps the plan's moves, those under way among them; null when there is no plan
 */
export async function costReport(snapshot: FleetSnapshot, heats: ReadonlyMap<DatasetId, Heat>, steps: readonly Step[] | null): Promise<CostReport> {
  const stepsOf = Map.groupBy(steps ?? [], (step) => step.datasetId);
  const total = new Tally('all');
  const tiers = new Tallies();
  const targets = new Tallies();
  const owners = new Tallies();
  await eachInSlices(snapshot.datasets, (dataset) => {
    const { datasetId, owner } = dataset;
    const heat = heats.get(datasetId);
    const talliesOf = ({ target }: PaidCopy): readonly Tally[] => [total, tiers.of(target.tier), targets.of(target.targetId), owners.of(owner)];
    const copies = paidCopies(snapshot, dataset, heat);
    const own = stepsOf.get(datasetId);
    const after = own === undefined ? copies : paidCopies(snapshot, datasetAfter(dataset, own, snapshot.takenAtMs), heat);
    owners.of(owner).owned++;
    for (const copy of copies) for (const tally of talliesOf(copy)) tally.add(copy, datasetId);
    for (const copy of after) for (const tally of talliesOf(copy)) tally.afterPerMonth += perMonth(copy.cost);
  });
  const whole = total.line(steps !== null, 1).perMonth;
  return {
    total: { ...total.line(steps !== null, whole), datasets: snapshot.datasets.length },
    tiers: tiers.lines(steps !== null, whole),
    targets: targets.lines(steps !== null, whole),
    owners: owners.lines(steps !== null, whole).map((line) => ({ ...line, datasets: owners.of(line.name).owned })),
  };
}

/** A line while it is being added up; the copies of one dataset come one after the other. */
class Tally {
  readonly #name: string;
  readonly #cost = { ...noCost };
  #copies = 0;
  #bytes = 0;
  #datasets = 0;
  #lastDatasetId = '';
  owned = 0;
  afterPerMonth = 0;

  constructor(name: string) {
    this.#name = name;
  }

  add({ cost, sizeBytes }: PaidCopy, datasetId: DatasetId): void {
    for (const part of costPartNames) this.#cost[part] += cost[part];
    this.#copies++;
    this.#bytes += sizeBytes;
    if (datasetId !== this.#lastDatasetId) this.#datasets++;
    this.#lastDatasetId = datasetId;
  }

  line(hasPlan: boolean, whole: number): CostLine {
    const dollars = perMonth(this.#cost);
    return {
      name: this.#name,
      cost: { ...this.#cost },
      perMonth: dollars,
      share: whole === 0 ? 0 : dollars / whole,
      copies: this.#copies,
      bytes: this.#bytes,
      datasets: this.#datasets,
      afterPerMonth: hasPlan ? this.afterPerMonth : null,
    };
  }
}

class Tallies {
  readonly #byName = new Map<string, Tally>();

  of(name: string): Tally {
    let tally = this.#byName.get(name);
    if (tally === undefined) {
      tally = new Tally(name);
      this.#byName.set(name, tally);
    }
    return tally;
  }

  /** The dearest first. */
  lines(hasPlan: boolean, whole: number): CostLine[] {
    return [...this.#byName.values()].map((tally) => tally.line(hasPlan, whole)).sort((a, b) => b.perMonth - a.perMonth || (a.name < b.name ? -1 : 1));
  }
}
