export interface Range {
  readonly low: number;
  readonly high: number;
}

/** 95 % of a normal distribution lie within so many standard deviations. */
const deviations = 1.959964;

/**
 * Between which a share may well lie that was counted as `of` among `among`: 95 of 100 such ranges hold it. Also where none or all were counted, where the
 * usual mean ± error would claim to be certain.
 *
 * Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American Statistical Association 22 (1927).
 *
 * @returns null where there is nothing to divide by
 */
export function wilsonRange(of: number, among: number): Range | null {
  if (among === 0) return null;
  const share = of / among;
  const z2 = deviations ** 2 / among;
  const middle = (share + z2 / 2) / (1 + z2);
  const half = (deviations * Math.sqrt((share * (1 - share)) / among + z2 / (4 * among))) / (1 + z2);
  return { low: of === 0 ? 0 : middle - half, high: of === among ? 1 : middle + half };
}
