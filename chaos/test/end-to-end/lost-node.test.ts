import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { DatasetDetail } from '@data-in-motion/shared/api/datasets';
import { eventView } from '@data-in-motion/shared/api/decisions';
import { nodeDetail } from '@data-in-motion/shared/api/fleet';
import { endedJobStates } from '@data-in-motion/shared/domain/job';
import { afterAll, beforeAll, expect } from 'vitest';
import { copiesOn } from '../../src/invariants/one-good-copy.ts';
import { add, detailOf, expectEveryPromise, expectPromises, jobsOf, says, setPolicy, until, untilMet, untilQuiet, witnessOf } from './asking.ts';
import { flipByte } from './flip-byte.ts';
import { closeStages, openStage, type Stage, startMs, test } from './stage.ts';

/** A node goes away for good, as far as anybody can tell; later it comes back, and not everything on it is as it was. */

const datasets = ['kept', 'deleted', 'spoiled'] as const;
let stage: Stage;
/** Of each dataset the copy on the node that goes away. */
const away = new Map<string, DatasetDetail['replicas'][number]>();
const lost = 'frankfurt';
let returnedAtMs = 0;

beforeAll(async () => {
  stage = await openStage('lost-node', { controlPlane: { DIM_LOST_AFTER_MS: '9000' } });
  for (const [i, name] of datasets.entries())
    await add(stage, name, { nodeId: 'berlin', sampleBytes: 3_000_000, seed: stage.seed + i }, { pinnedTargets: ['berlin-archive', 'frankfurt-disk'] });
  for (const name of datasets) {
    const { replicas } = await untilMet(stage, name);
    away.set(name, replicas.find((one) => one.nodeId === lost && one.state === 'verified')!);
    // Free to be anywhere from now on, but nothing moves for the price alone.
    await setPolicy(stage, name, { pinnedTargets: [], mode: 'advisory' });
  }
}, startMs);
afterAll(closeStages, startMs);

test('the copies of an agent that does not return are made again at another site', { timeout: 120_000 }, async () => {
  expect([...away.values()].map((one) => one?.nodeId)).toEqual(datasets.map(() => lost));
  await stage.fleet.stopNode(lost, 'killed');
  await untilNode(lost, 'lost');
  for (const name of datasets) {
    const { replicas } = await untilMet(stage, name);
    const counted = replicas.filter((one) => one.state === 'verified');
    expect(new Set(counted.map((one) => one.nodeId)).size, name).toBe(2);
    expect(
      counted.map((one) => one.nodeId),
      name,
    ).not.toContain(lost);
    expect(replicas.find((one) => one.replicaId === away.get(name)!.replicaId)?.state, name).toBe('suspect');
  }
  await expectPromises(stage, ['one-good-copy', 'verified-is-equal', 'policy-met']);
});

test('what the agent finds when it returns is verified before it counts, and what is bad or too much leaves', { timeout: 300_000 }, async () => {
  rmSync(placeOf('deleted'), { recursive: true });
  flipByte(placeOf('spoiled'), stage.seed);
  for (const name of datasets) await setPolicy(stage, name, { mode: 'automated' });
  stage.fleet.startNode(lost);
  await untilNode(lost, 'returned', 'online');
  const { items } = await stage.fleet.api.list('events', eventView, { type: 'agent.state-changed' });
  returnedAtMs = items.find((event) => event.ids.nodeId === lost && event.ids.to === 'returned')!.atMs;
  await until('all that came back to be settled', 120, async (last) => {
    await expectVerifiedSinceReturn();
    const jobs = (await jobsOf(stage)).filter((job) => !endedJobStates.includes(job.state));
    const { node } = await stage.fleet.api.call('node', nodeDetail, { path: { nodeId: lost } });
    last(`${lost} is ${node.agentState}; ${jobs.map((job) => `${job.purpose} of ${job.datasetId} ${job.state}`).join(', ')}`);
    return node.agentState === 'online' && jobs.length === 0 ? true : undefined;
  });
  await untilQuiet(stage);
  // Between two looks a copy can count and leave again; that it was read in between is what its job says.
  const read = (await jobsOf(stage)).filter((job) => job.purpose === 'verify' && job.createdAtMs >= returnedAtMs && job.agentNodeId === lost);
  expect(read.map((job) => [job.datasetId, job.state])).toContainEqual(['kept', 'done']);

  for (const name of datasets) {
    const { replicas } = await detailOf(stage, name);
    expect(
      replicas.filter((one) => one.state === 'verified'),
      name,
    ).toHaveLength(2);
    const back = replicas.find((one) => one.replicaId === away.get(name)!.replicaId);
    if (name !== 'kept') expect(back?.state, name).not.toBe('verified');
  }
  await expectVerifiedSinceReturn();
  const told = (await stage.fleet.api.list('events', eventView)).items.filter((event) => event.atMs > returnedAtMs).map((event) => event.text);
  expect(
    told.find((text) => /spoiled.*(corrupt|differs from its manifest)/.test(text)),
    told.join('\n'),
  ).toBeDefined();
  await expectEveryPromise(stage);
});

test('nothing of what left is still on any disk', { timeout: 60_000 }, async () => {
  const { targets } = await witnessOf(stage);
  for (const name of datasets) {
    await until(`the surplus copies of ${name} to be gone`, 30, async (seen) => {
      const detail = await detailOf(stage, name);
      const live = targets.flatMap((target) => copiesOn(target, name));
      seen(`${live.join(', ')}; ${says(detail)}`);
      const verified = detail.replicas.filter((one) => one.state === 'verified').map((one) => one.replicaId);
      return JSON.stringify(live.sort()) === JSON.stringify(verified.sort()) ? live : undefined;
    });
    expect(existsSync(placeOf('deleted'))).toBe(false);
  }
});

/** Of the copies that were away none counts that was not read since its node returned. */
async function expectVerifiedSinceReturn(): Promise<void> {
  for (const name of datasets) {
    const back = (await detailOf(stage, name)).replicas.find((one) => one.replicaId === away.get(name)!.replicaId);
    if (back?.state === 'verified') expect(back.verifiedAtMs, name).toBeGreaterThan(returnedAtMs);
  }
}

function placeOf(name: string): string {
  const { targetId, replicaId } = away.get(name)!;
  return path.join(stage.fleet.targetRoot(targetId), name, replicaId);
}

function untilNode(nodeId: string, ...states: readonly string[]): Promise<string> {
  return until(`${nodeId} to be ${states.join(' or ')}`, 90, async (seen) => {
    const { node } = await stage.fleet.api.call('node', nodeDetail, { path: { nodeId } });
    seen(node.agentState);
    return states.includes(node.agentState) ? node.agentState : undefined;
  });
}
