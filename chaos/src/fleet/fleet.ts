import type { RouteCaller } from '@data-in-motion/shared/api/route-caller';
import type { Clock } from '@data-in-motion/shared/clock';
import type { Home } from './home.ts';
import type { LocalNode } from './local-sites.ts';
import type { ProcessExit } from './supervised-process.ts';

export interface FleetSettings {
  /** DIM_HOME: everything the fleet keeps. */
  readonly home: string;
  /** Forget first what an earlier fleet left there. */
  readonly fresh?: boolean;
  /** Gives a start up: what is running already is ended in order, and the start is refused. */
  readonly signal?: AbortSignal;
  /** 0 takes a free port, which stays the same as long as this fleet runs. */
  readonly httpPort: number;
  readonly mqttPort: number;
  /** Given to every child; a child sees nothing else of our environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** More environment for the control plane: its settings, DATABASE_URL, MQTT_URL. */
  readonly controlPlane?: Readonly<Record<string, string>>;
  /** More settings for every agent, over those that the fleet writes. */
  readonly agents?: Readonly<Record<string, unknown>>;
  readonly nodes?: readonly LocalNode[];
  readonly importRoots?: readonly string[];
  /** Pace of the replayed drives. */
  readonly secondsPerDay?: number;
  readonly clock?: Clock;
  /** A step that begins or ended, in words. */
  readonly onStep?: (text: string) => void;
  readonly onExit?: (exit: ProcessExit) => void;
  /** Other programs in place of ours, for the fleet's own tests. */
  readonly programs?: { readonly controlPlane: string; readonly agent: string };
}

export interface Fleet {
  readonly url: string;
  readonly mqttUrl: string;
  readonly apiKey: string;
  readonly api: RouteCaller;
  readonly home: Home;
  readonly nodeIds: readonly string[];
  /** Directory of a target's bytes. */
  targetRoot(targetId: string): string;
  processId(name: string): number | undefined;
  /** End a process; its supervisor starts it again. Resolves when the process is gone. */
  kill(nodeId: string, signal?: NodeJS.Signals): Promise<void>;
  killControlPlane(signal?: NodeJS.Signals): Promise<void>;
  /** All of them in the same moment, as when the power fails. */
  killEverything(): Promise<void>;
  /** Take an agent down until `startNode`. */
  stopNode(nodeId: string, how?: 'orderly' | 'killed'): Promise<void>;
  startNode(nodeId: string): void;
  stopControlPlane(how?: 'orderly' | 'killed'): Promise<void>;
  startControlPlane(): void;
  /** Resolves when the control plane answers and every agent that should run is heard. */
  untilReady(limitMs?: number): Promise<void>;
  /** The console's address with a token that is good once. */
  loginUrl(): Promise<string>;
  /** Agents first, then the control plane; whoever does not end in time is killed. */
  stop(): Promise<void>;
}
