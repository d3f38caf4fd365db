import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { seededRandom } from '@data-in-motion/shared/random';
import { defaultDecisionSettings, type PlacementSettings, type RiskSettings } from '../fleet/decision-settings.ts';
import type { FleetSnapshot, ShadowPrice } from '../fleet/snapshot.ts';
import type { Need } from '../reconcile/needs.ts';
import { assemblePlan, type Choice } from './assemble-plan.ts';
import type { PricedPlacement } from './assignment.ts';
import { chosenOf } from './chosen-of.ts';
import { askFleet, type FleetQuestion } from './fleet-question.ts';
import { chooseExactly } from './place-exact.ts';
import { placePriced } from './place-priced.ts';
import { earlierPrices, type PlacementMemory } from './placement-memory.ts';
import type { Plan } from './plan.ts';
import type { PassOver } from './price-pass.ts';
import { type Questions, questionsOf } from './questions.ts';
import { screen } from './screen.ts';

export interface PlaceWork {
  readonly nowMs: () => number;
  /** Whether to stop with the best plan so far. */
  readonly isOver: () => boolean;
  /** Where the answer begins and what it leaves to the next one; without it each begins from nothing. */
  readonly memory?: PlacementMemory;
  /** Left out: all is looked at in this thread. */
  readonly passOver?: PassOver;
}

/** So many pairs of dataset and target HiGHS answers within a second or two; beyond, only where the priced answer is far from its bound. */
const exactPairs = 2_000;
const mostExactPairs = 12_000;
/** A gap that is worth the time of the exact solver, as a share of the objective. */
const stuckGap = 0.005;

/**
 * Answer the needs of the fleet, and move what pays for itself, at the lowest cost that the policies allow. What can not be better off anywhere stays and is
 * asked no further (exact: what stays needs no room, so it never depends on others). The rest is solved exactly (HiGHS) where it is small or the other answer
 * is poor, by prices where it is large: two solvers, one choice.
 *
 * @param only when given, datasets outside of it stay as they are
 */
export async function placeFleet(
  snapshot: FleetSnapshot,
  needs: readonly Need[],
  heats: ReadonlyMap<DatasetId, Heat>,
  settings: PlacementSettings,
  risk: RiskSettings = defaultDecisionSettings,
  only?: ReadonlySet<DatasetId>,
  work: PlaceWork = workFor(settings),
): Promise<Plan> {
  const question = askFleet(snapshot, needs, heats, settings, risk, only);
  const { context, wanted, needsOf } = question;
  const priced = byPrices(question, work);
  const { open } = priced;
  const pairs = open.asked.length * open.targets.length;
  const isStuck = priced.placed.gap > stuckGap && pairs <= mostExactPairs && !work.isOver();
  if (pairs > exactPairs && !isStuck) return assemblePlan(context, wanted, needsOf, priced.choice());
  const datasets = [...new Set([...open.unreadable, ...open.asked.map(({ dataset }) => dataset)])];
  return assemblePlan(context, wanted, needsOf, { ...(await chooseExactly(question, datasets)), shadowPrices: shadowPrices(open, priced.placed) });
}

/** The same by prices alone, whatever the size. */
export async function placeByPrices(
  snapshot: FleetSnapshot,
  needs: readonly Need[],
  heats: ReadonlyMap<DatasetId, Heat>,
  settings: PlacementSettings,
  risk: RiskSettings = defaultDecisionSettings,
  only?: ReadonlySet<DatasetId>,
  memory?: PlacementMemory,
): Promise<Plan> {
  const question = askFleet(snapshot, needs, heats, settings, risk, only);
  return assemblePlan(question.context, question.wanted, question.needsOf, byPrices(question, workFor(settings, memory)).choice());
}

export function workFor(settings: PlacementSettings, memory?: PlacementMemory): PlaceWork {
  const untilMs = performance.now() + settings.timeLimitMs;
  return { nowMs: () => performance.now(), isOver: () => performance.now() >= untilMs, ...(memory === undefined ? {} : { memory }) };
}

function byPrices({ context, wanted, needsOf }: FleetQuestion, work: PlaceWork): { open: Questions; placed: PricedPlacement; choice: () => Choice } {
  const startedMs = work.nowMs();
  const open = screen(context, questionsOf(context, wanted, needsOf));
  const from = work.memory?.earlierOf(open) ?? earlierPrices(open, context.snapshot.shadowPrices);
  const placed = placePriced(open.problem, {
    random: seededRandom(1),
    isOver: work.isOver,
    from,
    ...(work.passOver === undefined ? {} : { passOver: work.passOver }),
  });
  work.memory?.keep(open, placed.state);
  const solvedInMs = Math.round(work.nowMs() - startedMs);
  return { open, placed, choice: () => ({ ...chosenOf(context, open, placed, needsOf), solvedInMs, shadowPrices: shadowPrices(open, placed) }) };
}

function shadowPrices({ targets }: Questions, { full }: PricedPlacement): ShadowPrice[] {
  return full.map(({ column, resource, dollarsPerUnit }) => ({ targetId: targets[column]!.targetId, resource, dollarsPerUnit }));
}
