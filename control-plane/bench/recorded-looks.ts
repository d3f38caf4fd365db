import { type Decisions, decisionsOn } from '../src/learn/decisions.ts';
import type { RecordedDrive } from '../src/learn/recorded-drive.ts';
import { scoreByRule } from '../src/learn/rules.ts';
import type { ScoredDecision } from '../src/what-if/evacuation-economics.ts';

/** Recorded drives as they are looked at on some days, each while it lives; `p30Of` tells the probability of a drive by how many of the five attributes are above zero. */
export function looksAt(of: readonly RecordedDrive[], days: readonly number[], p30Of: (count: number) => number | null): ScoredDecision[] {
  const seen = decisionsOn(of, days);
  return countsOf(seen).map((count, row) => {
    const drive = seen.drives[row]!;
    return {
      driveId: drive.driveId,
      day: seen.days[row]!,
      p30: p30Of(count) ?? Number.NaN,
      anyOfFive: count > 0,
      failedDay: drive.failed ? drive.lastDay : null,
    };
  });
}

/** How many of the five attributes are above zero, for each look. */
export function countsOf(seen: Decisions): number[] {
  const five = [5, 187, 188, 197, 198];
  const above = five.map((attribute) => scoreByRule({ name: '', says: '', score: (counted) => (counted(attribute) > 0 ? 1 : 0) }, seen));
  return seen.days.map((_, row) => above.reduce((sum, flags) => sum + flags[row]!, 0));
}
