export interface DriftedLook {
  readonly day: number;
  /** Null: too few drives were compared to say anything. */
  readonly strongest: number | null;
  readonly drifted: readonly string[];
}

/**
 * Since when a feature has been seen drifted, look after look up to the newest. Days without a look, or with too few drives for one, do not end it.
 *
 * @param looks oldest first
 * @returns the day of the first of these looks; null when the newest does not see it drifted
 */
export function driftedSince(looks: readonly DriftedLook[], feature: string): number | null {
  const telling = looks.filter((look) => look.strongest !== null);
  const calm = telling.findLastIndex((look) => !look.drifted.includes(feature));
  return telling[calm + 1]?.day ?? null;
}
