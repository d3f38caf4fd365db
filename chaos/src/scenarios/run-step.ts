import { datasetDetail } from '@data-in-motion/shared/api/datasets';
import { jobView } from '@data-in-motion/shared/api/decisions';
import { type DeviceView, deviceView } from '@data-in-motion/shared/api/fleet';
import type { RouteCaller } from '@data-in-motion/shared/api/route-caller';
import type { Clock } from '@data-in-motion/shared/clock';
import { isRisky } from '@data-in-motion/shared/domain/assessment';
import { Failure } from '@data-in-motion/shared/failure';
import type { Random } from '@data-in-motion/shared/random';
import { z } from 'zod';
import { armFault, undoAll } from '../faults/arm-fault.ts';
import { chooseSubject } from '../faults/choose-subject.ts';
import { killProcesses } from '../faults/kill-process.ts';
import type { PlainStep } from './scenario.ts';

/** What a step works with, and what the run remembers of it. */
export interface Stage {
  readonly api: RouteCaller;
  /** DIM_HOME of the fleet, for killing its processes; null when it is not one of this machine. */
  readonly home: string | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly seed: number;
  /** Makes this run's datasets different from those of any other. */
  readonly mark: string;
  readonly experimentIds: string[];
  readonly datasetIds: string[];
}

const lookEveryMs = 150;
/** A control plane that was killed is back within this. */
const patienceMs = 60_000;

/** Do one step; answers what was done, in words. @throws `refused` when what is waited for does not come in time */
export async function runStep(step: PlainStep, stage: Stage): Promise<string> {
  const { api, clock } = stage;
  if ('add' in step) return addDataset(stage, step.add);
  if ('import' in step) {
    await patiently(stage, () =>
      api.call('addVersion', z.looseObject({}), {
        path: { datasetId: datasetId(stage, step.import.dataset) },
        body: { source: sampleOf(stage, step.import.sizeMb) },
      }),
    );
    return `a new version of ${step.import.dataset}, ${step.import.sizeMb} MB`;
  }
  if ('until' in step) return untilDataset(stage, step.until);
  if ('until-job' in step) return untilJob(stage, step['until-job']);
  if ('arm' in step) return arm(stage, step.arm);
  if ('undo' in step) {
    await patiently(stage, () => undoAll(api));
    return 'undo all faults';
  }
  if ('kill' in step) return kill(stage, step.kill);
  if ('pause' in step) {
    const ms = 1_000 * ('seconds' in step.pause ? step.pause.seconds : step.pause.upToSeconds * stage.random.next());
    await clock.sleep(ms);
    return `pause ${(ms / 1_000).toFixed(2)} s`;
  }
  if ('read' in step) {
    const id = datasetId(stage, step.read.dataset);
    await patiently(stage, () =>
      api.call('accessEvents', z.looseObject({}), { body: { accesses: [{ datasetId: id, kind: 'read', count: step.read.times, bytes: 0 }] } }),
    );
    return `${step.read.times} reads of ${step.read.dataset}`;
  }
  if ('verify' in step) {
    await patiently(stage, () => api.call('verifyDataset', z.looseObject({}), { path: { datasetId: datasetId(stage, step.verify.dataset) }, body: {} }));
    return `read every copy of ${step.verify.dataset} again`;
  }
  throw new Failure('defect', { code: 'scenario.unknown-step', message: `No such step: ${JSON.stringify(step)}` });
}

function datasetId(stage: Stage, name: string): string {
  return `${name}-${stage.mark}`;
}

function sampleOf(stage: Stage, sizeMb: number): { sampleBytes: number; seed: number } {
  return { sampleBytes: Math.round(sizeMb * 1e6), seed: stage.seed + stage.datasetIds.length };
}

async function addDataset(stage: Stage, wanted: { dataset: string; sizeMb: number; policy: unknown }): Promise<string> {
  const name = datasetId(stage, wanted.dataset);
  await patiently(stage, () =>
    stage.api.call('addDataset', z.looseObject({}), { body: { name, owner: 'chaos', source: sampleOf(stage, wanted.sizeMb), policy: wanted.policy } }),
  );
  stage.datasetIds.push(name);
  return `add ${name}, ${wanted.sizeMb} MB`;
}

async function arm(
  stage: Stage,
  wanted: { fault: Parameters<typeof armFault>[1]['kind']; subject: string; parameters: Record<string, string | number>; seconds: number },
): Promise<string> {
  const subject = await chooseSubject(stage.api, wanted.subject, (name) => datasetId(stage, name));
  const made = await armFault(stage.api, { kind: wanted.fault, subject, parameters: wanted.parameters, ttlMs: wanted.seconds * 1_000, seed: stage.seed });
  stage.experimentIds.push(made.experimentId);
  return `${wanted.fault} on ${subject} for ${wanted.seconds} s`;
}

async function kill(stage: Stage, wanted: string): Promise<string> {
  if (stage.home === null) {
    throw new Failure('refused', {
      code: 'fleet.elsewhere',
      message: 'Processes can only be killed in a local fleet: the one that this is played on is not that of DIM_HOME.',
      hint: 'Set DIM_HOME to the directory of the fleet that is meant, or give --own-fleet.',
    });
  }
  const name = await chooseSubject(stage.api, wanted, (dataset) => datasetId(stage, dataset));
  const killed = await killProcesses(stage.home, name === 'everything' ? 'everything' : [name]);
  return `kill -9 ${killed.join(', ') || 'nothing: it was dead already'}`;
}

type DatasetCondition = 'copied' | 'met' | 'off-risky-devices' | 'copy-found-bad';

async function untilDataset(stage: Stage, wanted: { dataset: string; is: DatasetCondition; withinSeconds: number }): Promise<string> {
  const id = datasetId(stage, wanted.dataset);
  const tookMs = await until(stage, wanted.withinSeconds, `${wanted.dataset} to be ${wanted.is}`, async () => {
    const detail = await stage.api.call('dataset', datasetDetail, { path: { datasetId: id } });
    const { dataset, replicas } = detail;
    const seen = `policy ${dataset.policyState}, ${dataset.copiesVerified} of ${dataset.copiesWanted} copies`;
    if (wanted.is === 'copied') return [dataset.copiesVerified >= 1, seen];
    if (wanted.is === 'met') return [dataset.policyState === 'met' && dataset.copiesVerified >= dataset.copiesWanted, seen];
    if (wanted.is === 'copy-found-bad')
      return [
        replicas.some((one) => one.state === 'corrupt' || one.state === 'missing') || detail.history.some((line) => /corrupt|missing|differs/.test(line.text)),
        replicas.map((one) => one.state).join(', '),
      ];
    const risky = (await stage.api.list('devices', deviceView)).items.filter((device) => isRisky(device.level));
    return isOffRisky(risky, replicas, dataset.policyState === 'met', seen);
  });
  return `${wanted.dataset} is ${wanted.is} after ${(tookMs / 1_000).toFixed(1)} s`;
}

/** A drive whose evacuation was decided must have no copy left. One that is only watched, or waits, keeps its copies: that is said, and it is not waited for. */
export function isOffRisky(
  risky: readonly Pick<DeviceView, 'deviceId' | 'targetIds' | 'evacuation'>[],
  replicas: readonly { readonly state: string; readonly targetId: string }[],
  isMet: boolean,
  seen: string,
): readonly [boolean, string] {
  const leaving = risky.filter((device) => device.evacuation?.verdict === 'evacuated');
  const under = new Set(leaving.flatMap((device) => device.targetIds));
  const on = replicas.filter((one) => one.state === 'verified' && under.has(one.targetId)).map((one) => one.targetId);
  const kept = risky.filter((device) => !leaving.includes(device)).map((device) => `${device.deviceId} (${device.evacuation?.verdict ?? 'nothing decided'})`);
  const others = kept.length === 0 ? '' : `; risky but not being emptied: ${kept.join(', ')}`;
  return [
    leaving.length > 0 && on.length === 0 && isMet,
    `devices being emptied: ${leaving.length}, copies on them: ${on.join(', ') || 'none'}${others}; ${seen}`,
  ];
}

async function untilJob(stage: Stage, wanted: { dataset: string; state: string | readonly string[]; withinSeconds: number }): Promise<string> {
  const states = [wanted.state].flat();
  let found = '';
  const tookMs = await until(stage, wanted.withinSeconds, `a job of ${wanted.dataset} to be ${states.join(' or ')}`, async () => {
    const { items } = await stage.api.list('jobs', jobView, { dataset: datasetId(stage, wanted.dataset) });
    const job = items.find((one) => states.includes(one.state));
    if (job !== undefined) found = `${job.purpose} ${job.jobId} is ${job.state}`;
    return [job !== undefined, items.map((one) => `${one.purpose} ${one.state}`).join(', ')];
  });
  return `${found} after ${(tookMs / 1_000).toFixed(1)} s`;
}

/** @param look answers whether it is so, and what was seen */
async function until(stage: Stage, withinSeconds: number, what: string, look: () => Promise<readonly [boolean, string]>): Promise<number> {
  const beganAtMs = stage.clock.monotonicMs();
  for (;;) {
    const [so, seen] = await patiently(stage, look);
    const tookMs = stage.clock.monotonicMs() - beganAtMs;
    if (so) return tookMs;
    if (tookMs > withinSeconds * 1_000)
      throw new Failure('refused', { code: 'scenario.not-in-time', message: `Waited ${withinSeconds} s for ${what}; it was: ${seen}.` });
    await stage.clock.sleep(lookEveryMs);
  }
}

/** A control plane that is being started again does not answer: that is part of the scenario, for a while. */
export async function patiently<T>(stage: Pick<Stage, 'clock'>, ask: () => Promise<T>): Promise<T> {
  const untilMs = stage.clock.monotonicMs() + patienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'unavailable' || stage.clock.monotonicMs() > untilMs) throw error;
      await stage.clock.sleep(lookEveryMs);
    }
  }
}
