import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import { domainOf, freeBytes, indexOf } from '../fleet/lookup.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { targetHealth } from '../health/target-health.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { fleetNeeds } from '../reconcile/needs.ts';
import { type Ask, type AskContext, asksOf, type Option } from './asks.ts';
import { choosePlaces } from './choose-places.ts';

const settings = defaultDecisionSettings;

function contextOf(snapshot: FleetSnapshot): AskContext {
  const heats = fleetHeats(snapshot, settings.heat);
  const limits = { ...settings.placement, timeLimitMs: 100_000, gap: 1e-9 };
  return { snapshot, health: targetHealth(snapshot), heats, settings: limits, evacuation: settings.evacuation };
}

function asksFor(context: AskContext): Ask[] {
  const { snapshot } = context;
  const needs = fleetNeeds(snapshot, context.heats);
  return snapshot.datasets.flatMap((dataset) =>
    asksOf(
      context,
      dataset,
      needs.filter((need) => need.datasetId === dataset.datasetId),
    ),
  );
}

interface Answer {
  /** What is answered, by its weight: missing copies 4, evacuations 2, forbidden places 1; a pinned place 1/4. */
  readonly worth: number;
  readonly dollars: number;
}

function answerOf(asks: readonly Ask[], options: readonly (readonly Option[])[]): Answer {
  let worth = 0;
  let dollars = 0;
  for (const [place, ask] of asks.entries()) {
    for (const option of options[place]!) {
      worth += ask.kind === 'better' ? 0 : ask.kind === 'add' ? 4 : ask.need === 'evacuate-device' ? 2 : 1;
      if (ask.dataset.policy.pinnedTargets.includes(option.to.targetId)) worth += 0.25;
      dollars += option.objective - ask.stayObjective;
    }
  }
  return { worth, dollars };
}

/** The rules written down once more, as one would check a finished layout. */
function isAllowed(snapshot: FleetSnapshot, asks: readonly Ask[], options: readonly (readonly Option[])[]): boolean {
  const filled = new Map<string, number>();
  for (const [place, ask] of asks.entries())
    for (const { to } of options[place]!) filled.set(to.targetId, (filled.get(to.targetId) ?? 0) + ask.dataset.sizeBytes);
  if (snapshot.targets.some((target) => (filled.get(target.targetId) ?? 0) > freeBytes(target))) return false;
  return [...new Set(asks.map((ask) => ask.dataset))].every((dataset) => {
    const own = asks.flatMap((ask, place) => (ask.dataset === dataset ? [{ ask, taken: options[place]! }] : []));
    const domain = (targetId: string) => domainOf(indexOf(snapshot).targets.get(targetId as never)!, dataset.policy.spread);
    const staying = own.flatMap(({ ask, taken }) => (ask.replica !== null && taken.length === 0 ? [domain(ask.replica.targetId)] : []));
    const arriving = own.flatMap(({ taken }) => taken.map((option) => domain(option.to.targetId)));
    return new Set(arriving).size === arriving.length && arriving.every((name) => !staying.includes(name));
  });
}

/** The best of all answers, by trying every one. */
function tryEverything(snapshot: FleetSnapshot, asks: readonly Ask[]): Answer {
  let best: Answer = { worth: 0, dollars: 0 };
  const chosen: (readonly Option[])[] = [];
  const visit = (place: number): void => {
    if (place === asks.length) {
      if (!isAllowed(snapshot, asks, chosen)) return;
      const value = answerOf(asks, chosen);
      if (value.worth > best.worth || (value.worth === best.worth && value.dollars < best.dollars)) best = value;
      return;
    }
    for (const options of subsets(asks[place]!.options, asks[place]!.count)) {
      chosen[place] = options;
      visit(place + 1);
    }
  };
  visit(0);
  return best;
}

function subsets(options: readonly Option[], atMost: number): Option[][] {
  const sets: Option[][] = [[]];
  for (const option of options) sets.push(...sets.filter((set) => set.length < atMost).map((set) => [...set, option]));
  return sets;
}

describe('the exact choice', () => {
  test('equals the best of all answers on small fleets with and without enough room', { timeout: 120_000 }, async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.constantFrom(0.2, 0.5, 1, 4), fc.constantFrom(0, 0.15, 0.4), async (seed, room, trouble) => {
        const snapshot = randomFleet(seed, { targets: 5, datasets: 3, sites: 3, room, trouble });
        const context = contextOf(snapshot);
        const asks = asksFor(context);
        if (asks.reduce((product, ask) => product * (ask.options.length + 1) ** ask.count, 1) > 20_000) return;
        const { chosen, solver } = await choosePlaces(context, asks);
        const options = asks.map((ask) => chosen.find((each) => each.ask === ask)!.options);
        expect(solver).not.toContain('time limit');
        expect(isAllowed(snapshot, asks, options)).toBe(true);
        const ours = answerOf(asks, options);
        const best = tryEverything(snapshot, asks);
        expect(ours.worth).toBe(best.worth);
        expect(Math.abs(ours.dollars - best.dollars)).toBeLessThan(1e-6);
        if (asks.some((ask) => ask.options.length > 0)) compared++;
      }),
      { numRuns: 2000 },
    );
    expect(compared).toBeGreaterThan(1000);
  });
});
