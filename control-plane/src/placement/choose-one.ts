import type { TargetId } from '@data-in-motion/shared/domain/ids';
import { asHeldBy, freeBytes } from '../fleet/lookup.ts';
import type { PolicyRule } from '../policy/violations.ts';
import { pays } from './objective.ts';
import type { CopyPlaces, Obstacle, Place } from './places-of-copy.ts';

/** What becomes of one copy: it stays, goes to a place, leaves its readers to a copy that is fast enough, is let go, or should go and can not. */
export type OneChoice =
  | { readonly kind: 'stays' }
  | { readonly kind: 'goes'; readonly to: Place }
  | { readonly kind: 'hands-over'; readonly to: TargetId }
  | { readonly kind: 'let-go' }
  | { readonly kind: 'nowhere' };

/** A rule that is let go of: everywhere, or, what is wrong with a drive or a place, there alone where the copy is, or there alone where it is not. */
export interface LetGo {
  readonly rule: PolicyRule;
  readonly at: 'everywhere' | 'here' | 'elsewhere';
}

/**
 * What is best for one copy while all others stay where they are: the rule by which the solver chooses for all of them together.
 * A copy that stands well goes only where the move pays; one that has to leave goes to the best place that is left.
 */
export function chooseOne(places: CopyPlaces, without: LetGo | null = null): OneChoice {
  const { here, need, isPinned, faster, marginPerMonth } = places;
  if (need?.answer === 'drop') return { kind: 'let-go' };
  const open = othersWithout(places, without).filter((place) => hindering(places, place, without).length === 0);
  const best = open.sort((a, b) => a.objective - b.objective || (a.target.targetId < b.target.targetId ? -1 : 1));
  if (hindering(places, here, without).length > 0) {
    // What has to move anyway goes where a person wants a copy, if it may.
    const to = best.find(({ target }) => without?.rule !== 'pinned-targets' && places.dataset.policy.pinnedTargets.includes(target.targetId)) ?? best[0];
    return to === undefined ? { kind: 'nowhere' } : { kind: 'goes', to };
  }
  if (faster !== null && without?.rule !== 'latency-slo') return { kind: 'hands-over', to: faster };
  if (isPinned && without?.rule !== 'pinned-targets') return { kind: 'stays' };
  const better = best.find((place) => pays(here.parts, place.parts, marginPerMonth));
  return better === undefined ? { kind: 'stays' } : { kind: 'goes', to: better };
}

/** Without what has it leave its drive or place, a copy is one to read like any other, which may make ways cheaper. */
function othersWithout({ here, others, othersOnceItCounts }: CopyPlaces, without: LetGo | null): readonly Place[] {
  const drains = here.obstacles.filter(({ rule }) => rule === 'risky-device' || rule === 'not-usable');
  return without?.at === 'here' && drains.every(({ rule }) => rule === without.rule) ? (othersOnceItCounts ?? others) : others;
}

/** What would still be in the way with one rule let go of. How full a place is that can not be used is looked at only now: it may never have been told. */
function hindering({ dataset, replica, here }: CopyPlaces, place: Place, without: LetGo | null): readonly Obstacle[] {
  if (without === null || without.at === (place === here ? 'elsewhere' : 'here')) return place.obstacles;
  const left = place.obstacles.filter(({ rule }) => rule !== without.rule);
  const isFull = place !== here && without.rule === 'not-usable' && freeBytes(place.target) < asHeldBy(dataset, replica).sizeBytes;
  return isFull ? [...left, { rule: 'capacity', text: `${place.target.targetId} has no room` }] : left;
}

/** What the copy costs under a choice, dollars per month with the way there; infinite where it should go and can not, null where it goes away. */
export function objectiveOfChoice(places: CopyPlaces, choice: OneChoice): number | null {
  if (choice.kind === 'goes') return choice.to.objective;
  if (choice.kind === 'nowhere') return Number.POSITIVE_INFINITY;
  return choice.kind === 'stays' ? places.here.objective : null;
}

/** Where the copy is after a choice; null where it has no place. */
export function targetOfChoice(places: CopyPlaces, choice: OneChoice): TargetId | null {
  if (choice.kind === 'goes') return choice.to.target.targetId;
  if (choice.kind === 'hands-over') return choice.to;
  return choice.kind === 'stays' ? places.here.target.targetId : null;
}
