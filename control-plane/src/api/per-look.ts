import type { FleetRows } from './fleet-rows.ts';

interface Walk {
  wasAskedOf(rows: FleetRows): boolean;
  makeOf(rows: FleetRows): Promise<unknown>;
}
const walks: Walk[] = [];

/**
 * What is made of all datasets of a look, once for each look. `make` shall go slice by slice (`eachInSlices`): of a large fleet it takes some hundred
 * milliseconds.
 */
export function perLook<Value>(make: (rows: FleetRows) => Promise<Value>): (rows: FleetRows) => Promise<Value> {
  const made = new WeakMap<FleetRows, Promise<Value>>();
  const asked = new WeakSet<FleetRows>();
  const makeOf = (rows: FleetRows): Promise<Value> => {
    const known = made.get(rows) ?? make(rows);
    made.set(rows, known);
    return known;
  };
  walks.push({ wasAskedOf: (rows) => asked.has(rows), makeOf });
  return (rows) => {
    asked.add(rows);
    return makeOf(rows);
  };
}

/** Make of a new look all that was asked for of the one before, so that nobody waits for it once the new one is shown. What fails is told to who asks for it. */
export async function makeAgain(before: FleetRows, rows: FleetRows): Promise<void> {
  for (const walk of walks) if (walk.wasAskedOf(before)) await walk.makeOf(rows).catch(() => {});
}
