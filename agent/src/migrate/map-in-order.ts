export interface Window<Item> {
  /** Items in work at the same time, at most. */
  readonly count: number;
  /** Their weight together, at most; one item alone may weigh more. Without it items weigh nothing. */
  readonly weight?: number;
  readonly weigh?: (item: Item) => number;
}

/**
 * Work on several items at once and yield the results in the items' order. When one fails, or the reader stops, the others are
 * awaited before this ends: nothing goes on using what the caller then closes.
 */
export async function* mapInOrder<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  window: Window<Item>,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: { result: Promise<Result>; weight: number }[] = [];
  let weight = 0;
  const first = async (): Promise<Result> => {
    try {
      return await running[0]!.result;
    } finally {
      weight -= running.shift()!.weight;
    }
  };
  try {
    for await (const item of items) {
      const itemWeight = window.weigh?.(item) ?? 0;
      while (running.length > 0 && (running.length >= window.count || weight + itemWeight > (window.weight ?? Number.POSITIVE_INFINITY))) yield await first();
      const result = work(item);
      // It is awaited in its turn; until then its failure is not "unhandled".
      result.catch(() => undefined);
      running.push({ result, weight: itemWeight });
      weight += itemWeight;
    }
    while (running.length > 0) yield await first();
  } finally {
    await Promise.allSettled(running.map(({ result }) => result));
  }
}
