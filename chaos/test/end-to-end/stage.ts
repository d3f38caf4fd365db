import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type DatasetDetail, datasetDetail, datasetView } from '@data-in-motion/shared/api/datasets';
import { type JobView, jobView } from '@data-in-motion/shared/api/decisions';
import { nodeView, targetView } from '@data-in-motion/shared/api/fleet';
import { type ConsistencyView, consistencyView } from '@data-in-motion/shared/api/operations';
import { systemClock } from '@data-in-motion/shared/clock';
import { endedJobStates } from '@data-in-motion/shared/domain/job';
import { Failure } from '@data-in-motion/shared/failure';
import { describe, expect, test as vitestTest } from 'vitest';
import { z } from 'zod';
import { hasMosquitto, hasPostgres, type MosquittoServer, type PostgresServer, startMosquitto, startPostgres } from '../../../control-plane/test/servers.ts';
import { readSettings } from '../../src/config.ts';
import type { Fleet, FleetSettings } from '../../src/fleet/fleet.ts';
import { hurriedLife } from '../../src/fleet/life-settings.ts';
import { startFleet } from '../../src/fleet/local-fleet.ts';
import { removeTree } from '../../src/fleet/remove-tree.ts';
import { type InvariantName, invariantNames, invariants } from '../../src/invariants/catalogue.ts';
import type { KnownTarget, Witness } from '../../src/invariants/invariant.ts';
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
const usualServers = process.env.DIM_TEST_SERVERS === 'outside' ? 'outside' : 'embedded';

/** For suites that choose no servers: skipped when they should run with servers that are not installed, which is told by name. */
export const test = vitestTest.skipIf(usualServers === 'outside' && !hasServers);

/** A suite for each way to run a fleet: embedded, and with a PostgreSQL and a Mosquitto; what is not installed is named and skipped. */
export function describeEveryWay(suite: (servers: 'embedded' | 'outside') => void): void {
  for (const servers of ['embedded', 'outside'] as const) describe.skipIf(servers === 'outside' && !hasServers)(servers, () => suite(servers));
}

/** For a fleet to start and to be filled, on a machine that has other things to do. */
export const startMs = 240_000;

const lookEveryMs = 150;
const repository = path.resolve(import.meta.dirname, '../../..');
const anything = z.looseObject({});

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
  const directory = mkdtempSync(path.join(tmpdir(), `dim-${suite}-`));
  const scratch = path.join(directory, 'scratch');
  const home = path.join(directory, 'home');
  const outside = servers === 'outside' ? await startServers() : undefined;
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

/** Look again and again until `look` answers something; a control plane that is away for a moment is waited for. Throws with what was last seen. */
export async function until<T>(what: string, withinSeconds: number, look: (seen: (text: string) => void) => Promise<T | undefined>): Promise<T> {
  const untilMs = systemClock.monotonicMs() + withinSeconds * 1_000;
  let last = 'nothing yet';
  for (;;) {
    try {
      const found = await look((text) => (last = text));
      if (found !== undefined) return found;
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'unavailable') throw error;
      last = error.message;
    }
    if (systemClock.monotonicMs() > untilMs) throw new Error(`Waited ${withinSeconds} s for ${what}; last: ${last}`);
    await systemClock.sleep(lookEveryMs);
  }
}

/** Ask until somebody answers: for requests in the middle of a kill. A change that was made although its answer was lost is told as a conflict by the second try, which then counts as done. */
export async function insistently<T>(ask: () => Promise<T>, withinSeconds = 60): Promise<T | 'done before'> {
  let lost = false;
  return until('an answer', withinSeconds, async () => {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof Failure && error.kind === 'unavailable') lost = true;
      if (lost && error instanceof Failure && error.kind === 'refused' && /exists|conflict|taken/.test(error.code)) return 'done before';
      throw error;
    }
  });
}

export type Policy = Readonly<Record<string, unknown>>;

/** Register a dataset from a directory of a node's host or from a sample. */
export async function add({ fleet }: Stage, name: string, source: Readonly<Record<string, unknown>>, policy: Policy = {}): Promise<void> {
  await insistently(() => fleet.api.call('addDataset', anything, { body: { name, owner: 'end-to-end', source, policy } }));
}

export async function setPolicy({ fleet }: Stage, datasetId: string, set: Policy): Promise<void> {
  await insistently(() => fleet.api.call('patchDatasetPolicy', anything, { path: { datasetId }, body: { set } }));
}

export function detailOf({ fleet }: Stage, datasetId: string): Promise<DatasetDetail> {
  return fleet.api.call('dataset', datasetDetail, { path: { datasetId } });
}

/** Every job, newest first; with `withTransitions` each with what it went through. */
export async function jobsOf({ fleet }: Stage, query: Readonly<Record<string, string>> = {}): Promise<JobView[]> {
  return (await fleet.api.list('jobs', jobView, query)).items;
}

export function says(detail: DatasetDetail): string {
  const { dataset, replicas } = detail;
  return `${dataset.datasetId} is ${dataset.policyState}, ${dataset.copiesVerified} of ${dataset.copiesWanted} copies: ${replicas.map((one) => `${one.targetId} ${one.state}${one.primary ? '*' : ''}`).join(', ')}; ${detail.history
    .slice(0, 3)
    .map((line) => line.text)
    .join(' | ')}`;
}

/** The policy is met: as many verified copies as wanted, all of the current version. */
export function untilMet(stage: Stage, datasetId: string, withinSeconds = 90): Promise<DatasetDetail> {
  return until(`${datasetId} to be met`, withinSeconds, async (seen) => {
    const detail = await detailOf(stage, datasetId);
    seen(says(detail));
    return detail.dataset.policyState === 'met' && detail.dataset.copiesVerified >= detail.dataset.copiesWanted ? detail : undefined;
  });
}

/** Nothing under way any more, and every dataset that has a version met. */
export function untilQuiet(stage: Stage, withinSeconds = 120): Promise<JobView[]> {
  return until('the fleet to be at rest', withinSeconds, async (seen) => {
    const jobs = await jobsOf(stage);
    const open = jobs.filter((job) => !endedJobStates.includes(job.state));
    const unmet = (await stage.fleet.api.list('datasets', datasetView)).items.filter((one) => one.policyState !== 'met');
    const datasets = await Promise.all(unmet.map((one) => detailOf(stage, one.datasetId)));
    const nodes = (await stage.fleet.api.list('nodes', nodeView)).items.filter((one) => one.agentState !== 'online');
    seen(
      [
        ...open.map((job) => `${job.jobId} ${job.purpose} of ${job.datasetId} is ${job.state} (${job.waitingBecause ?? job.error?.message ?? ''})`),
        ...nodes.map((one) => `${one.nodeId} is ${one.agentState}`),
        ...datasets.map((one) => `${says(one)}; ${one.findings.map((finding) => `${finding.text} ${finding.remedy}`).join(' ')}`),
      ].join('; '),
    );
    return open.length === 0 && datasets.length === 0 ? jobs : undefined;
  });
}

/** The catalogue's promises, over everything that the fleet holds: at once those that always hold, and in a while those that hold again after a disturbance. */
export async function expectPromises(stage: Stage, names: readonly InvariantName[]): Promise<void> {
  for (const name of names) {
    const { says: promise, when, check } = invariants[name];
    const look = async () => check(await witnessOf(stage));
    if (when === 'always') {
      const { holds, detail } = await look();
      expect(holds, `${promise}: ${detail}`).toBe(true);
    } else
      await until(`${name} (${promise})`, 60, async (seen) => {
        const { holds, detail } = await look();
        seen(detail);
        return holds ? true : undefined;
      });
  }
}

/** All of them: for the end of a suite that comes to rest. */
export function expectEveryPromise(stage: Stage): Promise<void> {
  return expectPromises(stage, invariantNames);
}

export async function witnessOf({ fleet, consistencyBefore }: Stage): Promise<Witness> {
  const datasets = (await fleet.api.list('datasets', datasetView)).items;
  const known = datasets.flatMap(({ datasetId, root, versionId }) => (root === null || versionId === null ? [] : [{ datasetId, root, versionId }]));
  const targets: KnownTarget[] = (await fleet.api.list('targets', targetView)).items.map(({ targetId, nodeId, root }) => ({ targetId, nodeId, root }));
  return { api: fleet.api, known, targets, experimentIds: [], datasetIds: datasets.map((one) => one.datasetId), sinceSeq: 0, consistencyBefore };
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The operator's command line, as a process, for this fleet. */
export async function dim({ fleet }: Stage, ...args: readonly string[]): Promise<Ran> {
  const program = path.join(repository, 'control-plane/src/cli/dim.mjs');
  const env = { ...readSettings({ ...process.env, DIM_HOME: fleet.home.directory }).environment, DIM_HOME: fleet.home.directory };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...args], { env, maxBuffer: 64e6 });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}
