import type { RecordedLife } from '../../agent/src/telemetry/recorded-life.ts';
import type { Store } from '../../control-plane/src/store/database.ts';
import type { DatedJudge } from './open-test-models.ts';
import { ReplayedAgents, type Told } from './replayed-agents.ts';
import { ReplayedFleet, type ReplayOptions } from './replayed-fleet.ts';

/** When a fleet is looked at; days since 1970-01-01. */
export interface Span {
  readonly fromDay: number;
  readonly untilDay: number;
}

/** What the agents of some drives told, day by day; what they told before the first day is told on it, as far as it still holds. */
export type Telling = ReadonlyMap<number, readonly Told[]>;

/** Clocks of all fleets show this at the beginning of the first day: the example price book holds then. */
const dayZeroMs = Date.UTC(2026, 0, 1);
/** A drive that died on the last day is asked so long that it is gone. */
const daysAfter = 3;

/** Let the agents live through the lives, from the first day that any of them recorded. */
export async function letAgentsTell(lives: readonly RecordedLife[], judges: readonly DatedJudge[], { fromDay, untilDay }: Span): Promise<Telling> {
  const agents = new ReplayedAgents(lives, judges, { fromDay, untilDay, dayZeroMs });
  const telling = new Map<number, readonly Told[]>();
  const before = new Map<RecordedLife, Told>();
  for (let day = agents.firstDay; day < untilDay + daysAfter; day++) {
    const told = await agents.day(day);
    if (day >= fromDay) telling.set(day, told);
    else for (const { life, records } of told) before.set(life, { life, records: newest([...(before.get(life)?.records ?? []), ...records]) });
  }
  telling.set(fromDay, [...before.values(), ...(telling.get(fromDay) ?? [])]);
  return telling;
}

/** The last record of each kind, in the order in which kinds are stored. */
function newest(records: Told['records']): Told['records'] {
  return [...new Map(records.map((record) => [record.type, record])).values()];
}

/** Drives that their agents ever judged other than healthy, or that died: about all others no control plane has anything to decide. */
export function drivesWithSigns(telling: Telling): Set<RecordedLife> {
  const found = new Set<RecordedLife>();
  for (const told of telling.values())
    for (const { life, records } of told)
      if (life.failed || records.some((record) => record.type === 'assessment' && record.level !== 'healthy')) found.add(life);
  return found;
}

/** Let one fleet live through the span with what the agents of its drives told. */
export async function replayFleet(
  store: Store,
  lives: readonly RecordedLife[],
  telling: Telling,
  { untilDay, ...options }: ReplayOptions & Span,
): Promise<ReplayedFleet> {
  const fleet = await ReplayedFleet.open(store, lives, options);
  const isOurs = new Set(lives);
  for (let day = options.fromDay; day < untilDay + daysAfter; day++) await fleet.day((telling.get(day) ?? []).filter(({ life }) => isOurs.has(life)));
  await fleet.stop();
  return fleet;
}
