import { z } from 'zod';
import { agentStates } from '../domain/agent-health.ts';
import { riskLevels } from '../domain/assessment.ts';
import { outcomeSources, outcomes } from '../domain/drive-outcome.ts';
import { locationKinds, targetStates, tierClasses } from '../domain/target.ts';
import { certificateBody } from './operations.ts';
import { planDifference } from './plan-difference.ts';
import { prices } from './prices.ts';

/** Moments are milliseconds since the epoch, by the control plane's clock; money is US dollars; every list answer is `{ items, next, asOfMs }`. */
export const listOf = <Item extends z.ZodType>(item: Item) => z.object({ items: z.array(item), next: z.string().nullable(), asOfMs: z.number() });

/** RFC 9457. `code` is stable; `fix` tells what to do; `errors` names fields. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  fix: z.string().optional(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  /** Of a plan that does not hold any more: what has changed, and the plan that is offered instead. */
  differences: z.array(planDifference).optional(),
  newPlanId: z.string().nullable().optional(),
});
export type Problem = z.infer<typeof problem>;

export const deviceView = z.object({
  deviceId: z.string(),
  nodeId: z.string(),
  siteId: z.string(),
  serial: z.string(),
  model: z.string(),
  kind: z.enum(['hdd', 'ssd', 'nvme']),
  capacityBytes: z.number(),
  path: z.string(),
  targetIds: z.array(z.string()),
  level: z.enum(riskLevels),
  probability: z.number().nullable(),
  /** Of failing within 7 days; null where what judged does not tell it. */
  probability7: z.number().nullable(),
  horizonDays: z.number(),
  judge: z.object({ kind: z.enum(['rule', 'model']), name: z.string(), version: z.string() }).nullable(),
  reasons: z.array(z.object({ text: z.string(), attribute: z.string(), value: z.number().nullable() })),
  /** Since when the level is what it is. */
  sinceMs: z.number().nullable(),
  lastReadingAtMs: z.number().nullable(),
  recordedDay: z.string().nullable(),
  temperatureCelsius: z.number().nullable(),
  powerOnHours: z.number().nullable(),
  /** Datasets with a counted copy on a target of this device. */
  datasets: z.number().int(),
  /** Counters that a person took for harmless; judged is what came since. */
  acknowledged: z.object({ counts: z.record(z.string(), z.number()), atMs: z.number(), by: z.string(), note: z.string().nullable() }).nullable(),
  /** What is done about the signs it gives, with what leaving it as it is and emptying it cost (null where nothing was weighed); null when nothing is done. */
  evacuation: z
    .object({
      verdict: z.enum(['evacuated', 'held', 'waits', 'watched']),
      reason: z.string(),
      leavingDollars: z.number().nullable(),
      movingDollars: z.number().nullable(),
    })
    .nullish(),
});
export type DeviceView = z.infer<typeof deviceView>;

/** POST /v1/devices/{deviceId}/acknowledge */
export const acknowledgeRequest = z.strictObject({ note: z.string().trim().max(500).optional() });

/** POST /v1/devices/{deviceId}/outcome; `alive` takes an earlier word back. */
export const deviceOutcomeRequest = z.strictObject({ outcome: z.enum(outcomes), note: z.string().trim().max(500).optional() });

/** What became of a drive. */
export const deviceOutcome = z.object({
  deviceId: z.string(),
  outcome: z.enum(outcomes),
  /** Of a drive that died, when it answered last. */
  atMs: z.number(),
  how: z.enum(outcomeSources),
  by: z.string(),
  note: z.string().nullable(),
});
export type DeviceOutcome = z.infer<typeof deviceOutcome>;

/** How a drive was emptied: from the alarm to when its last copy had left, as its certificate says. */
export const deviceEvacuation = z.object({
  certificateId: z.string(),
  /** Open while copies still leave. */
  state: z.enum(['open', 'complete']),
  openedAtMs: z.number(),
  alarm: certificateBody.shape.alarm,
  emptyAtMs: certificateBody.shape.emptyAtMs,
  /** Copies that left, and their bytes. */
  replicas: z.number().int(),
  bytes: z.number(),
  outcome: certificateBody.shape.outcome,
});
export type DeviceEvacuation = z.infer<typeof deviceEvacuation>;

/**
 * A drive's life, oldest first. Of many readings and assessments some are left out, evenly; the newest never is, nor an assessment at which
 * the level changed.
 */
export const deviceHistory = z.object({
  device: deviceView,
  /** What the kernel of its host counted of it, as of the newest reading that tells it; null: no reading does. */
  kernel: z
    .object({
      atMs: z.number(),
      block: z.string().nullable(),
      /** Since the drive appeared, at the last boot of the host as a rule. */
      ioErrors: z.number().nullable(),
      timeouts: z.number().nullable(),
      commands: z.number().nullable(),
      /** Since the reading before; mean times in milliseconds, null where there was no request of the kind. */
      since: z
        .object({
          overMs: z.number(),
          ioErrors: z.number().nullable(),
          timeouts: z.number().nullable(),
          reads: z.number(),
          writes: z.number(),
          readBytes: z.number(),
          writtenBytes: z.number(),
          msPerRead: z.number().nullable(),
          msPerWrite: z.number().nullable(),
          msPerDiscard: z.number().nullable(),
          msPerFlush: z.number().nullable(),
          inFlight: z.number(),
          busy: z.number(),
        })
        .nullable(),
      /** Why what is null above is not known, in words. */
      unknownBecause: z.string().nullable(),
    })
    .nullable()
    .default(null),
  /** Null: nothing became of it, it works. */
  outcome: deviceOutcome.nullable().default(null),
  evacuations: z.array(deviceEvacuation).default([]),
  /** How many are kept in the database. */
  stored: z.object({ readings: z.number().int(), assessments: z.number().int() }),
  readings: z.array(
    z.object({
      atMs: z.number(),
      recordedDay: z.string().nullable(),
      status: z.enum(['read', 'asleep', 'unreadable']),
      smart: z.record(z.string(), z.number()),
      /** What a drive on NVMe tells instead of attributes. */
      nvme: z.object({ percentageUsed: z.number().nullable(), availableSparePercent: z.number().nullable(), mediaErrors: z.number().nullable() }).nullable(),
      /** By the kernel's counts: errors since the drive appeared, and the mean times since the reading before. */
      kernel: z
        .object({ ioErrors: z.number().nullable(), timeouts: z.number().nullable(), msPerRead: z.number().nullable(), msPerWrite: z.number().nullable() })
        .nullable()
        .default(null),
      temperatureCelsius: z.number().nullable(),
    }),
  ),
  assessments: z.array(
    z.object({
      atMs: z.number(),
      recordedDay: z.string().nullable(),
      level: z.enum(riskLevels),
      probability: z.number().nullable(),
      judge: z.object({ kind: z.enum(['rule', 'model']), name: z.string(), version: z.string() }),
      reasons: z.array(z.string()),
    }),
  ),
});
export type DeviceHistory = z.infer<typeof deviceHistory>;

export const targetView = z.object({
  targetId: z.string(),
  nodeId: z.string(),
  siteId: z.string(),
  state: z.enum(targetStates),
  stateReason: z.string().nullable(),
  tier: z.enum(tierClasses),
  locationKind: z.enum(locationKinds),
  provider: z.string(),
  region: z.string(),
  failureDomain: z.string(),
  encryptedAtRest: z.boolean(),
  root: z.string(),
  priceClass: z.string(),
  prices: prices.nullable(),
  capacityBytes: z.number(),
  usedBytes: z.number(),
  /** Promised to jobs that are under way. */
  reservedBytes: z.number(),
  /** Held for moves of plans that are not jobs yet; free to safety. */
  plannedBytes: z.number().optional(),
  freeBytes: z.number(),
  latencyP50Ms: z.number().nullable(),
  latencyP95Ms: z.number().nullable(),
  latencyP99Ms: z.number().nullable(),
  readBytesPerSec: z.number().nullable(),
  writeBytesPerSec: z.number().nullable(),
  measuredAtMs: z.number().nullable(),
  deviceIds: z.array(z.string()),
  /** The worst level of its devices. */
  risk: z.enum(riskLevels),
  replicas: z.number().int(),
  costPerMonth: z.number(),
});
export type TargetView = z.infer<typeof targetView>;

export const nodeView = z.object({
  nodeId: z.string(),
  siteId: z.string(),
  host: z.string(),
  agentState: z.enum(agentStates),
  agentVersion: z.string().nullable(),
  /** The failure model that it judges drives by; null: rules. */
  modelVersion: z.string().nullable(),
  incarnation: z.number().int(),
  lastHeardAtMs: z.number().nullable(),
  transferUrl: z.string().nullable(),
  importRoots: z.array(z.string()),
  targets: z.number().int(),
  devices: z.number().int(),
  worstRisk: z.enum(riskLevels),
  runningJobs: z.number().int(),
});
export type NodeView = z.infer<typeof nodeView>;

export const nodeDetail = z.object({ node: nodeView, targets: z.array(targetView), devices: z.array(deviceView) });
export type NodeDetail = z.infer<typeof nodeDetail>;

/** The sentence at the top of the console, and what stands behind it. */
export const fleetStatus = z.object({
  sentence: z.string(),
  safe: z.boolean(),
  asOfMs: z.number(),
  version: z.string(),
  mode: z.enum(['embedded', 'postgres']),
  uptimeMs: z.number(),
  storeEpoch: z.string(),
  nodes: z.object({ total: z.number(), online: z.number(), lost: z.number() }),
  devices: z.object({ total: z.number(), risky: z.number(), watched: z.number() }),
  targets: z.object({ total: z.number(), ok: z.number() }),
  /**
   * `short`: fewer verified copies than wanted; `infeasible`: no places meet all rules of its policy together, however many of its copies
   * are there, so it may be counted as short too; `empty`: no version is committed yet.
   */
  datasets: z.object({
    total: z.number(),
    met: z.number(),
    short: z.number(),
    infeasible: z.number(),
    empty: z.number(),
    hot: z.number(),
    warm: z.number(),
    cold: z.number(),
  }),
  jobs: z.object({ running: z.number(), waiting: z.number(), failed: z.number() }),
  cost: z.object({ perMonth: z.number(), byTier: z.record(z.string(), z.number()), byOwner: z.record(z.string(), z.number()) }),
  capacity: z.array(
    z.object({ tier: z.enum(tierClasses), capacityBytes: z.number(), usedBytes: z.number(), reservedBytes: z.number(), costPerMonth: z.number() }),
  ),
  lastHour: z.array(z.object({ atMs: z.number(), text: z.string() })),
});
export type FleetStatus = z.infer<typeof fleetStatus>;
