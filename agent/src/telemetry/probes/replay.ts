import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '@data-in-motion/shared/clock';
import { dateOfDay, dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import type { DeviceIdentity, Reading } from '@data-in-motion/shared/domain/device';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { Failure } from '@data-in-motion/shared/failure';
import { z } from 'zod';
import { type DeviceProbe, silentReading } from '../device-probe.ts';
import type { LifeSource } from '../read-lives.ts';
import { answerOn, type RecordedLife, type RecordedPoint } from '../recorded-life.ts';

export interface ReplaySettings {
  readonly source: LifeSource;
  /** Serial numbers (`drive_id` in change points) of the drives in this host; null: all of the file. */
  readonly drives: readonly string[] | null;
  /** Wall time for one recorded day. */
  readonly secondsPerDay: number;
  /** `YYYY-MM-DD` of the recording; null: the first day on which any of the drives answered. */
  readonly startDay: string | null;
  /** Where the position is kept over restarts; null: every start begins at `startDay`. */
  readonly stateFile: string | null;
}

const savedPosition = z.object({ day: z.number().finite() });

/**
 * Plays recorded lives of drives at a chosen pace. All drives of one probe share one calendar; a drive is listed from its first recorded day on,
 * a drive that failed does not answer any more after its last one, and a drive whose recording ends keeps its last values.
 * While the agent is down the calendar stands still: the next start goes on with the day the last one ended in.
 */
export class ReplayProbe implements DeviceProbe {
  readonly source = 'replay';
  /** Twice a recorded day, so that no day is missed by a late timer. */
  readonly readEveryMs: number;
  readonly #lives: ReadonlyMap<DeviceId, RecordedLife>;
  readonly #settings: ReplaySettings;
  readonly #clock: Clock;
  readonly #startDay: number;
  readonly #startedMs: number;
  readonly #degraded = new Map<DeviceId, { sinceDay: number; pace: number }>();
  #savedDay: number;

  /** @throws Failure `refused` when the recording can not be read, is empty or the pace is not above zero */
  static async open(settings: ReplaySettings, clock: Clock): Promise<ReplayProbe> {
    // What reads recordings is loaded where there is one.
    const { readLives } = await import('../read-lives.ts');
    const lives = await readLives(settings.source, settings.drives);
    if (lives.length === 0) throw new Failure('refused', { code: 'replay.empty', message: 'the recording has none of the drives to replay' });
    return new ReplayProbe(lives, settings, clock);
  }

  constructor(lives: readonly RecordedLife[], settings: ReplaySettings, clock: Clock) {
    if (!(settings.secondsPerDay > 0)) throw new Failure('refused', { code: 'replay.pace', message: 'secondsPerDay must be above zero' });
    this.#lives = new Map(lives.map((life) => [life.device.deviceId, life]));
    this.#settings = settings;
    this.#clock = clock;
    this.readEveryMs = Math.max(50, (settings.secondsPerDay * 1_000) / 2);
    this.#startDay = savedDay(settings.stateFile) ?? firstDay(lives, settings.startDay);
    this.#savedDay = this.#startDay;
    this.#startedMs = clock.monotonicMs();
  }

  /** The day that is being played, with its fraction; days since 1970-01-01. */
  get day(): number {
    return this.#startDay + (this.#clock.monotonicMs() - this.#startedMs) / (this.#settings.secondsPerDay * 1_000);
  }

  discover(): Promise<DeviceIdentity[]> {
    const today = Math.floor(this.day);
    return Promise.resolve([...this.#lives.values()].filter((life) => life.firstDay <= today).map((life) => life.device));
  }

  read(device: DeviceIdentity): Promise<Reading> {
    const day = this.day;
    this.#save(day);
    const life = this.#lives.get(device.deviceId);
    const atMs = this.#clock.nowMs();
    const recordedDay = dateOfDay(Math.floor(day));
    if (life === undefined) return Promise.resolve(silentReading(device, 'replay', 'unreadable', 'the recording has no such drive', atMs));
    const answer = answerOn(life, Math.floor(day));
    if (answer === 'not-yet')
      return Promise.resolve(silentReading(device, 'replay', 'unreadable', `its recording begins on ${dateOfDay(life.firstDay)}`, atMs, recordedDay));
    if (answer === 'dead')
      return Promise.resolve(silentReading(device, 'replay', 'unreadable', `it stopped answering after ${dateOfDay(life.lastDay)}`, atMs, recordedDay));
    return Promise.resolve(this.#readingOf(device, answer, day, atMs));
  }

  /**
   * Let a drive show the signs of dying from now on, `pace` times as fast as a slow death (damage within days at 1).
   *
   * @returns false when it is not one of the replayed drives
   */
  degrade(deviceId: DeviceId, pace: number): boolean {
    if (!this.#lives.has(deviceId)) return false;
    this.#degraded.set(deviceId, { sinceDay: this.day, pace: Number.isFinite(pace) && pace > 0 ? pace : 1 });
    return true;
  }

  /** Back to what was recorded; its counters then fall, as with a replaced drive. False when it was not degraded. */
  restore(deviceId: DeviceId): boolean {
    return this.#degraded.delete(deviceId);
  }

  /** Keep the exact position for the next start. */
  close(): void {
    this.#save(this.day, 'now');
  }

  #readingOf(device: DeviceIdentity, point: RecordedPoint, day: number, atMs: number): Reading {
    const degraded = this.#degraded.get(device.deviceId);
    const aged = degraded === undefined ? 0 : (day - degraded.sinceDay) * degraded.pace;
    return {
      deviceId: device.deviceId,
      atMs,
      recordedDay: dateOfDay(point.day),
      source: 'replay',
      status: 'read',
      unreadableBecause: null,
      // Drive Stats does not record the drive's own verdict.
      selfAssessmentPassed: null,
      temperatureCelsius: point.temperatureCelsius,
      powerOnHours: point.powerOnHours,
      smart: degraded === undefined ? point.smart : dying(point.smart, aged),
      nvme: null,
    };
  }

  /** At most once a recorded day; a crash repeats the rest of the day it happened in, as does a disk that takes nothing: no reading fails for it. */
  #save(day: number, when: 'now' | 'new-day' = 'new-day'): void {
    const file = this.#settings.stateFile;
    if (file === null || (when === 'new-day' && Math.floor(day) === Math.floor(this.#savedDay))) return;
    try {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(`${file}.new`, `${JSON.stringify({ day })}\n`);
      renameSync(`${file}.new`, file);
      this.#savedDay = day;
    } catch {
      // The next look tries again.
    }
  }
}

/** Counters of a drive that has been dying for `agedDays`: pending sectors first, replaced ones behind them, then reads that fail. */
function dying(smart: Readonly<Record<string, number>>, agedDays: number): Record<string, number> {
  const pending = Math.ceil(12 * (agedDays + 0.1) ** 1.5);
  const grown: Record<string, number> = { 5: pending * 2, 187: Math.floor(pending / 3), 197: pending, 198: pending };
  const sum = Object.entries(grown).map(([attribute, count]) => [attribute, (smart[attribute] ?? 0) + count] as const);
  return { ...smart, ...Object.fromEntries(sum) };
}

function firstDay(lives: readonly RecordedLife[], startDay: string | null): number {
  const chosen = startDay === null ? Math.min(...lives.map((life) => life.firstDay)) : dayOfDate(startDay);
  if (Number.isNaN(chosen)) throw new Failure('refused', { code: 'replay.start-day', message: `"${startDay}" is no date like 2015-06-30` });
  return chosen;
}

/** The position of the last run; undefined when there was none or its file is damaged (then the replay begins again, which harms nobody). */
function savedDay(file: string | null): number | undefined {
  if (file === null) return undefined;
  try {
    return savedPosition.parse(JSON.parse(readFileSync(file, 'utf8'))).day;
  } catch {
    return undefined;
  }
}
