import { setImmediate } from 'node:timers/promises';

/** After so long others have their turn: agents and people are listened to. */
const sliceMs = 4;
/** The clock is looked at this often: a look costs as much as a small item. */
const itemsPerLook = 32;

/** `forEach` over a list that may be a large fleet's, which would hold up everything else for a second. */
export async function eachInSlices<Item>(items: readonly Item[], take: (item: Item, at: number) => void): Promise<void> {
  let beganAtMs = performance.now();
  for (let at = 0; at < items.length; at++) {
    if (at % itemsPerLook === 0 && performance.now() - beganAtMs >= sliceMs) {
      await setImmediate();
      beganAtMs = performance.now();
    }
    take(items[at]!, at);
  }
}

/** `flatMap`, the same way. */
export async function inSlices<Item, Made>(items: readonly Item[], make: (item: Item, at: number) => readonly Made[]): Promise<Made[]> {
  const all: Made[] = [];
  await eachInSlices(items, (item, at) => {
    for (const made of make(item, at)) all.push(made);
  });
  return all;
}
