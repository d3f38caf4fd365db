import { ManualClock } from '@data-in-motion/shared/clock';
import { dateOfDay } from '@data-in-motion/shared/domain/calendar-days';
import type { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import type { AgentRecord } from '@data-in-motion/shared/protocol/records';
import { ReplayProbe } from '../../agent/src/telemetry/probes/replay.ts';
import { ReadingHistory } from '../../agent/src/telemetry/reading-history.ts';
import type { RecordedLife } from '../../agent/src/telemetry/recorded-life.ts';
import { samplerDefaults } from '../../agent/src/telemetry/sampler.ts';
import { DeviceWatch } from '../../agent/src/telemetry/watch-devices.ts';
import type { DatedJudge } from './open-test-models.ts';

const dayMs = 86_400_000;
/** A drive of which nothing changes is read this often, all on the same day; in earnest every ten minutes, which tells nothing more. */
export const readEveryDays = 7;
/** So often a dead drive is asked: then it is gone. */
const unansweredUntilGone = 3;

/** What the agent of one drive told on one day. */
export interface Told {
  readonly life: RecordedLife;
  readonly records: readonly AgentRecord[];
}

/**
 * The agents of replayed drives, on one calendar: the replay probe answers, the agent's own code keeps the history, judges and decides what to tell.
 * A drive is read on every day on which its recording changes, once a week, when another model is active, and when it stopped answering.
 */
export class ReplayedAgents {
  readonly #clock: ManualClock;
  readonly #watches: ReadonlyMap<DeviceId, { readonly life: RecordedLife; readonly watch: DeviceWatch; readonly told: AgentRecord[] }>;
  readonly #readOn = new Map<number, Set<DeviceId>>();
  readonly #signal = new AbortController().signal;
  #judge: FailureJudge | null = null;

  /** @param dayZeroMs the instant that the clocks of the fleet show at the beginning of `fromDay` */
  constructor(
    lives: readonly RecordedLife[],
    judges: readonly DatedJudge[],
    calendar: { readonly fromDay: number; readonly untilDay: number; readonly dayZeroMs: number },
  ) {
    const firstDay = Math.min(calendar.fromDay, ...lives.map((life) => life.firstDay));
    this.#clock = new ManualClock(calendar.dayZeroMs - (calendar.fromDay - firstDay) * dayMs);
    this.firstDay = firstDay;
    this.#watches = new Map(lives.map((life) => [life.device.deviceId, this.#watchOf(life, dateOfDay(firstDay))]));
    for (const life of lives)
      for (const day of daysToRead(life, judges, calendar)) this.#readOn.set(day, (this.#readOn.get(day) ?? new Set()).add(life.device.deviceId));
    this.#judges = judges;
  }

  readonly firstDay: number;
  readonly #judges: readonly DatedJudge[];

  #watchOf(life: RecordedLife, startDay: string) {
    const told: AgentRecord[] = [];
    const clock = this.#clock;
    const source = { kind: 'daily', file: life.device.path } as const;
    const probe = new ReplayProbe([life], { source, drives: null, secondsPerDay: dayMs / 1_000, startDay, stateFile: null }, clock);
    const watch = new DeviceWatch({
      probe,
      history: new ReadingHistory(null),
      tell: (records) => void told.push(...records),
      note: () => {},
      clock,
      model: () => this.#judge,
      settings: samplerDefaults,
    });
    return { life, watch, told };
  }

  /** Read what is to be read on a day; days must come one after the other from `firstDay` on. */
  async day(day: number): Promise<Told[]> {
    await this.#clock.advance((day - this.firstDay) * dayMs - this.#passedMs);
    this.#passedMs = (day - this.firstDay) * dayMs;
    this.#judge = this.#judges.findLast((one) => one.fromDay <= day)?.judge ?? this.#judges[0]?.judge ?? null;
    const told: Told[] = [];
    for (const deviceId of this.#readOn.get(day) ?? []) {
      const one = this.#watches.get(deviceId)!;
      await one.watch.pass(this.#signal);
      told.push({ life: one.life, records: one.told.splice(0) });
    }
    return told;
  }
  #passedMs = 0;
}

function daysToRead(
  life: RecordedLife,
  judges: readonly DatedJudge[],
  { fromDay, untilDay }: { readonly fromDay: number; readonly untilDay: number },
): Set<number> {
  const lastDay = Math.min(life.lastDay, untilDay);
  const days = new Set([life.firstDay, ...life.points.map((point) => point.day), ...judges.map((one) => one.fromDay)]);
  for (let day = fromDay; day <= lastDay; day += readEveryDays) days.add(day);
  for (const day of days) if (day < life.firstDay || day > lastDay) days.delete(day);
  if (life.failed) for (let after = 1; after <= unansweredUntilGone; after++) days.add(life.lastDay + after);
  return days;
}
