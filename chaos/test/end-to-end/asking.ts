import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { type DatasetDetail, datasetDetail, datasetView } from '@data-in-motion/shared/api/datasets';
import { type JobView, jobView } from '@data-in-motion/shared/api/decisions';
import { nodeView, targetView } from '@data-in-motion/shared/api/fleet';
import { systemClock } from '@data-in-motion/shared/clock';
import { endedJobStates } from '@data-in-motion/shared/domain/job';
import { Failure } from '@data-in-motion/shared/failure';
import { expect } from 'vitest';
import { z } from 'zod';
import { readSettings } from '../../src/config.ts';
import { type InvariantName, invariantNames, invariants } from '../../src/invariants/catalogue.ts';
import type { KnownTarget, Witness } from '../../src/invariants/invariant.ts';
import type { Stage } from './stage.ts';

/** What a suite asks of the fleet on its stage, and what it waits for: by the interface, and by the operator's command line. */

const lookEveryMs = 150;
const repository = path.resolve(import.meta.dirname, '../../..');
const anything = z.looseObject({});

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
