import type { Outcome, OutcomeSource } from '@data-in-motion/shared/domain/drive-outcome';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';

/** A drive as it is heard of; instants by the control plane's clock. */
export interface HeardDrive {
  readonly deviceId: DeviceId;
  /** Its agent told last that it does not answer. */
  readonly isUnreadable: boolean;
  /** When it answered last, asleep or with values; null: it never did. */
  readonly answeredAtMs: number | null;
  /** When another drive of its node answered last; null where there is none. */
  readonly othersAnsweredAtMs: number | null;
  /** When it was last judged at risk or failing. */
  readonly riskyAtMs: number | null;
  readonly known: { readonly outcome: Outcome; readonly how: OutcomeSource; readonly atMs: number } | null;
}

export interface OutcomeSettings {
  /** A drive that answers nothing while others of its node do is taken for dead after this: cables and controllers come back sooner. */
  readonly graceMs: number;
  /** A drive that was judged risky so lately and stops answering needs no grace: that is what was foretold. */
  readonly riskyWithinMs: number;
}

export interface NewOutcome {
  readonly deviceId: DeviceId;
  readonly outcome: Outcome;
  readonly how: 'died' | 'answers';
  readonly atMs: number;
  /** A sentence for a person. */
  readonly text: string;
}

/**
 * What became of drives, where that is news. A drive that was taken for dead and answers again is alive. What a person reported stands, whatever is heard.
 * Of a drive that is alone on its node nothing is concluded from its silence, unless it was risky and its agent says that it does not answer: then
 * all that is known is that the node is not well.
 */
export function driveOutcomes(drives: readonly HeardDrive[], settings: OutcomeSettings): NewOutcome[] {
  return drives.flatMap((drive): NewOutcome[] => {
    const { deviceId, answeredAtMs, known } = drive;
    if (known?.how === 'reported' || answeredAtMs === null) return [];
    if (known?.outcome === 'failed') {
      if (drive.isUnreadable || answeredAtMs <= known.atMs) return [];
      return [{ deviceId, outcome: 'alive', how: 'answers', atMs: answeredAtMs, text: `The device ${deviceId} was taken for dead and answers again.` }];
    }
    const because = whyDead(drive, answeredAtMs, settings);
    if (because === null) return [];
    return [{ deviceId, outcome: 'failed', how: 'died', atMs: answeredAtMs, text: `The device ${deviceId} is taken for dead: ${because}.` }];
  });
}

function whyDead({ isUnreadable, othersAnsweredAtMs, riskyAtMs }: HeardDrive, answeredAtMs: number, settings: OutcomeSettings): string | null {
  const wasRisky = riskyAtMs !== null && answeredAtMs - riskyAtMs <= settings.riskyWithinMs;
  if (wasRisky && isUnreadable) return 'it was at risk and stopped answering';
  const silentMs = (othersAnsweredAtMs ?? Number.NEGATIVE_INFINITY) - answeredAtMs;
  if (silentMs < settings.graceMs) return null;
  return `it does not answer for ${Math.round(silentMs / 3_600_000)} hours in which other drives of its node do`;
}
