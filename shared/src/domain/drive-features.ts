import { type CountedAttribute, countedAttributes, type DriveHistory } from './drive-history.ts';
import type { DriveMaker } from './drive-makers.ts';

/** What is fixed about a drive. */
export interface DriveKind {
  readonly maker: DriveMaker;
  readonly capacityBytes: number;
}

/** Days over which changes are looked at. */
const windowsDays = [7, 30, 90] as const;
/** Counters of damage: the five of the published rule. */
const damage = [5, 187, 188, 197, 198] as const satisfies readonly CountedAttribute[];
/** Counters that are looked at one by one. Power cycles (12) say more about the host than about the drive, and only count as changes of nothing. */
const single = [5, 10, 187, 188, 189, 196, 197, 198] as const satisfies readonly CountedAttribute[];
/** Damage that grows in steps: its speed and its latest step are looked at closer. */
const growing = [5, 187, 197] as const satisfies readonly CountedAttribute[];

/** The features of a drive, in their order. `smart5.change30` is the change of SMART 5 over 30 days; what was not reported stays missing. */
export const driveFeatureNames: readonly string[] = [
  ...single.flatMap((attribute) => [
    `smart${attribute}`,
    ...windowsDays.map((days) => `smart${attribute}.change${days}`),
    `smart${attribute}.daysSinceRise`,
    `smart${attribute}.rises90`,
  ]),
  ...growing.flatMap((attribute) => [`smart${attribute}.change3`, `smart${attribute}.perHour`, `smart${attribute}.acceleration`, `smart${attribute}.most90`]),
  'powerOnHours',
  'capacityTb',
  'maker.hgst',
  'maker.seagate',
  'maker.wdc',
  'damage.kinds',
  'damage.rising30',
  'damage.size',
  'damage.daysSinceRise',
  'damage.largestStep30',
  ...windowsDays.map((days) => `changes${days}`),
  'daysSinceChange',
];

/** 1 where more of a feature can only mean more risk, -1 where less can, 0 where the data alone says. Physics: damage does not make a drive better. */
export const driveFeatureDirections: readonly number[] = driveFeatureNames.map((name) => {
  if (/^smart(5|10|187|196|197|198)(\.(change\d+|rises90|perHour|most90))?$/.test(name) || /^damage\.(kinds|rising30|size|largestStep30)$/.test(name)) return 1;
  return /^(smart(5|187|197|198)|damage)\.daysSinceRise$/.test(name) ? -1 : 0;
});

const columnOf = new Map<CountedAttribute, number>(countedAttributes.map((attribute, column) => [attribute, column]));

/**
 * What is known of a drive at a moment, for a failure model: last values, changes, times since a counter rose. Nothing later than the moment is looked at.
 *
 * @param day on the time line of the history
 * @param into written from `from` on, `driveFeatureNames.length` numbers; all NaN when nothing was reported until then
 */
export function driveFeatures(history: DriveHistory, kind: DriveKind, day: number, into: Float32Array | Float64Array | number[], from = 0): void {
  const now = new Moment(history, day);
  let at = from;
  const put = (value: number): void => {
    into[at++] = value;
  };
  if (now.last < 0) {
    for (let i = 0; i < driveFeatureNames.length; i++) put(Number.NaN);
    return;
  }
  for (const attribute of single) {
    put(now.value(attribute));
    for (const days of windowsDays) put(now.change(attribute, days));
    put(now.daysSinceRise(attribute));
    put(now.rises90(attribute));
  }
  const hours = now.powerOnHours;
  for (const attribute of growing) {
    put(now.change(attribute, 3));
    put(now.value(attribute) / Math.max(100, hours));
    put(now.change(attribute, 30) - (now.change(attribute, 60) - now.change(attribute, 30)));
    put(now.most90(attribute));
  }
  put(hours);
  put(kind.capacityBytes / 1e12);
  for (const maker of ['hgst', 'seagate', 'wdc'] as const) put(kind.maker === maker ? 1 : 0);
  put(damage.filter((attribute) => now.value(attribute) > 0).length);
  put(damage.filter((attribute) => now.change(attribute, 30) > 0).length);
  put(damage.reduce((sum, attribute) => sum + (now.value(attribute) > 0 ? Math.log1p(now.value(attribute)) : 0), 0));
  put(damage.reduce((least, attribute) => leastKnown(least, now.daysSinceRise(attribute)), Number.NaN));
  put(now.largestStep30());
  for (const days of windowsDays) put(now.changesWithin(days));
  put(day - history.days[now.last]!);
}

function leastKnown(a: number, b: number): number {
  if (Number.isNaN(a)) return b;
  return b < a ? b : a;
}

/** A history as it stood at one moment. */
class Moment {
  /** Place of the newest row; -1 when there is none yet. */
  readonly last: number;
  readonly #history: DriveHistory;
  readonly #day: number;

  constructor(history: DriveHistory, day: number) {
    this.#history = history;
    this.#day = day;
    this.last = this.#placeAt(day, history.days.length - 1);
  }

  /** Hours of operation, counted on since the newest row. */
  get powerOnHours(): number {
    return this.#history.powerOnHours[this.last]! + (this.#day - this.#history.days[this.last]!) * 24;
  }

  value(attribute: CountedAttribute): number {
    return this.#column(attribute)[this.last]!;
  }

  /** Against what held so many days ago; where it was not reported then, or the drive not watched, against the first value known. */
  change(attribute: CountedAttribute, days: number): number {
    const column = this.#column(attribute);
    let place = Math.max(0, this.#placeAt(this.#day - days, this.last));
    while (place < this.last && Number.isNaN(column[place])) place++;
    return column[this.last]! - column[place]!;
  }

  /** NaN when it never rose while the drive was watched. */
  daysSinceRise(attribute: CountedAttribute): number {
    const column = this.#column(attribute);
    for (let place = this.last; place > 0; place--) if (column[place]! > column[place - 1]!) return this.#day - this.#history.days[place]!;
    return Number.NaN;
  }

  rises90(attribute: CountedAttribute): number {
    const column = this.#column(attribute);
    if (Number.isNaN(column[this.last])) return Number.NaN;
    let rises = 0;
    for (let place = this.last; place > 0 && this.#history.days[place]! > this.#day - 90; place--) if (column[place]! > column[place - 1]!) rises++;
    return rises;
  }

  /** The highest value that held within 90 days: pending sectors go away when they are replaced. */
  most90(attribute: CountedAttribute): number {
    const column = this.#column(attribute);
    let most = column[this.last]!;
    for (let place = this.last - 1; place >= 0 && this.#history.days[place + 1]! > this.#day - 90; place--) if (column[place]! > most) most = column[place]!;
    return most;
  }

  largestStep30(): number {
    let largest = 0;
    for (let place = this.last; place > 0 && this.#history.days[place]! > this.#day - 30; place--) {
      for (const attribute of growing) {
        const column = this.#column(attribute);
        const step = column[place]! - column[place - 1]!;
        if (step > largest) largest = step;
      }
    }
    return largest;
  }

  changesWithin(days: number): number {
    return this.last - Math.max(0, this.#placeAt(this.#day - days, this.last));
  }

  #column(attribute: CountedAttribute): readonly number[] {
    return this.#history.counts[columnOf.get(attribute)!]!;
  }

  #placeAt(day: number, from: number): number {
    let place = from;
    while (place >= 0 && this.#history.days[place]! > day) place--;
    return place;
  }
}
