import type { DatasetId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import { daysPerMonth } from '../fleet/copy-cost.ts';
import { asHeldBy, domainOf, indexOf } from '../fleet/lookup.ts';
import type { DatasetFacts, ReplicaFacts } from '../fleet/snapshot.ts';
import { dollarsText } from '../fleet/words.ts';
import { expectedUse } from '../heat/expected-use.ts';
import type { AskContext } from './asks.ts';
import { type BindingRule, bindingRule, nothingBinds } from './binding-rule.ts';
import { chooseOne, type OneChoice, targetOfChoice } from './choose-one.ts';
import { perMonth, replicaCost } from './cost.ts';
import { type Flip, flipsOf } from './flips.ts';
import { type Hold, holdOf } from './hold.ts';
import type { ObjectiveParts } from './objective.ts';
import { type CopyPlaces, domainsOfOthers, type Place, placesOfCopy } from './places-of-copy.ts';
import type { CostParts } from './plan.ts';

/** One other place a copy could be, and what would be different there. Dollars; positive differences are dearer or slower there. */
export interface Alternative {
  readonly targetId: TargetId;
  readonly allowed: boolean;
  /** The rules that forbid it, by name, and in words. */
  readonly violates: readonly string[];
  readonly because: readonly string[];
  readonly cost: CostParts;
  readonly parts: ObjectiveParts;
  readonly objectivePerMonth: number;
  readonly objectiveDifferencePerMonth: number;
  /** What would be billed there, without readers' waiting and the way there, and against here. */
  readonly totalPerMonth: number;
  readonly differencePerMonth: number;
  readonly latencyP95Ms: number | null;
  readonly latencyDifferenceMs: number | null;
  /** Until what it saves has paid the way there; null where it saves nothing. */
  readonly paybackDays: number | null;
}

/** Why a copy is where it is. */
export interface Explanation {
  readonly why: string;
  readonly cost: CostParts;
  /** Every part of what is minimised, at its place; they add up to `objectivePerMonth`. */
  readonly parts: ObjectiveParts;
  readonly objectivePerMonth: number;
  readonly latencyP95Ms: number | null;
  /** What the next plan would do with it, all other copies staying where they are, and where it is then. */
  readonly choice: OneChoice['kind'];
  readonly chosenTargetId: TargetId | null;
  readonly hold: Hold | null;
  readonly binding: BindingRule | null;
  /** The binding rule in words, or why none binds. */
  readonly bindingText: string;
  /** All other places: the allowed ones first, the best first. */
  readonly alternatives: readonly Alternative[];
  readonly flips: readonly Flip[];
}

/** Why a copy is where it is, what it costs there, what binds it there, what every other place would cost, and what would have to change. Null when it is not in the snapshot. */
export function explainReplica(context: AskContext, datasetId: DatasetId, replicaId: ReplicaId): Explanation | null {
  const places = findPlaces(context, datasetId, replicaId);
  if (places === null) return null;
  const { dataset, replica, here } = places;
  const use = expectedUse(context.heats.get(datasetId));
  const choice = chooseOne(places);
  const stands = standsWell(context, places);
  const binding = stands ? bindingRule(places) : null;
  return {
    why: whyHere(context, places),
    cost: billAt(context, places, here),
    parts: here.parts,
    objectivePerMonth: here.objective,
    latencyP95Ms: here.target.latencyP95Ms,
    choice: stands ? choice.kind : 'let-go',
    chosenTargetId: stands ? targetOfChoice(places, choice) : null,
    hold: stands ? holdOf(context, places, choice) : null,
    binding,
    bindingText: binding?.text ?? (stands ? nothingBinds(places) : ''),
    alternatives: places.others.map((place) => alternative(context, places, place)).sort(bestFirst),
    flips: stands ? flipsOf(context, dataset, replica, use) : [],
  };
}

/** Only the first sentence; for lists of copies. Null when the copy is not in the snapshot. */
export function whyReplica(context: AskContext, datasetId: DatasetId, replicaId: ReplicaId): string | null {
  const places = findPlaces(context, datasetId, replicaId);
  return places === null ? null : whyHere(context, places);
}

function findPlaces(context: AskContext, datasetId: DatasetId, replicaId: ReplicaId): CopyPlaces | null {
  const dataset = indexOf(context.snapshot).datasets.get(datasetId);
  const replica = dataset?.replicas.find((each) => each.replicaId === replicaId);
  return dataset === undefined || replica === undefined ? null : placesOfCopy(context, dataset, replica, expectedUse(context.heats.get(datasetId)));
}

function billAt({ heats }: AskContext, { dataset, replica, role }: CopyPlaces, place: Place): CostParts {
  return { ...replicaCost(place.target, role, asHeldBy(dataset, replica), expectedUse(heats.get(dataset.datasetId))), migrationOnce: place.migrationOnce };
}

function alternative(context: AskContext, places: CopyPlaces, place: Place): Alternative {
  const { here } = places;
  const cost = billAt(context, places, place);
  const saving = here.lasting - place.lasting;
  const { latencyP95Ms } = place.target;
  const measured = latencyP95Ms !== null && here.target.latencyP95Ms !== null;
  return {
    targetId: place.target.targetId,
    allowed: place.obstacles.length === 0,
    violates: place.obstacles.map(({ rule }) => rule),
    because: place.obstacles.map(({ text }) => text),
    cost,
    parts: place.parts,
    objectivePerMonth: place.objective,
    objectiveDifferencePerMonth: place.objective - here.objective,
    totalPerMonth: perMonth(cost),
    differencePerMonth: perMonth(cost) - perMonth(billAt(context, places, here)),
    latencyP95Ms,
    latencyDifferenceMs: measured ? latencyP95Ms - here.target.latencyP95Ms! : null,
    paybackDays: saving > 0 ? (place.migrationOnce / saving) * daysPerMonth : null,
  };
}

/** What could be had comes before what could not; a place without a price, which counts as free, comes last. */
function bestFirst(a: Alternative, b: Alternative): number {
  const unpriced = (one: Alternative): number => Number(one.violates.includes('price-unknown'));
  return Number(b.allowed) - Number(a.allowed) || unpriced(a) - unpriced(b) || a.objectivePerMonth - b.objectivePerMonth || (a.targetId < b.targetId ? -1 : 1);
}

/** Whether the copy is one that plans count on: whole, of the current version, and not on its way out by a job. */
function standsWell({ snapshot }: AskContext, { dataset, replica }: CopyPlaces): boolean {
  const leaving = snapshot.jobs.some((job) => job.fromReplicaId === replica.replicaId && (job.purpose === 'move' || job.purpose === 'retire'));
  return replica.state === 'verified' && replica.versionId === dataset.versionId && !leaving;
}

function whatItIs(context: AskContext, { dataset, replica, role, here }: CopyPlaces): string {
  if (role === 'primary') return 'the primary: readers use it';
  const { spread } = dataset.policy;
  return domainsOfOthers(context, dataset, replica).has(domainOf(here.target, spread))
    ? `another copy is at the same ${spread}, which the policy does not want: one of them leaves`
    : `a copy at another ${spread} than the others`;
}

function whyHere(context: AskContext, places: CopyPlaces): string {
  const { dataset, replica, here, need } = places;
  if (isOfOtherVersion(dataset, replica)) return 'a copy of an older version: it leaves once the current one has its copies';
  const health = context.health.get(replica.targetId);
  if (health?.drain === true) return `it is about to leave: ${health.reason}`;
  if (need !== null && here.obstacles.some(({ rule }) => rule !== 'spread')) return `it is to leave: ${need.reason}`;
  const what = whatItIs(context, places);
  if (health?.evacuation != null) return `${what}. ${health.reason}`;
  return `${what}. ${priceHere(context, places)}`;
}

function isOfOtherVersion(dataset: DatasetFacts, replica: ReplicaFacts): boolean {
  return replica.versionId !== dataset.versionId;
}

/** What it costs against the places that it may go to, and why it is not at the cheapest where it is not. */
function priceHere(context: AskContext, places: CopyPlaces): string {
  const { here, others } = places;
  const bill = (place: Place): number => perMonth(billAt(context, places, place));
  const price = dollarsText(bill(here));
  const allowed = others.filter(({ obstacles }) => obstacles.length === 0).sort((a, b) => bill(a) - bill(b));
  const cheapest = allowed[0];
  if (cheapest === undefined) return `Policy and room allow no other place; here it costs ${price} a month`;
  const choice = chooseOne(places);
  const hold = holdOf(context, places, choice);
  if (choice.kind === 'goes') {
    const to = choice.to.target.targetId;
    return `It costs ${price} a month; ${to} would be better by ${dollarsText(here.lasting - choice.to.lasting)} a month, and ${hold === null ? 'the next plan moves it' : `yet ${hold.text}`}`;
  }
  if (hold !== null) return `It costs ${price} a month; ${hold.text}`;
  if (bill(cheapest) >= bill(here)) return `Of ${allowed.length + 1} places that policy allows this is the cheapest, ${price} a month`;
  const saves = `It costs ${price} a month; ${cheapest.target.targetId} would save ${dollarsText(bill(here) - bill(cheapest))}`;
  const lost = cheapest.parts.waitingPerMonth - here.parts.waitingPerMonth;
  return lost > 0 ? `${saves}, but its readers would wait longer, which is worth ${dollarsText(lost)} a month` : saves;
}
