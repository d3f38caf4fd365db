import { type Clock, systemClock } from '@data-in-motion/shared/clock';
import type { Assessment } from '@data-in-motion/shared/domain/assessment';
import type { DeviceIdentity } from '@data-in-motion/shared/domain/device';
import type { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import { type FaultHooks, noFaults } from '@data-in-motion/shared/domain/fault-hooks';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import type { Failure } from '@data-in-motion/shared/failure';
import { type Loop, startLoop } from '@data-in-motion/shared/loop';
import type { DesiredDocument } from '@data-in-motion/shared/protocol/messages';
import { type Random, systemRandom } from '@data-in-motion/shared/random';
import { engine } from '../engine/engine.ts';
import type { Journal } from '../journal/journal.ts';
import type { Tell } from '../journal/outbox.ts';
import { AcknowledgedCounts } from './acknowledged-counts.ts';
import type { DeviceProbe, Note } from './device-probe.ts';
import { ReadingHistory } from './reading-history.ts';
import { DeviceWatch } from './watch-devices.ts';
import { TargetWatch } from './watch-target.ts';

export interface SamplerSettings {
  /** How often a live device is read; a replayed one sets its own pace. */
  readonly deviceEveryMs: number;
  /** How often the devices of the host are listed again. */
  readonly discoverEveryMs: number;
  /** A device that takes longer is `unreadable` this time. */
  readonly perDiskTimeoutMs: number;
  /** Devices of one probe that are read at once. */
  readonly readAtOnce: number;
  /** An assessment that stays the same is told again after so many readings. */
  readonly assessmentEveryReadings: number;
  /** How often space and latency of targets are taken. */
  readonly targetEveryMs: number;
  /** What did not change noticeably on a target is told again after this long. */
  readonly targetToldEveryMs: number;
  /** A target that takes longer is told as unreachable until it answers. */
  readonly targetTimeoutMs: number;
  /** Throughput costs 4 MiB of writing, so it is measured less often. */
  readonly throughputEveryMs: number;
}

export const samplerDefaults: SamplerSettings = {
  deviceEveryMs: 600_000,
  discoverEveryMs: 600_000,
  perDiskTimeoutMs: 30_000,
  readAtOnce: 4,
  assessmentEveryReadings: 24,
  targetEveryMs: 15_000,
  targetToldEveryMs: 60_000,
  targetTimeoutMs: 10_000,
  throughputEveryMs: 300_000,
};

export interface SamplerParts {
  readonly probes: readonly DeviceProbe[];
  readonly targets: readonly TargetDescription[];
  readonly tell: Tell;
  /** Why a target is not there, for people; null when it is, and only then it is measured. */
  readonly absentBecause: (target: TargetDescription) => Promise<string | null>;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Armed faults of a target show in what is measured on it. */
  readonly faults?: FaultHooks;
  /** With a journal the history of devices survives a restart. */
  readonly journal?: Journal;
  /** The model that judges hard drives now; null, or none given: the rules judge. */
  readonly model?: () => FailureJudge | null;
  readonly settings?: Partial<SamplerSettings>;
}

export interface Sampler {
  /** Take everything once now; resolves when it is told. */
  sampleNow(): Promise<void>;
  /** Ends after what is being read, or at once where reading hangs. */
  stop(): Promise<void>;
  devices(): readonly DeviceIdentity[];
  /** What a person takes for harmless, of all devices of this host; it counts from the next reading on. */
  acknowledge(list: DesiredDocument['acknowledged']): void;
  /** What was concluded last of a device; null when it is not known or was not read yet. */
  assessment(deviceId: DeviceId): Assessment | null;
}

/**
 * Read devices and targets, each on its own schedule, and tell what was seen: `device-seen` when a device is new or changed, every `reading`,
 * an `assessment` when its level or probability changes, and `target-stats` when they do (each now and then too).
 * One device or target that hangs delays no other probe or target.
 */
export function startSampler(parts: SamplerParts): Sampler {
  const settings = { ...samplerDefaults, ...parts.settings };
  const { tell, clock = systemClock, random = systemRandom, faults = noFaults } = parts;
  const note: Note = (severity, code, message, ids = {}) =>
    tell([{ type: 'note', atMs: clock.nowMs(), severity, code, message: message.slice(0, 2_000), ids: { ...ids } }], 'soon');
  const history = new ReadingHistory(parts.journal ?? null);
  const acknowledged = new AcknowledgedCounts(parts.journal ?? null);
  const watches = parts.probes.map((probe) => new DeviceWatch({ probe, history, tell, note, clock, model: parts.model, acknowledged, settings }));
  const targets = parts.targets.map((target) => new TargetWatch({ target, tell, clock, random, faults, absentBecause: parts.absentBecause, settings }));
  const devices = (): DeviceIdentity[] => watches.flatMap((watch) => watch.devices);
  const onFailure = (failure: Failure): void => note('error', failure.code, `Telemetry: ${failure.message}`);

  const loops: Loop[] = [
    ...watches.map((watch) => startLoop((signal) => watch.pass(signal).finally(() => engine.tidy()), watch.everyMs, clock, onFailure)),
    ...targets.map((target) => startLoop((signal) => target.pass(signal), settings.targetEveryMs, clock, onFailure)),
  ];
  return {
    async sampleNow() {
      const signal = new AbortController().signal;
      await Promise.all([...watches.map((watch) => watch.pass(signal)), ...targets.map((target) => target.pass(signal))]);
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
      for (const probe of parts.probes) probe.close?.();
    },
    devices,
    acknowledge: (list) => acknowledged.take(list),
    assessment: (deviceId) => watches.map((watch) => watch.assessment(deviceId)).find((found) => found !== null) ?? null,
  };
}
