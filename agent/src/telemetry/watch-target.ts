import type { Clock } from '@data-in-motion/shared/clock';
import type { FaultHooks } from '@data-in-motion/shared/domain/fault-hooks';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { asFailure } from '@data-in-motion/shared/failure';
import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import type { Random } from '@data-in-motion/shared/random';
import type { Tell } from '../journal/outbox.ts';
import { type Space, SpaceMeter } from './filesystem.ts';
import { SpeedMeter } from './measure-target.ts';
import { isNoticeable } from './noticeable-change.ts';

export interface TargetWatchParts {
  readonly target: TargetDescription;
  readonly tell: Tell;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: FaultHooks;
  /** Why the target is not there, for people; null when it is. */
  readonly absentBecause: (target: TargetDescription) => Promise<string | null>;
  readonly settings: { readonly targetTimeoutMs: number; readonly targetToldEveryMs: number; readonly throughputEveryMs: number };
}

/** One target: its space and speed, measured, and told when something changed or was not told for a while: each record costs two flushes of the journal. A measurement that hangs is left alone and the target told as unreachable until it ends. */
export class TargetWatch {
  readonly #parts: TargetWatchParts;
  readonly #space = new SpaceMeter();
  readonly #speed: SpeedMeter;
  #lastSpace: Space = { capacityBytes: 0, usedBytes: 0, freeBytes: 0 };
  #throughputAtMs: number | null = null;
  #measuring: Promise<string | null> | null = null;
  #told: { readonly stats: RecordOf<'target-stats'>; readonly atMs: number } | null = null;

  constructor(parts: TargetWatchParts) {
    this.#parts = parts;
    this.#speed = new SpeedMeter(parts.target, parts);
  }

  async pass(signal: AbortSignal): Promise<void> {
    const { clock, settings, target, tell } = this.#parts;
    const inTime = new AbortController();
    this.#measuring ??= this.#measure().finally(() => {
      this.#measuring = null;
    });
    const tooLate = clock
      .sleep(settings.targetTimeoutMs, AbortSignal.any([inTime.signal, signal]))
      .then(() => `no answer within ${settings.targetTimeoutMs} ms`);
    const unreachableBecause = await Promise.race([this.#measuring, tooLate]);
    inTime.abort();
    if (signal.aborted) return;
    const stats: RecordOf<'target-stats'> = {
      type: 'target-stats',
      targetId: target.targetId,
      atMs: clock.nowMs(),
      reachable: unreachableBecause === null,
      unreachableBecause,
      ...this.#lastSpace,
      ...this.#speed.speed,
    };
    const atMs = clock.monotonicMs();
    const known = this.#told;
    const isFresh = known !== null && atMs - known.atMs < settings.targetToldEveryMs;
    if (isFresh && !isNoticeable(known.stats, stats)) return;
    this.#told = { stats, atMs };
    tell([stats], 'soon');
  }

  /** Why the target could not be measured, or null when it could. What lies under the root while its disk is away is not the target. */
  async #measure(): Promise<string | null> {
    const { absentBecause, clock, target } = this.#parts;
    try {
      const absent = await absentBecause(target);
      if (absent !== null) return absent;
      this.#lastSpace = await this.#space.measure(target, clock);
      await this.#measureSpeed();
      return null;
    } catch (thrown) {
      return asFailure(thrown).message;
    }
  }

  async #measureSpeed(): Promise<void> {
    const { clock, settings } = this.#parts;
    try {
      await this.#speed.measureLatency();
      const nowMs = clock.monotonicMs();
      const due = this.#throughputAtMs === null || nowMs - this.#throughputAtMs >= settings.throughputEveryMs;
      // A full target is read on but not written to: the last free bytes are not for measuring.
      if (!due || this.#lastSpace.freeBytes === 0) return;
      await this.#speed.measureThroughput();
      this.#throughputAtMs = nowMs;
    } catch (thrown) {
      // A target that takes no byte more is there, and full, whatever its file system says is free.
      if (asFailure(thrown).kind !== 'exhausted') throw thrown;
      this.#lastSpace = { ...this.#lastSpace, freeBytes: 0 };
    }
  }
}
