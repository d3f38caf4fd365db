import type { TargetId } from '@data-in-motion/shared/domain/ids';
import type { ShadowPrice } from '../fleet/snapshot.ts';
import { type PricedState, resources } from './assignment.ts';
import type { Earlier, EarlierPrices } from './carry-over.ts';
import type { Questions } from './questions.ts';

/**
 * What the last answer by prices leaves to the next, by the names of datasets and targets: which of them are asked about changes from plan to plan. It makes
 * answers sooner, never other than the numbers allow; who loses it starts anew.
 */
export class PlacementMemory {
  #state: PricedState | null = null;
  /** What the rows and the columns of the state stood for. */
  #rows: readonly string[] = [];
  #targets: readonly TargetId[] = [];

  keep({ asked, targets }: Questions, state: PricedState): void {
    this.#state = state;
    this.#rows = rowNames(asked);
    this.#targets = targets.map(({ targetId }) => targetId);
  }

  /** @returns null where there was no answer yet */
  earlierOf({ asked, targets }: Questions): Earlier | null {
    if (this.#state === null) return null;
    return {
      state: this.#state,
      rows: whereTheyWere(this.#rows, rowNames(asked)),
      columns: whereTheyWere(
        this.#targets,
        targets.map(({ targetId }) => targetId),
      ),
    };
  }
}

/** Where there is no memory, since its thread ended or another process answered: the prices alone, or null where none are known. */
export function earlierPrices({ targets }: Questions, known: readonly ShadowPrice[]): EarlierPrices | null {
  if (known.length === 0) return null;
  const prices = new Float64Array(resources.length * targets.length);
  const columns = new Map(targets.map(({ targetId }, column) => [targetId, column]));
  for (const { targetId, resource, dollarsPerUnit } of known) {
    const column = columns.get(targetId);
    if (column !== undefined) prices[resources.indexOf(resource) * targets.length + column] = dollarsPerUnit;
  }
  return { prices };
}

/** A dataset may need something and pay for being elsewhere at once; these are two rows. */
function rowNames(asked: Questions['asked']): string[] {
  return asked.map(({ kind, dataset }) => `${kind} ${dataset.datasetId}`);
}

/** The earlier place of each in a list, −1 for what is new; null where nothing moved. */
function whereTheyWere(before: readonly string[], now: readonly string[]): Int32Array | null {
  if (before.length === now.length && now.every((name, at) => name === before[at])) return null;
  const places = new Map(before.map((name, at) => [name, at]));
  return Int32Array.from(now, (name) => places.get(name) ?? -1);
}
