import type { Clock } from '@data-in-motion/shared/clock';
import type { Random } from '@data-in-motion/shared/random';
import type { SigningKey } from '@data-in-motion/shared/signature';
import type { Bus } from '../broker/bus.ts';
import type { ControlLoop } from '../control-loop.ts';
import type { Dispatch } from '../dispatch/dispatch.ts';
import type { DecisionSettings } from '../fleet/decision-settings.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Store } from '../store/database.ts';
import type { FleetReader } from './fleet-reader.ts';

/** What the handlers stand on. */
export interface ApiContext {
  readonly store: Store;
  readonly bus: Bus;
  readonly loop: ControlLoop;
  readonly dispatch: Dispatch;
  readonly fleet: FleetReader;
  readonly metrics: Metrics;
  readonly signingKey: SigningKey;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: {
    readonly version: string;
    readonly publicUrl: () => string;
    readonly mqttUrl: () => string;
    readonly startedAtMs: number;
    readonly chaosAllowed: boolean;
    readonly scrubEveryMs: number;
    /** What decisions are made with, so that explanations say the same. */
    readonly decisions: DecisionSettings;
    readonly consoleDirectory: string | null;
  };
}
