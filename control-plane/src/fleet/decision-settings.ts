/** When an agent that says nothing is called late, and when lost. Milliseconds since it was last heard. */
export interface AgentGraces {
  readonly lateAfterMs: number;
  readonly lostAfterMs: number;
}

/**
 * When so many devices turn risky at once that the observer is the likelier fault: more than `share` of all devices and at least
 * `atLeast` of them within `withinMs`. Evacuation is then held for `holdMs`, so that a person can look.
 */
export interface ObserverGuard {
  readonly share: number;
  readonly atLeast: number;
  readonly withinMs: number;
  readonly holdMs: number;
}

export interface HeatSettings {
  /** Uses per hour at which the frequency part of the score is full. */
  readonly fullUsesPerHour: number;
  /** A dataset that nobody used for this long is cold, whatever was before. */
  readonly coldAfterMs: number;
  /** Score from which a dataset is hot, and below which it is cold. */
  readonly hotFrom: number;
  readonly coldBelow: number;
  /** A class is left only when the score is this far beyond the threshold. */
  readonly hysteresis: number;
}

export interface PlacementSettings {
  /** A move for heat or cost must have paid for itself within this. */
  readonly horizonDays: number;
  /** After a move for heat or cost a dataset rests this long. */
  readonly dwellMs: number;
  /**
   * What a second that a reader waits is worth, US dollars. A waiting reader holds its machine: the default is about the list price
   * of eight cores for a second (AWS m7i.2xlarge, 0.4032 dollars an hour, is 0.000112).
   */
  readonly dollarsPerReadSec: number;
  readonly timeLimitMs: number;
  /** The solver may stop this close to its bound, as a share of what the copies in question cost. */
  readonly gap: number;
}

export interface AdmissionLimits {
  /** Jobs that may be under way, those of earlier passes included. */
  readonly underWayPerNode: number;
  readonly underWayInFleet: number;
  /** New jobs in one pass. */
  readonly newPerPass: number;
  /** Datasets that may be leaving risky devices at one time. */
  readonly evacuatingAtOnce: number;
}

/** Everything that decisions can be told, each part handed to the function that it concerns. */
export interface DecisionSettings {
  readonly agents: AgentGraces;
  readonly observer: ObserverGuard;
  readonly heat: HeatSettings;
  readonly placement: PlacementSettings;
  readonly limits: AdmissionLimits;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export const defaultDecisionSettings: DecisionSettings = {
  agents: { lateAfterMs: 45_000, lostAfterMs: 10 * minuteMs },
  observer: { share: 0.2, atLeast: 3, withinMs: 10 * minuteMs, holdMs: hourMs },
  heat: { fullUsesPerHour: 100, coldAfterMs: 24 * hourMs, hotFrom: 0.6, coldBelow: 0.25, hysteresis: 0.05 },
  placement: { horizonDays: 30, dwellMs: 6 * hourMs, dollarsPerReadSec: 0.0001, timeLimitMs: 10_000, gap: 1e-4 },
  limits: { underWayPerNode: 4, underWayInFleet: 50, newPerPass: 20, evacuatingAtOnce: 10 },
};
