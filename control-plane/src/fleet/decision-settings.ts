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
  /** The same for one failure domain: more than this share of its devices, and at least `atLeast`, within `domainWithinMs`. A bad shelf, cable or controller. */
  readonly domainShare: number;
  readonly domainWithinMs: number;
  /** And for one version of a learned model: more than this share of the devices that it judges, within `modelTrialMs` after it judged its first. */
  readonly modelShare: number;
  readonly modelTrialMs: number;
}

/** What an evacuation is weighed with, US dollars and GB of 10^9 bytes, and how many there may be at once. */
export interface EvacuationSettings {
  /**
   * What a GB is worth whose last copy is lost. A laboratory asks 700 to 3,000 dollars for a dead drive of some TB, and often can not help: about a dollar
   * a GB is the least that its owner would have paid.
   */
  readonly dollarsPerGbLost: number;
  /** What a drive costs more that dies unforeseen than one that is changed when it suits: about half an hour of an operator. */
  readonly dollarsPerUnplannedRepair: number;
  /** What each evacuation costs before a byte moves: somebody looks that it went well, a minute. The alarm itself is read whether or not it is acted on. */
  readonly dollarsPerEvacuation: number;
  /** What an hour is worth in which a dataset is short of a copy. */
  readonly dollarsPerDegradedHour: number;
  /** What a second of copying costs those who use the two drives meanwhile; as much as one reader who waits. */
  readonly dollarsPerCopySec: number;
  /** What writing a GB takes from the life of its drive: 300 dollars over five years of 550 TB, as hard drives are warranted. */
  readonly dollarsPerGbWritten: number;
  /** How fast a copy is made where nothing was measured. */
  readonly copyBytesPerSec: number;
  /** From a drive's death until its copies begin to be made again. */
  readonly repairDelayMs: number;
  /** Share of drives that fail in a year whatever they look like (Backblaze 2013 to 2016: about 2 %). No drive is taken for safer than that. */
  readonly yearlyFailures: number;
  /** The same for places without drives of ours: buckets outlive drives, accounts and contracts do not. */
  readonly yearlyLossOfPlace: number;
  /** A drive follows another one of its failure domain with this probability within `followDays` (SSDs at Alibaba, a third within 7 days). */
  readonly followShare: number;
  readonly followDays: number;
  /** A drive is evacuated when leaving it costs more than moving times this … */
  readonly margin: number;
  /** … and goes on being evacuated until leaving it costs less than moving times this. */
  readonly keepOnShare: number;
  /** Share of all devices, and of all bytes on them, that may be in evacuation at once; one device always may. */
  readonly shareOfDevices: number;
  readonly shareOfBytes: number;
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
  /** Use is counted over so many days: as long as a move has to pay for itself. */
  readonly pastDays: number;
  /** How much the forecast of the windows weighs against what was counted, 0 to 1. The default foretold reads best, see `bench/past-and-forecast.bench.ts`. */
  readonly forecastShare: number;
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
  /** Share of what a target can read, and of the requests it may get, that primaries may be expected to use on the average of a month: bursts need the rest. */
  readonly busyShare: number;
  /** A solve stops with the best plan so far after so long: in the loop, of processor time, see `solveDeadline`. */
  readonly timeLimitMs: number;
  /** The solver may stop this close to its bound, as a share of what the copies in question cost. */
  readonly gap: number;
}

export interface AdmissionLimits {
  /** Jobs that may be under way, those of earlier passes included. */
  readonly underWayPerNode: number;
  /** From one site to another, each way by itself; within a site the nodes are the limit. */
  readonly underWayPerLink: number;
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
  readonly evacuation: EvacuationSettings;
  readonly heat: HeatSettings;
  readonly placement: PlacementSettings;
  readonly limits: AdmissionLimits;
  /** How long the room that a preview needs is held for it. */
  readonly roomHeldMs: number;
}

/** What the judgement of devices and targets reads. */
export type RiskSettings = Pick<DecisionSettings, 'observer' | 'evacuation'>;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export const defaultDecisionSettings: DecisionSettings = {
  agents: { lateAfterMs: 45_000, lostAfterMs: 10 * minuteMs },
  observer: {
    share: 0.2,
    atLeast: 3,
    withinMs: 10 * minuteMs,
    holdMs: hourMs,
    domainShare: 0.5,
    domainWithinMs: hourMs,
    modelShare: 0.05,
    modelTrialMs: 24 * hourMs,
  },
  evacuation: {
    dollarsPerGbLost: 1,
    dollarsPerUnplannedRepair: 20,
    dollarsPerEvacuation: 1,
    dollarsPerDegradedHour: 0.05,
    dollarsPerCopySec: 0.0001,
    dollarsPerGbWritten: 0.0001,
    copyBytesPerSec: 50e6,
    repairDelayMs: hourMs,
    yearlyFailures: 0.02,
    yearlyLossOfPlace: 0.0001,
    followShare: 1 / 3,
    followDays: 7,
    margin: 1.2,
    keepOnShare: 0.5,
    shareOfDevices: 0.05,
    shareOfBytes: 0.05,
  },
  heat: { fullUsesPerHour: 100, coldAfterMs: 24 * hourMs, hotFrom: 0.6, coldBelow: 0.25, hysteresis: 0.05, pastDays: 30, forecastShare: 0.3 },
  placement: { horizonDays: 30, dwellMs: 6 * hourMs, dollarsPerReadSec: 0.0001, busyShare: 0.5, timeLimitMs: 10_000, gap: 1e-4 },
  limits: { underWayPerNode: 4, underWayPerLink: 4, underWayInFleet: 50, newPerPass: 20, evacuatingAtOnce: 10 },
  roomHeldMs: 10 * minuteMs,
};
