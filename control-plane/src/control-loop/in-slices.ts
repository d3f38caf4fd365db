import { setImmediate } from 'node:timers/promises';

/** So many datasets take a few milliseconds: between two slices agents and people are listened to. */
const itemsAtOnce = 400;

/** `flatMap` over a list that may be a large fleet's, which would hold up everything else for a second. The answer is the same. */
export async function inSlices<Item, Made>(items: readonly Item[], make: (item: Item) => readonly Made[]): Promise<Made[]> {
  const all: Made[] = [];
  for (let at = 0; at < items.length; at++) {
    if (at > 0 && at % itemsAtOnce === 0) await setImmediate();
    for (const made of make(items[at]!)) all.push(made);
  }
  return all;
}
