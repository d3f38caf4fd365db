import type { FleetRows } from './fleet-rows.ts';

interface Walk {
  wasAskedOf(rows: FleetRows): boolean;
  makeAgain(before: FleetRows, rows: FleetRows): Promise<void>;
}
const walks: Walk[] = [];

/**
 * What is made of all datasets of a look, once for each look. `make` shall go slice by slice (`eachInSlices`): of a large fleet it takes some hundred
 * milliseconds.
 *
 * @param make what it is given of the look before may save it work, and changes nothing in what it makes
 */
export function perLook<Value>(make: (rows: FleetRows, before?: Value) => Promise<Value>): (rows: FleetRows) => Promise<Value> {
  const made = new WeakMap<FleetRows, Promise<Value>>();
  const asked = new WeakSet<FleetRows>();
  walks.push({
    wasAskedOf: (rows) => asked.has(rows),
    async makeAgain(before, rows) {
      const known = await made.get(before)?.catch(() => undefined);
      if (!made.has(rows)) made.set(rows, make(rows, known));
      await made.get(rows)!.catch(() => {});
    },
  });
  return (rows) => {
    asked.add(rows);
    const known = made.get(rows) ?? make(rows);
    made.set(rows, known);
    return known;
  };
}

/** Make of a new look all that was asked for of the one before, so that nobody waits for it once the new one is shown. What fails is told to who asks for it. */
export async function makeAgain(before: FleetRows, rows: FleetRows): Promise<void> {
  for (const walk of walks) if (walk.wasAskedOf(before)) await walk.makeAgain(before, rows);
}
