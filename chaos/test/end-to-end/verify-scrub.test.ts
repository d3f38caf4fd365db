import { existsSync } from 'node:fs';
import path from 'node:path';
import type { DatasetDetail } from '@data-in-motion/shared/api/datasets';
import { afterAll, beforeAll, expect } from 'vitest';
import { add, detailOf, dim, expectPromises, says, until, untilMet } from './asking.ts';
import { flipByte } from './flip-byte.ts';
import { readTree } from './read-tree.ts';
import { closeStages, openStage, type Stage, startMs, test } from './stage.ts';

/** Bytes rot behind our back, with size and times as they were. */

let stage: Stage;
beforeAll(async () => {
  stage = await openStage('verify-scrub', { controlPlane: { DIM_SCRUB_EVERY_MS: '15000' } });
  await add(stage, 'asked', { nodeId: 'berlin', sampleBytes: 2_000_000, seed: stage.seed });
  await add(stage, 'scrubbed', { nodeId: 'frankfurt', sampleBytes: 1_000_000, seed: stage.seed + 1 });
  await add(stage, 'single', { nodeId: 'virginia', sampleBytes: 1_000_000, seed: stage.seed + 2 }, { copies: 1 });
  for (const name of ['asked', 'scrubbed', 'single']) await untilMet(stage, name);
}, startMs);
afterAll(closeStages, startMs);

test.each(['primary', 'other'] as const)(
  'dim datasets verify finds a turned byte in the %s copy; it is made anew elsewhere, and the bad one leaves',
  { timeout: 120_000 },
  async (which) => {
    const before = await detailOf(stage, 'asked');
    const bad = before.replicas.find((one) => one.state === 'verified' && one.primary === (which === 'primary'))!;
    const file = flipByte(placeOf('asked', bad), stage.seed);
    const { code, stdout, stderr } = await dim(stage, 'datasets', 'verify', 'asked');
    // The slow scrub may come by at the same moment and find it first: the copy is bad or gone then, and the answer may be about the others.
    if (code === 0)
      expect((await detailOf(stage, 'asked')).replicas.find((one) => one.replicaId === bad.replicaId)?.state, stdout + stderr).not.toBe('verified');
    else expect(stdout).toContain(`The copy on ${bad.targetId} is corrupt`);
    await untilReplaced('asked', bad, before);
    expect(existsSync(file)).toBe(false);
    await expectPromises(stage, ['one-good-copy', 'verified-is-equal', 'pointer-chain', 'no-effect-twice']);
  },
);

test('the scrub finds what nobody asked about', { timeout: 120_000 }, async () => {
  const before = await detailOf(stage, 'scrubbed');
  const bad = before.replicas.find((one) => one.state === 'verified' && !one.primary)!;
  flipByte(placeOf('scrubbed', bad), stage.seed + 1);
  await untilReplaced('scrubbed', bad, before);
});

test('the last copy is never touched, not even when it has gone bad: it is all there is to rescue', { timeout: 120_000 }, async () => {
  const { replicas } = await detailOf(stage, 'single');
  const last = replicas.find((one) => one.state === 'verified')!;
  flipByte(placeOf('single', last), stage.seed + 2);
  const spoiled = await readTree(placeOf('single', last));
  await until('it to be found', 60, async (seen) => {
    const detail = await detailOf(stage, 'single');
    seen(says(detail));
    return detail.dataset.copiesVerified === 0 && detail.dataset.policyState !== 'met' ? detail : undefined;
  });
  const verdict = await dim(stage, 'datasets', 'verify', 'single');
  expect(verdict.code, verdict.stdout + verdict.stderr).toBe(1);
  expect(await readTree(placeOf('single', last))).toEqual(spoiled);
  const after = await detailOf(stage, 'single');
  expect(after.replicas.find((one) => one.replicaId === last.replicaId)?.state).toBe('corrupt');
  expect(after.findings.length).toBeGreaterThan(0);
});

type Replica = DatasetDetail['replicas'][number];

function placeOf(name: string, replica: Replica): string {
  return path.join(stage.fleet.targetRoot(replica.targetId), name, replica.replicaId);
}

/** Met again by another copy, and the bad one's bytes gone; the good ones of before are all still there. */
async function untilReplaced(name: string, bad: Replica, before: DatasetDetail): Promise<void> {
  await until(`the bad copy of ${name} to be replaced`, 90, async (seen) => {
    const detail = await detailOf(stage, name);
    seen(says(detail));
    const gone = detail.replicas.find((one) => one.replicaId === bad.replicaId)?.state ?? 'purged';
    return detail.dataset.policyState === 'met' && gone === 'purged' && !existsSync(placeOf(name, bad)) ? detail : undefined;
  });
  const after = await detailOf(stage, name);
  expect(after.dataset.copiesVerified).toBeGreaterThanOrEqual(2);
  // A good one may meanwhile have moved to a cheaper place; then it left by permit, and nothing else takes one away.
  for (const good of before.replicas.filter((one) => one.state === 'verified' && one.replicaId !== bad.replicaId)) {
    const now = after.replicas.find((one) => one.replicaId === good.replicaId)?.state ?? 'purged';
    if (!['retiring', 'trashed', 'purged'].includes(now)) expect(existsSync(placeOf(name, good)), `the good copy on ${good.targetId} is ${now}`).toBe(true);
  }
}
