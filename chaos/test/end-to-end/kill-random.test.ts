import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '@data-in-motion/shared/clock';
import { endedJobStates } from '@data-in-motion/shared/domain/job';
import { Failure } from '@data-in-motion/shared/failure';
import { pick, type Random, randomInt, seededRandom } from '@data-in-motion/shared/random';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { oneGoodCopy } from '../../src/invariants/one-good-copy.ts';
import { add, detailOf, expectPromises, insistently, jobsOf, setPolicy, until, untilMet, untilQuiet, witnessOf } from './asking.ts';
import { readTree, treeDifferences } from './read-tree.ts';
import { closeStages, describeEveryWay, openStage, type Stage, startMs } from './stage.ts';

/** Processes die at random moments while data is imported, copied, moved, verified and retired. */

/** Embedded more: there the database itself dies with its process. */
const killsOf = { embedded: 8, outside: 4 } as const;
const nodes = ['berlin', 'frankfurt', 'virginia'] as const;
const trees = ['tree-a', 'tree-b'] as const;
const samples = ['sample-a', 'sample-b'] as const;
const places = [
  ['berlin-archive', 'frankfurt-disk'],
  ['frankfurt-disk', 'virginia-standard'],
  ['virginia-archive', 'berlin-nvme'],
  ['frankfurt-ssd', 'berlin-archive'],
  ['virginia-block', 'frankfurt-ssd'],
] as const;
let stage: Stage;
let random: Random;

describeEveryWay((servers) => {
  const kills = killsOf[servers];

  beforeAll(async () => {
    stage = await openStage('kill-random', { servers, controlPlane: { DIM_LOST_AFTER_MS: '30000' } });
    random = seededRandom(stage.seed);
    for (const name of trees) plantTree(path.join(stage.scratch, name), random);
  }, startMs);
  afterAll(closeStages, startMs);

  test(`${kills} kills of agents, of the control plane and of everything, in the middle of work: all of it ends well, once`, { timeout: 600_000 }, async () => {
    const before = new Map(await Promise.all(trees.map(async (name) => [name, await readTree(path.join(stage.scratch, name))] as const)));
    for (const name of trees) await add(stage, name, { nodeId: pick(random, nodes), path: path.join(stage.scratch, name) });
    for (const [i, name] of samples.entries()) await add(stage, name, { nodeId: pick(random, nodes), sampleBytes: 1_500_000, seed: stage.seed + i });

    for (let kill = 0; kill < kills; kill++) {
      if (kill === kills / 2) await moveEverything();
      else if (kill > 0) await disturb(kill);
      await untilBusy();
      await systemClock.sleep(random.next() * 900);
      await killSomething();
    }
    await stage.fleet.untilReady();
    for (const name of [...trees, ...samples]) await untilMet(stage, name, 180);
    const jobs = await untilQuiet(stage, 180);

    expect([...new Set(jobs.map((job) => job.purpose))]).toEqual(expect.arrayContaining(['import', 'copy', 'move']));
    expect(
      jobs
        .filter((job) => job.state === 'dead-letter' || job.state === 'conflict')
        .map((job) => `${job.purpose} ${job.jobId} ${job.state}: ${job.error?.message ?? job.waitingBecause}`),
    ).toEqual([]);
    await expectPromises(stage, ['one-good-copy', 'verified-is-equal', 'policy-met', 'pointer-chain', 'no-effect-twice', 'telemetry-whole']);
    for (const name of trees) {
      const { replicas } = await detailOf(stage, name);
      for (const replica of replicas.filter((one) => one.state === 'verified')) {
        const directory = path.join(stage.fleet.targetRoot(replica.targetId), name, replica.replicaId);
        expect(treeDifferences(before.get(name)!, await readTree(directory)), `${name} on ${replica.targetId}`).toEqual([]);
      }
      expect(treeDifferences(before.get(name)!, await readTree(path.join(stage.scratch, name))), `the source of ${name}`).toEqual([]);
    }
  });

  test('nothing half or dead is left on any target', { timeout: 90_000 }, async () => {
    const { targets } = await witnessOf(stage);
    await until('staging and trash to be empty', 60, async (seen) => {
      const left = targets.flatMap((target) =>
        ['staging', 'trash'].flatMap((place) => namesIn(path.join(target.root, '.dim', place)).map((name) => `${target.targetId}/${place}/${name}`)),
      );
      const places = left.map((name) => name.split('/')[0]);
      const about = (await jobsOf(stage)).filter((job) => places.includes(job.fromTargetId ?? ''));
      seen(
        [
          ...left,
          ...about.map((job) => `${job.purpose} ${job.jobId} of ${job.datasetId} from ${job.fromTargetId} is ${job.state} (${job.waitingBecause ?? ''})`),
        ].join('; '),
      );
      return left.length === 0 ? left : undefined;
    });
    const verified = new Set<string>();
    for (const name of [...trees, ...samples])
      for (const replica of (await detailOf(stage, name)).replicas) if (replica.state === 'verified') verified.add(replica.replicaId);
    const lying = targets.flatMap((target) =>
      [...trees, ...samples].flatMap((name) => namesIn(path.join(target.root, name)).filter((entry) => entry !== 'current')),
    );
    expect(lying.sort()).toEqual([...verified].sort());
  });
});

/** Whatever the dice say: at one moment all copies stand, and then each shall be somewhere else. */
async function moveEverything(): Promise<void> {
  await stage.fleet.untilReady();
  for (const name of [...trees, ...samples]) {
    const { replicas } = await untilMet(stage, name, 180);
    const free = places.find((pair) => pair.every((targetId) => replicas.every((one) => one.targetId !== targetId)))!;
    await setPolicy(stage, name, { pinnedTargets: [...free] });
  }
}

/** One change that makes work: other places, another version, a verification. */
async function disturb(round: number): Promise<void> {
  const what = randomInt(random, 0, 5);
  if (what < 3) return setPolicy(stage, pick(random, [...trees, ...samples]), { pinnedTargets: [...pick(random, places)] });
  if (what === 3)
    return void (await insistently(() =>
      stage.fleet.api.call('addVersion', z.looseObject({}), {
        path: { datasetId: pick(random, samples) },
        body: { source: { sampleBytes: 1_200_000, seed: stage.seed + 100 + round } },
      }),
    ).catch(isUnderWay));
  await insistently(() => stage.fleet.api.call('verifyDataset', z.looseObject({}), { path: { datasetId: pick(random, trees) }, body: {} })).catch(
    () => 'nothing to verify yet',
  );
}

/** The import of a version before is not through. */
function isUnderWay(error: unknown): void {
  if (!(error instanceof Failure) || error.code !== 'import.under-way') throw error;
}

async function untilBusy(): Promise<void> {
  await until('work', 12, async () =>
    (await jobsOf(stage)).some((job) => !endedJobStates.includes(job.state) && job.state !== 'planned') ? true : undefined,
  ).catch(() => 'idle is a moment too');
}

async function killSomething(): Promise<void> {
  const dice = random.next();
  if (dice < 0.25) await stage.fleet.killControlPlane();
  else if (dice < 0.45) await stage.fleet.killEverything();
  else await stage.fleet.kill(pick(random, nodes));
  const look = async () => oneGoodCopy.check(await witnessOf(stage));
  // A copy that leaves while it is read looks bad; a second look then finds the one that took its place.
  await until('one good copy of everything', 60, async (seen) => {
    const finding = await look();
    seen(finding.detail);
    return finding.holds ? finding : undefined;
  });
}

function plantTree(directory: string, from: Random): void {
  for (let i = 0; i < 60; i++) {
    const folder = path.join(directory, `folder ${i % 7}`, i % 3 === 0 ? 'ütf-8' : 'plain');
    mkdirSync(folder, { recursive: true });
    const sizeBytes = i % 20 === 0 ? 0 : randomInt(from, 1, 60_000);
    writeFileSync(path.join(folder, `file ${i}.bin`), stream(`${directory} ${i}`, sizeBytes));
  }
  symlinkSync('folder 1', path.join(directory, 'link'));
}

/** Bytes that do not compress into one another, the same for the same words. */
function stream(words: string, sizeBytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i * 32 < sizeBytes; i++) parts.push(createHash('sha256').update(`${words} ${i}`).digest());
  return Buffer.concat(parts).subarray(0, sizeBytes);
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
