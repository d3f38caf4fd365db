import type { TargetId } from '@data-in-motion/shared/domain/ids';
import { freeBytes } from '../fleet/lookup.ts';
import { bytesText, dollarsText, msText, priceText } from '../fleet/words.ts';
import type { PolicyRule } from '../policy/violations.ts';
import { chooseOne, objectiveOfChoice, targetOfChoice } from './choose-one.ts';
import { pays } from './objective.ts';
import type { CopyPlaces, Place } from './places-of-copy.ts';

/** The one rule that keeps a copy from a better place: without it, and with all else as it is, the choice would be another. */
export interface BindingRule {
  readonly rule: PolicyRule;
  /** Where the copy would be without the rule. */
  readonly opens: TargetId;
  /** What that would save every month, readers' waiting included, dollars; null where there is no place at all now. */
  readonly savesPerMonth: number | null;
  /** How much room is missing there; null where that is not the rule. */
  readonly missingBytes: number | null;
  readonly text: string;
}

/**
 * Which rule binds: each is let go of in turn and the place chosen anew; the one that saves most is named.
 * Null where no single rule makes a difference.
 */
export function bindingRule(places: CopyPlaces): BindingRule | null {
  const now = chooseOne(places);
  const before = objectiveOfChoice(places, now);
  if (before === null) return null;
  const rules = new Set([places.here, ...places.others].flatMap((place) => place.obstacles.map(({ rule }) => rule)));
  if (places.isPinned) rules.add('pinned-targets');
  const found = [...rules].flatMap((rule) => {
    // What a place without a price costs can not be said.
    if (rule === 'holds-a-copy' || rule === 'price-unknown') return [];
    const isOfPlace = rule === 'risky-device' || rule === 'not-usable';
    return (isOfPlace ? (['here', 'elsewhere'] as const) : (['everywhere'] as const)).flatMap((at) => {
      const choice = chooseOne(places, { rule, at });
      const after = objectiveOfChoice(places, choice);
      const opens = targetOfChoice(places, choice);
      // That it would go elsewhere, only because it could be read again, is not said.
      const isMeant = at !== 'here' || opens === places.here.target.targetId;
      return after !== null && opens !== null && after < before && isMeant ? [{ rule, opens, after }] : [];
    });
  });
  const best = found.sort((a, b) => a.after - b.after || (a.rule < b.rule ? -1 : 1))[0];
  if (best === undefined) return null;
  const place = [places.here, ...places.others].find(({ target }) => target.targetId === best.opens)!;
  const savesPerMonth = now.kind === 'nowhere' ? null : (now.kind === 'goes' ? now.to.lasting : places.here.lasting) - place.lasting;
  const missingBytes = best.rule === 'capacity' ? places.dataset.sizeBytes - freeBytes(place.target) : null;
  const saves =
    place === places.here
      ? 'it would stay here'
      : savesPerMonth === null
        ? `it would have a place on ${best.opens}`
        : `it would be on ${best.opens}, which saves ${dollarsText(savesPerMonth)} a month`;
  return { rule: best.rule, opens: best.opens, savesPerMonth, missingBytes, text: `${ruleText(places, place, best.rule, missingBytes)}: without it, ${saves}` };
}

/** Where no single rule binds: what would be cheaper still, and why not. */
export function nothingBinds(places: CopyPlaces): string {
  const away = places.here.obstacles.map(({ rule }) => rule).join(' and ');
  if (away !== '') return `no single rule binds: ${away} would have it leave${chooseOne(places).kind === 'nowhere' ? ', and no other place is allowed' : ''}`;
  const possible = places.others.filter(({ obstacles, target }) => target.prices !== null && !obstacles.some(({ rule }) => rule === 'holds-a-copy'));
  const cheapest = [...possible].sort((a, b) => a.objective - b.objective)[0];
  if (cheapest === undefined) return 'no rule binds: there is no other place';
  const behind = cheapest.obstacles.map(({ rule }) => rule);
  const saves = dollarsText(places.here.lasting - cheapest.lasting);
  if (pays(places.here.parts, cheapest.parts, places.marginPerMonth) && behind.length > 1)
    return `no single rule binds: ${cheapest.target.targetId} would save ${saves} a month, but ${behind.join(' and ')} forbid it together`;
  if (possible.some((place) => place.lasting < places.here.lasting)) return 'no rule binds: none keeps it from a move that would pay';
  return 'no rule binds: of all places this is the best';
}

/** The rule with the value that clashes. */
function ruleText(places: CopyPlaces, place: Place, rule: PolicyRule, missingBytes: number | null): string {
  const { policy } = places.dataset;
  if (rule === 'latency-slo') return `the latency of at most ${msText(policy.latencySloMs ?? 0)}`;
  if (rule === 'max-cost') return `the price of at most ${priceText(policy.maxCostPerGbMonth ?? 0)} per GB and month`;
  if (rule === 'region') return `the regions ${policy.regions.join(', ')}`;
  if (rule === 'encryption') return 'the encryption that is required';
  if (rule === 'forbidden-target') return 'the targets that are forbidden';
  if (rule === 'pinned-targets') return `the pin to ${policy.pinnedTargets.join(', ')}`;
  if (rule === 'spread') return `the distance of a ${policy.spread} between copies`;
  if (rule === 'capacity') return `the room: ${bytesText(missingBytes ?? 0)} more are needed on ${place.target.targetId}`;
  return place.obstacles.find((obstacle) => obstacle.rule === rule)?.text ?? rule;
}
