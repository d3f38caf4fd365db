import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { eventView } from '@data-in-motion/shared/api/decisions';
import { deviceHistory, deviceView, targetView } from '@data-in-motion/shared/api/fleet';
import { certificateBody, certificateDocument, certificateView } from '@data-in-motion/shared/api/operations';
import { afterAll, beforeAll, expect } from 'vitest';
import { readSampleDrives } from '../../src/fleet/sample-drives.ts';
import { checkCopy } from '../../src/invariants/check-copy.ts';
import type { KnownTarget } from '../../src/invariants/invariant.ts';
import { copiesOn } from '../../src/invariants/one-good-copy.ts';
import { add, detailOf, dim, expectPromises, says, until, untilMet, witnessOf } from './asking.ts';
import { closeStages, openStage, type Stage, startMs, test } from './stage.ts';

/** A drive lives its last three weeks in a minute and a half, with data on it. */

const datasets = ['letters', 'scans'] as const;
const drive = readSampleDrives(path.resolve(import.meta.dirname, '../../../agent/sample-drives')).find((one) => one.fails)!;
const lastDay = drive.days.at(-1)!;
let stage: Stage;
let targetId = '';
let file = '';

beforeAll(async () => {
  stage = await openStage('dying-drive', { secondsPerDay: 4 });
  targetId = (await stage.fleet.api.list('targets', targetView)).items.find((target) => target.deviceIds.includes(drive.deviceId))!.targetId;
  for (const [i, name] of datasets.entries()) await add(stage, name, { sampleBytes: 2_000_000, seed: stage.seed + i }, { pinnedTargets: [targetId] });
}, startMs);
afterAll(closeStages, startMs);

test('the drive is empty before its recorded last day, and every copy on it was made elsewhere first', { timeout: 240_000 }, async () => {
  for (const name of datasets) {
    const { replicas } = await untilMet(stage, name, 60);
    expect(
      replicas.filter((one) => one.state === 'verified').map((one) => one.targetId),
      name,
    ).toContain(targetId);
  }
  await until('the drive to be at risk', 120, async (seen) => {
    const device = await dyingDrive();
    seen(`${device.level} on ${device.recordedDay}`);
    return device.level === 'at-risk' || device.level === 'failing' ? device : undefined;
  });
  const { targets } = await witnessOf(stage);
  const { certificateId } = await until('its certificate to be complete', 120, async (seen) => {
    for (const name of datasets) expect((await wholeCopies(targets, name)).length, `whole copies of ${name}, hashed again`).toBeGreaterThanOrEqual(2);
    const { items } = await stage.fleet.api.list('certificates', certificateView);
    seen(
      `${items.map((one) => `${one.deviceId} ${one.state}`).join(', ')}; ${says(await detailOf(stage, 'letters'))}; ${says(await detailOf(stage, 'scans'))}; ${(await dyingDrive()).recordedDay}`,
    );
    return items.find((one) => one.deviceId === drive.deviceId && one.state === 'complete');
  });
  const target = targets.find((one) => one.targetId === targetId)!;
  for (const name of datasets) {
    expect(copiesOn(target, name), name).toEqual([]);
    // The drive was emptied against a pin to it. No place can meet that policy until a person takes the pin away.
    expect((await dim(stage, 'datasets', 'policy', 'set', name, '--clear', 'pinnedTargets')).code).toBe(0);
    await untilMet(stage, name);
  }
  const body = certificateBody.parse(JSON.parse((await stage.fleet.api.call('certificate', certificateDocument, { path: { certificateId } })).body));
  expect(body.replicas.map((one) => one.datasetId).sort()).toEqual([...datasets].sort());
  for (const { datasetId, from, to, root, verifiedRoot, verifiedAtMs, switchedAtMs, retiredAtMs } of body.replicas) {
    expect(to.targetId, datasetId).not.toBe(targetId);
    expect(verifiedRoot, datasetId).toBe(root);
    expect(retiredAtMs, datasetId).toBeGreaterThanOrEqual(Math.max(verifiedAtMs, switchedAtMs ?? 0));
    // The log of events is written at each moment, the certificate at the end: both tell the same order.
    const left = (await stage.fleet.api.list('events', eventView, { type: 'replica.trashed' })).items.find((event) => event.ids.replicaId === from.replicaId);
    expect(left?.atMs, datasetId).toBeGreaterThanOrEqual(verifiedAtMs);
  }
  const { readings } = await stage.fleet.api.call('device', deviceHistory, { path: { deviceId: drive.deviceId }, query: { points: '2000' } });
  const daysLived = readings.filter((one) => one.atMs <= body.emptyAtMs!).map((one) => one.recordedDay);
  expect(daysLived).not.toContain(lastDay);
  await expectPromises(stage, ['one-good-copy', 'verified-is-equal', 'policy-met', 'pointer-chain', 'no-effect-twice']);
});

test('the certificate says later what became of the drive', { timeout: 120_000 }, async () => {
  const certificate = await until('the outcome', 100, async (seen) => {
    const found = (await stage.fleet.api.list('certificates', certificateView)).items.find((one) => one.deviceId === drive.deviceId);
    seen(`${found?.outcome} on ${(await dyingDrive()).recordedDay}`);
    return found?.outcome === 'failed' || /stopped answering|failed/.test(found?.outcome ?? '') ? found : undefined;
  });
  file = path.join(stage.scratch, '..', 'certificate.json');
  expect((await dim(stage, 'certificate', 'get', certificate!.certificateId, '-o', file)).code).toBe(0);
});

test('the certificate verifies without a server, and no byte of it can change', { timeout: 90_000 }, async () => {
  const verdict = await dim(stage, 'certificate', 'verify', file, '--url', 'http://127.0.0.1:1');
  expect(verdict, verdict.stdout + verdict.stderr).toMatchObject({ code: 0 });
  expect(verdict.stdout).toContain('The certificate verifies.');
  const document = certificateDocument.parse(JSON.parse(readFileSync(file, 'utf8')));
  const forgeries = [
    { ...document, body: document.body.replace(drive.serial, `${drive.serial.slice(0, -1)}X`) },
    { ...document, body: document.body.replace(/"bytes":(\d)/, (_, digit: string) => `"bytes":${(Number(digit) % 9) + 1}`) },
    { ...document, signature: document.signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')) },
  ];
  for (const forged of forgeries) {
    expect(forged).not.toEqual(document);
    writeFileSync(`${file}.forged`, JSON.stringify(forged));
    const refused = await dim(stage, 'certificate', 'verify', `${file}.forged`);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('does NOT verify');
  }
});

/** Targets with a copy of the current version whose bytes are those of its manifest, as they lie on the disks. */
async function wholeCopies(targets: readonly KnownTarget[], name: string): Promise<string[]> {
  const { root } = (await detailOf(stage, name)).dataset;
  const whole: string[] = [];
  // The dying drive last: what leaves it while we look was made elsewhere before we looked there.
  for (const target of targets.toSorted((a, b) => Number(a.targetId === targetId) - Number(b.targetId === targetId)))
    for (const replicaId of copiesOn(target, name)) if ((await checkCopy(target.root, name, replicaId, root!)).good) whole.push(target.targetId);
  return whole;
}

async function dyingDrive() {
  return (await stage.fleet.api.list('devices', deviceView)).items.find((one) => one.deviceId === drive.deviceId)!;
}
