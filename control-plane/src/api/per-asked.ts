import { eachInSlices } from '@data-in-motion/shared/in-slices';
import type { DecisionSettings } from '../fleet/decision-settings.ts';
import type { AskContext } from '../placement/asks.ts';
import type { FleetRows } from './fleet-rows.ts';
import { perLook } from './per-look.ts';
import { explainsFrom } from './views/explanation-view.ts';

/** So many of what was asked of the look before are made again: a page or two, and not all that somebody has leafed through. */
const mostMadeAgain = 100;

/**
 * What weighs every place of the fleet, and so is made only of what somebody looks at: once for each look, and of the next look before that is shown, as
 * `perLook` does it for what is made of all datasets.
 *
 * @param make of one thing, which may be gone from a later look; it takes a few milliseconds
 */
export function perAsked<Item, Value>(
  keyOf: (item: Item) => string,
  make: (rows: FleetRows, item: Item, context: AskContext) => Value,
): (rows: FleetRows, items: readonly Item[], decisions: DecisionSettings) => Promise<ReadonlyMap<string, Value>> {
  interface Made {
    readonly values: Map<string, Value>;
    readonly asked: Map<string, Item>;
    decisions: DecisionSettings | null;
  }
  const add = (rows: FleetRows, { values }: Made, items: readonly Item[], decisions: DecisionSettings): Promise<void> => {
    const context = explainsFrom(rows, decisions);
    return eachInSlices(items, (item) => {
      const key = keyOf(item);
      if (!values.has(key)) values.set(key, make(rows, item, context));
    });
  };
  const madeOf = perLook(async (rows, before?: Made): Promise<Made> => {
    const made: Made = { values: new Map(), asked: new Map(), decisions: null };
    if (before !== undefined && before.decisions !== null) await add(rows, made, [...before.asked.values()].slice(-mostMadeAgain), before.decisions);
    return made;
  });
  return async (rows, items, decisions) => {
    const made = await madeOf(rows);
    made.decisions = decisions;
    for (const item of items) made.asked.set(keyOf(item), item);
    await add(rows, made, items, decisions);
    return made.values;
  };
}
