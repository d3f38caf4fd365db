import type { TargetId } from '@data-in-motion/shared/domain/ids';
import type { DatasetFacts, ReplicaFacts } from '../fleet/snapshot.ts';
import { bytesText, msText, priceText } from '../fleet/words.ts';
import type { ExpectedUse } from '../heat/expected-use.ts';
import type { AskContext } from './asks.ts';
import { chooseOne, type OneChoice, targetOfChoice } from './choose-one.ts';
import { slackOf } from './objective.ts';
import { type CopyPlaces, placesOfCopy } from './places-of-copy.ts';

/** How far a price, a promise or the use can change before the copy would be elsewhere. */
export interface Flip {
  readonly of: 'storage-price' | 'latency-slo' | 'reads';
  /** Whose price. */
  readonly targetId: TargetId | null;
  readonly direction: 'above' | 'below';
  /** US dollars per GB and month, milliseconds, or reads per month; null for a latency that is not promised. */
  readonly now: number | null;
  readonly at: number;
  /** What becomes of the copy beyond it: it goes or stays there, or leaves its readers to the copy there; null where no place is left. */
  readonly kind: OneChoice['kind'];
  readonly becomes: TargetId | null;
  readonly text: string;
}

/** The fleet as it would be with one figure changed. */
interface Dial {
  readonly now: number;
  readonly at: (value: number) => CopyPlaces | null;
}

/**
 * Where the choice for one copy flips, while everything else stays as it is. Every part of the objective is linear in a price and in the reads, so the
 * values at which two places are equal are exact; between two of these the choice is made anew, so that rules (a highest price, a latency) count too.
 * What is judged of the drives stays too, although what emptying one costs depends on the price of its place.
 */
export function flipsOf(context: AskContext, dataset: DatasetFacts, replica: ReplicaFacts, use: ExpectedUse): Flip[] {
  const { snapshot } = context;
  // Only this dataset is asked about: a fleet of a hundred thousand is not indexed anew for every value.
  const alone = { ...context, snapshot: { ...snapshot, datasets: [dataset], jobs: snapshot.jobs.filter((job) => job.datasetId === dataset.datasetId) } };
  const places = placesOfCopy(alone, dataset, replica, use);
  if (places === null || chooseOne(places).kind === 'let-go') return [];
  const next = [...places.others].sort((a, b) => a.objective - b.objective).find(({ obstacles }) => obstacles.length === 0);
  const priced = [places.here, ...(next === undefined ? [] : [next])].filter(({ target }) => target.prices !== null);
  return [
    ...priced.flatMap(({ target }) => priceFlips(alone, dataset, replica, use, target.targetId, target.prices!.storagePerGbMonth)),
    ...(places.role === 'primary' ? [...latencyFlips(alone, places, use), ...readFlips(alone, places, use)] : []),
  ];
}

function priceFlips(context: AskContext, dataset: DatasetFacts, replica: ReplicaFacts, use: ExpectedUse, targetId: TargetId, now: number): Flip[] {
  const at = (value: number): CopyPlaces | null => {
    const targets = context.snapshot.targets.map((target) =>
      target.targetId === targetId && target.prices !== null ? { ...target, prices: { ...target.prices, storagePerGbMonth: value } } : target,
    );
    return placesOfCopy({ ...context, snapshot: { ...context.snapshot, targets } }, dataset, replica, use);
  };
  const cap = dataset.policy.maxCostPerGbMonth;
  const dial = { now, at };
  return bothWays(dial, [...equalities(dial, now + 1), ...(cap === null ? [] : [cap])]).map((found) => ({
    of: 'storage-price',
    targetId,
    now,
    ...found,
    text: `${found.direction} ${priceText(found.at)} per GB and month on ${targetId} (now ${priceText(now)}) ${thenText(found)}`,
  }));
}

function latencyFlips(context: AskContext, places: CopyPlaces, use: ExpectedUse): Flip[] {
  const { dataset, replica } = places;
  const promised = dataset.policy.latencySloMs;
  const measured = [places.here, ...places.others].flatMap(({ target }) => target.latencyP95Ms ?? []);
  const at = (value: number): CopyPlaces | null => placesOfCopy(context, { ...dataset, policy: { ...dataset.policy, latencySloMs: value } }, replica, use);
  // Nothing is promised: it begins with a promise that every measured place keeps. Where that alone changes the choice (a place that was never measured), no value does.
  const dial: Dial = { now: promised ?? 2 * Math.max(0, ...measured), at };
  if (choiceAt(dial, dial.now).becomes !== targetOfChoice(places, chooseOne(places))) return [];
  return bothWays(dial, measured).map((found) => ({
    of: 'latency-slo',
    targetId: null,
    now: promised,
    ...found,
    text: `${found.direction === 'below' ? `with less than ${msText(found.at)}` : `with ${msText(found.at)} or more`} of latency promised (now ${promised === null ? 'nothing' : msText(promised)}) ${thenText(found)}`,
  }));
}

/** Each read is taken to be as large as now; where nobody reads now, an object of the mean size. */
function readFlips(context: AskContext, places: CopyPlaces, use: ExpectedUse): Flip[] {
  const { dataset, replica } = places;
  const now = use.readsPerMonth;
  const bytesPerRead = now > 0 ? use.readBytesPerMonth / now : dataset.sizeBytes / Math.max(1, dataset.objects);
  const dial: Dial = {
    now,
    at: (value) => placesOfCopy(context, dataset, replica, { readsPerMonth: value, readBytesPerMonth: value * bytesPerRead }),
  };
  return bothWays(dial, equalities(dial, now + 1000)).map((found) => ({
    of: 'reads',
    targetId: null,
    now,
    ...found,
    text: `${found.direction} ${wholeText(found.at)} reads a month (now ${wholeText(now)}), each of ${bytesText(bytesPerRead)}, ${thenText(found)}`,
  }));
}

/** The values at which another place costs as much as this one or as the one that is chosen, or as much less as a move asks; found from two values, since all is linear. */
function equalities(dial: Dial, other: number): number[] {
  const [first, second] = [dial.at(dial.now), dial.at(other)];
  if (first === null || second === null) return [];
  const choice = chooseOne(first);
  const chosen = choice.kind === 'goes' ? first.others.indexOf(choice.to) : -1;
  // What a price does to the rules is its cap, which is among the values anyway: other places stay forbidden whatever they cost.
  const open = first.others.flatMap(({ obstacles }, index) => (obstacles.every(({ rule }) => rule === 'max-cost') ? [index] : []));
  const differences = (places: CopyPlaces): number[] =>
    open.flatMap((index) => {
      const place = places.others[index]!;
      const { overWay, overMargin } = slackOf(places.here.parts, place.parts, places.marginPerMonth);
      return [overWay, overMargin, chosen < 0 ? 0 : place.objective - places.others[chosen]!.objective];
    });
  const later = differences(second);
  // Two places that a figure changes alike differ by the dust of binary fractions only.
  const dust = 1e-12 * (Math.abs(first.here.objective) + Math.abs(second.here.objective));
  return differences(first).flatMap((value, index) => {
    const rise = later[index]! - value;
    return Math.abs(rise) <= dust ? [] : [dial.now - (value * (other - dial.now)) / rise];
  });
}

interface Found {
  readonly direction: Flip['direction'];
  readonly at: number;
  readonly kind: OneChoice['kind'];
  readonly becomes: TargetId | null;
}

function bothWays(dial: Dial, candidates: readonly number[]): Found[] {
  const positive = candidates.filter((value) => Number.isFinite(value) && value > 0);
  const up = [...new Set(positive.filter((value) => value > dial.now))].sort((a, b) => a - b);
  const down = [...new Set(positive.filter((value) => value < dial.now))].sort((a, b) => b - a);
  return [...firstChange(dial, up, 'above'), ...firstChange(dial, down, 'below')];
}

/** The first of the values, walking away from the present one, beyond which the choice is another than now. */
function firstChange(dial: Dial, values: readonly number[], direction: Flip['direction']): Found[] {
  const now = choiceAt(dial, dial.now);
  for (const [index, at] of values.entries()) {
    const beyond = values[index + 1] ?? (direction === 'above' ? at * 2 : 0);
    const found = choiceAt(dial, (at + beyond) / 2);
    if (found.becomes !== now.becomes) return [{ direction, at, ...found }];
  }
  return [];
}

function choiceAt(dial: Dial, value: number): Pick<Found, 'kind' | 'becomes'> {
  const places = dial.at(value);
  if (places === null) return { kind: 'nowhere', becomes: null };
  const choice = chooseOne(places);
  return { kind: choice.kind, becomes: targetOfChoice(places, choice) };
}

function thenText({ kind, becomes }: Found): string {
  if (becomes === null) return 'it has no place left';
  return kind === 'hands-over' ? `readers are sent to the copy on ${becomes}` : `its place is ${becomes}`;
}

function wholeText(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}
