import type { DeviceId } from './ids.ts';

/** `healthy` nothing to see · `watch` a sign, no action · `at-risk` evacuate · `failing` evacuate now · `unknown` it can not be judged, because. */
export const riskLevels = ['healthy', 'watch', 'at-risk', 'failing', 'unknown'] as const;
export type RiskLevel = (typeof riskLevels)[number];

export interface AssessmentReason {
  /** A sentence for a person, with the value in it. */
  readonly text: string;
  /** `smart.197`, `nvme.availableSparePercent`, `self-assessment` … */
  readonly attribute: string;
  readonly value: number | null;
}

/** What the agent concludes from a device's readings. */
export interface Assessment {
  readonly deviceId: DeviceId;
  readonly atMs: number;
  readonly recordedDay: string | null;
  readonly level: RiskLevel;
  /** Probability of failure within `horizonDays`; null when it can not be judged. */
  readonly probability: number | null;
  /** Probability of failure within 7 days; null or absent when what judged does not tell it. */
  readonly probability7?: number | null;
  readonly horizonDays: number;
  /** What judged: a published rule, or a learned model where there is one for such drives. */
  readonly judge: { readonly kind: 'rule' | 'model'; readonly name: string; readonly version: string };
  readonly reasons: readonly AssessmentReason[];
}

/** Levels from which a copy does not count on and data moves away. */
export function isRisky(level: RiskLevel): boolean {
  return level === 'at-risk' || level === 'failing';
}
