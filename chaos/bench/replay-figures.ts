import { defaultDecisionSettings } from '../../control-plane/src/fleet/decision-settings.ts';
import type { ReplayedFleet } from './replayed-fleet.ts';

const horizonDays = 30;
const { yearlyFailures } = defaultDecisionSettings.evacuation;

/** What a replay came to. Money is US dollars. */
export interface ReplayFigures {
  readonly failures: number;
  /** By their certificates: no copy was on them any more when they died. */
  readonly emptyBefore: number;
  /** All that was on them stood verified elsewhere in as many copies as are wanted, whether or not they were empty yet. */
  readonly safeBefore: number;
  readonly evacuations: number;
  /** Certificates after whose opening no failure followed within 30 days. */
  readonly falseEvacuations: number;
  readonly falsePer1000DriveMonths: number;
  /** Datasets of which the last copy died. */
  readonly lost: number;
  readonly deathsDollars: number;
  readonly movingDollars: number;
  /** What left a drive is on others meanwhile, which fail like any. */
  readonly elsewhereDollars: number;
  readonly totalDollars: number;
  /** Copies that left while fewer than wanted stood: there must be none. */
  readonly broken: readonly string[];
  readonly passes: number;
}

/** @param driveMonths of all replayed drives, those without a sign included; `untilDay` ends what still stands empty */
export function replayFigures(
  fleets: readonly Pick<ReplayedFleet, 'deaths' | 'evacuations' | 'broken' | 'passes'>[],
  driveMonths: number,
  untilDay: number,
): ReplayFigures {
  const deaths = fleets.flatMap((fleet) => fleet.deaths);
  const evacuations = fleets.flatMap((fleet) => fleet.evacuations);
  const diedOn = new Map(deaths.map((death) => [death.driveId, death.day]));
  const falseOnes = evacuations.filter(({ driveId, openedDay }) => !((diedOn.get(driveId) ?? Number.POSITIVE_INFINITY) - openedDay <= horizonDays));
  const stoodEmpty = new Set(
    evacuations.filter(({ emptyDay, endedDay, driveId }) => emptyDay !== null && endedDay === diedOn.get(driveId)).map((one) => one.driveId),
  );
  const deathsDollars = sum(deaths.map((death) => death.dollars));
  const movingDollars = sum(evacuations.map((one) => one.movingDollars));
  const elsewhereDollars = sum(
    evacuations.map(({ emptyDay, endedDay, fullDollars }) =>
      emptyDay === null ? 0 : fullDollars * (1 - (1 - yearlyFailures) ** (Math.max(0, (endedDay ?? untilDay) - emptyDay) / 365)),
    ),
  );
  return {
    failures: deaths.length,
    emptyBefore: deaths.filter((death) => stoodEmpty.has(death.driveId) && death.copies === 0).length,
    safeBefore: deaths.filter((death) => death.wasSafe).length,
    evacuations: evacuations.length,
    falseEvacuations: falseOnes.length,
    falsePer1000DriveMonths: (falseOnes.length / driveMonths) * 1_000,
    lost: sum(deaths.map((death) => death.lost)),
    deathsDollars,
    movingDollars,
    elsewhereDollars,
    totalDollars: deathsDollars + movingDollars + elsewhereDollars,
    broken: fleets.flatMap((fleet) => fleet.broken),
    passes: sum(fleets.map((fleet) => fleet.passes)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
