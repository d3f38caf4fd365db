import type { DatasetId, DeviceId, NodeId, ReplicaId, SiteId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { defaultPolicy } from '@data-in-motion/shared/domain/policy';
import { defaultDecisionSettings, type EvacuationSettings } from '../fleet/decision-settings.ts';
import type { DeviceFacts, FleetSnapshot, TargetFacts } from '../fleet/snapshot.ts';
import { unusedDataset } from '../fleet/unused-dataset.ts';
import { type DatasetStake, evacuationPays, priceEvacuation, type Stake, stakeOf } from '../health/evacuation-price.ts';

/** One look at one drive, with what became of it. */
export interface ScoredDecision {
  readonly driveId: string;
  /** Day number; looks at a drive are about a month apart. */
  readonly day: number;
  /** Probability of failing within 30 days, as the model said on that day. */
  readonly p30: number;
  /** Any of SMART 5, 187, 188, 197, 198 was above zero. */
  readonly anyOfFive: boolean;
  /** When it failed; null when it did not, as far as is known. */
  readonly failedDay: number | null;
}

/** What each strategy did and cost over all drives. Money is US dollars. */
export interface StrategyReport {
  readonly failures: number;
  /** Drives that were empty before they died. */
  readonly emptyBefore: number;
  readonly evacuations: number;
  /** Evacuations that no failure followed within 30 days. */
  readonly falseEvacuations: number;
  readonly falsePer1000DriveMonths: number;
  /** Lost data and repairs of drives that died full, by expectation over the other copies. */
  readonly deathsDollars: number;
  /** Moving, and looking after it. */
  readonly movingDollars: number;
  /** What moved is on other drives, which fail like any. */
  readonly elsewhereDollars: number;
  readonly totalDollars: number;
}

export const strategies = ['never', 'any-of-five', 'priced'] as const;
export type Strategy = (typeof strategies)[number];

export interface EconomicsReport {
  readonly copies: number;
  readonly driveMonths: number;
  readonly of: Readonly<Record<Strategy, StrategyReport>>;
}

export interface EconomicsOptions {
  readonly copies: 1 | 2 | 3;
  /** What lies on a drive. */
  readonly bytesOn: (driveId: string) => number;
  readonly settings?: EvacuationSettings;
  /**
   * Probabilities from which the model calls a drive watched and failing, as a fleet goes by them: below the first nothing is weighed and an emptied drive
   * is filled again, from the second on it is emptied whatever that costs. Left out, every drive is weighed at every look.
   */
  readonly levels?: { readonly watch: number; readonly failing: number };
}

const horizonDays = 30;

/**
 * Replay every drive, look by look, with the functions that decide in the fleet: what acting on the model's probability would have cost,
 * against never acting and against acting on any of the five attributes.
 *
 * A drive is full until it is emptied, and is filled again at no cost when its strategy no longer wants it empty. A drive that dies full costs what
 * its stake says; one that dies before its last byte has moved costs that and the move. What was moved stands on other drives meanwhile, and is charged with
 * what any drive costs. Each drive is looked at alone: no limit on how many are emptied at once, and the other copies are on drives like any, in other racks.
 */
export function evacuationEconomics(decisions: readonly ScoredDecision[], options: EconomicsOptions): EconomicsReport {
  const settings = options.settings ?? defaultDecisionSettings.evacuation;
  const stakes = new Map<number, Stake>();
  const stakeOn = (bytes: number): Stake => stakes.get(bytes) ?? stakes.set(bytes, plainStake(bytes, options.copies, settings)).get(bytes)!;
  const drives = [...Map.groupBy(decisions, (one) => one.driveId)].map(([driveId, looks]) => ({
    stake: stakeOn(options.bytesOn(driveId)),
    looks: [...looks].sort((a, b) => a.day - b.day),
  }));
  const replay = (wants: Wants): StrategyReport =>
    sumOf(
      drives.map(({ stake, looks }) => replayDrive(stake, looks, wants, settings)),
      decisions.length,
    );
  return {
    copies: options.copies,
    driveMonths: decisions.length,
    of: {
      never: replay(() => false),
      'any-of-five': replay((look) => look.anyOfFive),
      priced: replay((look, stake, stage) => {
        const { levels } = options;
        if (levels !== undefined && look.p30 >= levels.failing) return true;
        if (levels !== undefined && (look.p30 < levels.watch || stage === 'begun')) return look.p30 >= levels.watch;
        return evacuationPays(priceEvacuation(stake, { probability: look.p30, horizonDays }, settings, stage), settings, stage);
      }),
    },
  };
}

/** Whether a strategy wants a drive to be empty. */
type Wants = (look: ScoredDecision, stake: Stake, stage: 'new' | 'begun') => boolean;

type Sums = Omit<StrategyReport, 'falsePer1000DriveMonths' | 'totalDollars'>;

function replayDrive(stake: Stake, looks: readonly ScoredDecision[], wants: Wants, settings: EvacuationSettings): Sums {
  const sum = (part: (one: DatasetStake) => number): number => stake.datasets.reduce((total, one) => total + part(one), 0);
  const whenItDies = sum((one) => one.lossDollars + one.repairDollars) + settings.dollarsPerUnplannedRepair;
  const perEvacuation = sum((one) => one.moveDollars) + settings.dollarsPerEvacuation;
  const movingDays = stake.bytes / settings.copyBytesPerSec / 86_400;
  const anyDriveDies = (days: number): number => 1 - (1 - settings.yearlyFailures) ** (days / 365);
  const failedDay = looks[0]?.failedDay ?? null;
  let [evacuations, falseEvacuations, elsewhereDollars] = [0, 0, 0];
  let emptiedOn: number | null = null;
  for (const [place, look] of looks.entries()) {
    const wanted = wants(look, stake, emptiedOn === null ? 'new' : 'begun');
    if (wanted && emptiedOn === null) {
      evacuations++;
      if (failedDay === null || failedDay - look.day > horizonDays) falseEvacuations++;
      emptiedOn = look.day + movingDays;
    } else if (!wanted) emptiedOn = null;
    if (emptiedOn !== null) {
      const untilDay = Math.min(looks[place + 1]?.day ?? look.day + horizonDays, failedDay ?? Number.POSITIVE_INFINITY);
      elsewhereDollars += anyDriveDies(Math.max(0, untilDay - emptiedOn)) * whenItDies;
    }
  }
  const diedEmpty = failedDay !== null && emptiedOn !== null && emptiedOn <= failedDay;
  return {
    failures: failedDay === null ? 0 : 1,
    emptyBefore: diedEmpty ? 1 : 0,
    evacuations,
    falseEvacuations,
    deathsDollars: failedDay === null || diedEmpty ? 0 : whenItDies,
    movingDollars: evacuations * perEvacuation,
    elsewhereDollars,
  };
}

function sumOf(parts: readonly Sums[], driveMonths: number): StrategyReport {
  const sum = (part: keyof Sums): number => parts.reduce((total, one) => total + one[part], 0);
  const [deathsDollars, movingDollars, elsewhereDollars] = [sum('deathsDollars'), sum('movingDollars'), sum('elsewhereDollars')];
  return {
    failures: sum('failures'),
    emptyBefore: sum('emptyBefore'),
    evacuations: sum('evacuations'),
    falseEvacuations: sum('falseEvacuations'),
    falsePer1000DriveMonths: driveMonths === 0 ? 0 : (sum('falseEvacuations') / driveMonths) * 1000,
    deathsDollars,
    movingDollars,
    elsewhereDollars,
    totalDollars: deathsDollars + movingDollars + elsewhereDollars,
  };
}

/** The stake of a drive full of one dataset in a plain fleet: its copies on sites of their own, an empty drive beside, shelves of our own without fees. */
export function plainStake(bytes: number, copies: number, settings: EvacuationSettings): Stake {
  const names = ['berlin', 'paris', 'rome'].slice(0, copies);
  const targets = [...names, 'oslo'].map(
    (name): TargetFacts => ({
      targetId: name as TargetId,
      nodeId: name as NodeId,
      siteId: name as SiteId,
      state: 'ok',
      tier: 'warm',
      locationKind: 'on-premises',
      provider: 'own',
      region: '',
      failureDomain: name,
      encryptedAtRest: false,
      priceClass: 'own',
      prices: { storagePerGbMonth: 0.02, readsPer1000: 0, writesPer1000: 0, egressPerGb: 0, retrievalPerGb: 0, minimumDays: 0, minimumObjectBytes: 0 },
      capacityBytes: bytes * 2,
      usedBytes: 0,
      reserveBytes: 0,
      reservedBytes: 0,
      latencyP95Ms: null,
      readBytesPerSec: null,
      writeBytesPerSec: null,
      requestsPerSec: null,
      deviceIds: [name as DeviceId],
    }),
  );
  const devices = targets.map(
    ({ deviceIds: [deviceId], nodeId }): DeviceFacts => ({
      deviceId: deviceId!,
      nodeId,
      level: 'healthy',
      probability: null,
      horizonDays,
      levelSinceMs: null,
      assessedAtMs: null,
      judge: '',
      judgeKind: 'model',
      judgeSinceMs: null,
      saysItFails: false,
      evacuatingSinceMs: null,
      reasons: [],
    }),
  );
  const versionId = 'v' as VersionId;
  const replicas = names.map((name) => ({
    replicaId: name as ReplicaId,
    versionId,
    targetId: name as TargetId,
    state: 'verified' as const,
    verifiedAtMs: 0,
    createdAtMs: 0,
  }));
  const version = { versionId, versionMadeAtMs: 0, sizeBytes: bytes };
  const pointer = { primaryReplicaId: 'berlin' as ReplicaId, pointerRev: 1, replicas };
  const dataset = unusedDataset({ datasetId: 'all' as DatasetId, policy: { ...defaultPolicy, copies }, ...version, ...pointer, createdAtMs: 0 });
  const nodes = targets.map(({ nodeId, siteId }) => ({ nodeId, siteId, agentState: 'online' as const, lastHeardAtMs: 0, incarnation: 1 }));
  const snapshot: FleetSnapshot = {
    takenAtMs: 0,
    globalPolicy: defaultPolicy,
    priceRev: 1,
    nodes,
    devices,
    targets,
    datasets: [dataset],
    jobs: [],
    holds: [],
    shadowPrices: [],
  };
  return stakeOf(snapshot, devices[0]!, settings);
}
