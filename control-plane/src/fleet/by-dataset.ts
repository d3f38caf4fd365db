import type { DatasetId } from '@data-in-motion/shared/domain/ids';

/** A list in the order of the datasets, read by name. A map of its own would be made anew with every look at a large fleet. */
export class ByDataset<Value> implements ReadonlyMap<DatasetId, Value> {
  readonly #places: ReadonlyMap<DatasetId, number>;
  readonly #at: (place: number) => Value | undefined;

  /** @param places where each dataset stands, @param at what stands there, undefined when nothing is kept of it */
  constructor(places: ReadonlyMap<DatasetId, number>, at: (place: number) => Value | undefined) {
    this.#places = places;
    this.#at = at;
  }

  get(datasetId: DatasetId): Value | undefined {
    const place = this.#places.get(datasetId);
    return place === undefined ? undefined : this.#at(place);
  }

  has(datasetId: DatasetId): boolean {
    return this.get(datasetId) !== undefined;
  }

  get size(): number {
    let size = 0;
    for (const _ of this.entries()) size++;
    return size;
  }

  *entries(): MapIterator<[DatasetId, Value]> {
    for (const [datasetId, place] of this.#places) {
      const value = this.#at(place);
      if (value !== undefined) yield [datasetId, value];
    }
  }

  *keys(): MapIterator<DatasetId> {
    for (const [datasetId] of this.entries()) yield datasetId;
  }

  *values(): MapIterator<Value> {
    for (const [, value] of this.entries()) yield value;
  }

  forEach(take: (value: Value, datasetId: DatasetId, map: ReadonlyMap<DatasetId, Value>) => void): void {
    for (const [datasetId, value] of this.entries()) take(value, datasetId, this);
  }

  [Symbol.iterator](): MapIterator<[DatasetId, Value]> {
    return this.entries();
  }
}
