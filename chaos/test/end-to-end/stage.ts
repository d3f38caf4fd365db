import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ConsistencyView, consistencyView } from '@data-in-motion/shared/api/operations';
import { describe, test as vitestTest } from 'vitest';
import { hasMosquitto, hasPostgres, type MosquittoServer, type PostgresServer, startMosquitto, startPostgres } from '../../../control-plane/test/servers.ts';
import { readSettings } from '../../src/config.ts';
import type { Fleet, FleetSettings } from '../../src/fleet/fleet.ts';
import { hurriedLife } from '../../src/fleet/life-settings.ts';
import { startFleet } from '../../src/fleet/local-fleet.ts';
import { removeTree } from '../../src/fleet/remove-tree.ts';
import { prepareHome } from '../prepare-home.ts';

/** A fleet of real processes for one test file, in a directory that is gone afterwards. */
export interface Stage {
  readonly fleet: Fleet;
  /** For trees to import and files to write; outside of the fleet's own directory. */
  readonly scratch: string;
  readonly seed: number;
  /** The servers that other people would run; undefined where broker and database are embedded. */
  readonly outside: OutsideServers | undefined;
  readonly consistencyBefore: ConsistencyView;
  /** Everything of the fleet is ended and removed. */
  close(): Promise<void>;
}

interface OutsideServers {
  readonly postgres: PostgresServer;
  readonly mosquitto: MosquittoServer;
}

const hasServers = hasPostgres && hasMosquitto;
/** `DIM_TEST_SERVERS=outside` runs those suites that choose no servers with a PostgreSQL and a Mosquitto instead of the embedded ones. */
export const usualServers = process.env.DIM_TEST_SERVERS === 'outside' ? 'outside' : 'embedded';

/** For suites that choose no servers: skipped when they should run with servers that are not installed, which is told by name. */
export const test = vitestTest.skipIf(usualServers === 'outside' && !hasServers);

/** A suite for each way to run a fleet: embedded, and with a PostgreSQL and a Mosquitto; what is not installed is named and skipped. */
export function describeEveryWay(suite: (servers: 'embedded' | 'outside') => void): void {
  for (const servers of ['embedded', 'outside'] as const) describe.skipIf(servers === 'outside' && !hasServers)(servers, () => suite(servers));
}

/** For a fleet to start and to be filled, on a machine that has other things to do. */
export const startMs = 240_000;

/** `DIM_TEST_SEED` repeats a run; otherwise every run is another one. Printed, so that it can be repeated. */
function chooseSeed(suite: string): number {
  const given = Number(process.env.DIM_TEST_SEED ?? '');
  const seed = given > 0 ? given : Math.floor(Math.random() * 2 ** 31);
  console.log(`${suite}: seed ${seed} (DIM_TEST_SEED=${seed} repeats it)`);
  return seed;
}

const opened: Promise<Stage>[] = [];

/** Start the fleet in a hurry: grace, trash, lost and lease times are seconds. */
export function openStage(suite: string, settings: StageSettings = {}): Promise<Stage> {
  const stage = start(suite, settings);
  opened.push(stage);
  return stage;
}

/** For `afterAll`: also a fleet whose start took longer than the hook that waited for it is ended, or it would outlive the test. */
export async function closeStages(): Promise<void> {
  for (const stage of opened.splice(0)) await (await stage.catch(() => undefined))?.close();
}

type StageSettings = Partial<FleetSettings> & {
  readonly seed?: number;
  /** `outside`: a PostgreSQL and a Mosquitto of its own instead of the embedded ones. */
  readonly servers?: 'embedded' | 'outside';
};

async function start(suite: string, { servers = usualServers, ...settings }: StageSettings): Promise<Stage> {
  const seed = settings.seed ?? chooseSeed(servers === 'outside' ? `${suite} with PostgreSQL and Mosquitto` : suite);
  const outside = servers === 'outside' ? await startServers() : undefined;
  const directory = mkdtempSync(path.join(tmpdir(), `dim-${suite}-`));
  const scratch = path.join(directory, 'scratch');
  const home = path.join(directory, 'home');
  let fleet: Fleet | undefined;
  const close = async (): Promise<void> => {
    try {
      await fleet?.stop();
    } finally {
      await Promise.all([outside?.mosquitto.stop(), outside?.postgres.stop()]);
      removeTree(directory);
    }
  };
  try {
    if (outside === undefined) await prepareHome(home);
    fleet = await startFleet({
      home,
      httpPort: 0,
      mqttPort: 0,
      environment: readSettings({ ...process.env, DIM_HOME: directory }).environment,
      secondsPerDay: 600,
      ...settings,
      controlPlane: {
        ...hurriedLife,
        DIM_LOG_LEVEL: 'warn',
        ...(outside === undefined ? {} : { DATABASE_URL: outside.postgres.url, MQTT_URL: outside.mosquitto.url }),
        ...settings.controlPlane,
      },
      agents: { quietMs: 0, logLevel: 'warn', ballastBytes: 0, ...settings.agents },
    });
    return { fleet, scratch, seed, outside, consistencyBefore: await fleet.api.call('consistency', consistencyView), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startServers(): Promise<OutsideServers> {
  const postgres = await startPostgres();
  try {
    return { postgres, mosquitto: await startMosquitto() };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}
