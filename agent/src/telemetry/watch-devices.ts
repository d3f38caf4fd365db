import type { Clock } from '@data-in-motion/shared/clock';
import { type Assessment, isRisky } from '@data-in-motion/shared/domain/assessment';
import type { DeviceIdentity, Reading } from '@data-in-motion/shared/domain/device';
import type { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { asFailure } from '@data-in-motion/shared/failure';
import type { Tell } from '../journal/outbox.ts';
import { assessDevice } from '../predict/assess-device.ts';
import type { AcknowledgedCounts } from './acknowledged-counts.ts';
import { atMostAtOnce } from './at-most.ts';
import { type DeviceProbe, type Note, silentReading } from './device-probe.ts';
import type { ReadingHistory } from './reading-history.ts';

export interface DeviceWatchParts {
  readonly probe: DeviceProbe;
  readonly history: ReadingHistory;
  readonly tell: Tell;
  readonly note: Note;
  readonly clock: Clock;
  readonly acknowledged?: AcknowledgedCounts | undefined;
  /** The model that judges hard drives now; it may change between two readings. Null, or none given: the rules judge. */
  readonly model?: (() => FailureJudge | null) | undefined;
  readonly settings: {
    readonly deviceEveryMs: number;
    readonly discoverEveryMs: number;
    readonly perDiskTimeoutMs: number;
    readonly readAtOnce: number;
    readonly assessmentEveryReadings: number;
  };
}

interface Told {
  readonly identity: string;
  reading: string;
  readingAtMs: number;
  assessment: Assessment | null;
  readingsSinceAssessment: number;
}

/** The devices of one probe: listed, read, judged and told, one pass after the other. */
export class DeviceWatch {
  readonly #parts: DeviceWatchParts;
  #devices: readonly DeviceIdentity[] = [];
  #listedAtMs: number | null = null;
  #running: Promise<void> = Promise.resolve();
  readonly #told = new Map<DeviceId, Told>();

  constructor(parts: DeviceWatchParts) {
    this.#parts = parts;
  }

  get devices(): readonly DeviceIdentity[] {
    return this.#devices;
  }

  get everyMs(): number {
    return this.#parts.probe.readEveryMs ?? this.#parts.settings.deviceEveryMs;
  }

  /** What was concluded last; null before the first reading. */
  assessment(deviceId: DeviceId): Assessment | null {
    return this.#told.get(deviceId)?.assessment ?? null;
  }

  /** Passes wait for each other: one that is asked for while another runs sees what changed meanwhile. */
  pass(signal: AbortSignal): Promise<void> {
    this.#running = this.#running.catch(() => {}).then(() => this.#passNow(signal));
    return this.#running;
  }

  async #passNow(signal: AbortSignal): Promise<void> {
    await this.#list(signal);
    try {
      await atMostAtOnce(this.#parts.settings.readAtOnce, this.#devices, async (device) => {
        if (signal.aborted) return;
        const reading = await this.#readInTime(device, signal);
        // What is cut off because the agent stops says nothing about the device.
        if (!signal.aborted) this.#take(device, reading);
      });
    } finally {
      this.#parts.history.write();
    }
  }

  /** Devices that are gone from the list are read on: that they do not answer is what their assessment needs to know. */
  async #list(signal: AbortSignal): Promise<void> {
    const { clock, probe, settings, tell } = this.#parts;
    const nowMs = clock.monotonicMs();
    const listEveryMs = Math.min(settings.discoverEveryMs, this.everyMs);
    if (this.#listedAtMs !== null && nowMs - this.#listedAtMs < listEveryMs) return;
    const found = await unlessAborted(probe.discover(), signal);
    if (found === undefined) return;
    this.#listedAtMs = nowMs;
    const gone = this.#devices.filter((device) => !found.some((other) => other.deviceId === device.deviceId));
    this.#devices = [...found, ...gone];
    for (const device of found) {
      const identity = JSON.stringify(device);
      const told = this.#told.get(device.deviceId);
      if (told?.identity === identity) continue;
      tell([{ type: 'device-seen', ...device }], 'soon');
      this.#told.set(device.deviceId, { reading: '', readingAtMs: 0, assessment: null, readingsSinceAssessment: 0, ...told, identity });
    }
  }

  async #readInTime(device: DeviceIdentity, signal: AbortSignal): Promise<Reading> {
    const { clock, probe, settings } = this.#parts;
    const silent = (because: string): Reading => silentReading(device, probe.source, 'unreadable', because, clock.nowMs());
    const late = new AbortController();
    const inTime = new AbortController();
    const tooLate = clock.sleep(settings.perDiskTimeoutMs, AbortSignal.any([inTime.signal, signal])).then(() => {
      late.abort();
      return silent(`it gave no answer within ${settings.perDiskTimeoutMs} ms`);
    });
    try {
      return await Promise.race([probe.read(device, late.signal), tooLate]);
    } catch (thrown) {
      return silent(asFailure(thrown).message);
    } finally {
      inTime.abort();
    }
  }

  #take(device: DeviceIdentity, answer: Reading): void {
    const { clock, history, probe, settings, tell } = this.#parts;
    // Whatever the drive answered: the kernel's counts say most about one that does not.
    const reading = probe.kernel === undefined ? answer : { ...answer, kernel: probe.kernel(device) };
    const told = this.#told.get(device.deviceId)!;
    const content = JSON.stringify({ ...reading, atMs: 0 });
    // A recorded day is played in several looks; the same day with the same values is told once per ordinary period.
    const repeated =
      reading.source === 'replay' && content === told.reading && reading.atMs - told.readingAtMs < settings.deviceEveryMs && reading.atMs >= told.readingAtMs;
    if (repeated) return;
    told.reading = content;
    told.readingAtMs = reading.atMs;
    history.add(reading);
    tell([{ type: 'reading', ...reading, smart: { ...reading.smart } }], 'soon');

    const assessment = assessDevice(history.of(device.deviceId), clock.nowMs(), {
      device,
      model: this.#parts.model?.() ?? null,
      acknowledged: this.#parts.acknowledged?.of(device.deviceId) ?? null,
    });
    told.readingsSinceAssessment += 1;
    const before = told.assessment;
    const isOtherLevel = before?.level !== assessment.level;
    const changed = isOtherLevel || before.probability !== assessment.probability;
    const otherJudge = before?.judge.name !== assessment.judge.name || before.judge.version !== assessment.judge.version;
    if (!changed && !otherJudge && told.readingsSinceAssessment < settings.assessmentEveryReadings) return;
    told.assessment = assessment;
    told.readingsSinceAssessment = 0;
    // Data moves because of it: it must not wait for a batch to fill, nor be lost with the process. A model's probability moves often; that is no alarm.
    const urgent = isOtherLevel && isRisky(assessment.level);
    const { probability7 = null } = assessment;
    tell([{ type: 'assessment', ...assessment, probability7, reasons: assessment.reasons.map((reason) => ({ ...reason })) }], urgent ? 'now' : 'soon');
    if (urgent)
      this.#parts.note(
        'warning',
        `device.${assessment.level}`,
        `${device.model} ${device.serial} is ${assessment.level}: ${assessment.reasons[0]?.text ?? ''}`,
        { deviceId: device.deviceId },
      );
  }
}

/** The work's result, or undefined at once when the signal aborts; the work itself goes on unheard. */
function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(undefined);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
