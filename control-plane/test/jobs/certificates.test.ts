import { type CertificateBody, certificateBody } from '@data-in-motion/shared/api/operations';
import type { DatasetId, NodeId } from '@data-in-motion/shared/domain/ids';
import { eq } from 'drizzle-orm';
import { afterAll, describe, expect, test } from 'vitest';
import { verifyCertificate } from '../../src/cli/verify-certificate.ts';
import { reportDriveOutcome, storeDriveOutcome } from '../../src/store/drive-outcomes.ts';
import { insertRetireJob } from '../../src/store/jobs.ts';
import { certificate, device, globalPolicy, job, pointer, replica } from '../../src/store/schema.ts';
import { storeKinds } from '../stores.ts';
import { FakeFleet, type FleetOptions, sizeBytes } from './fake-fleet.ts';

const n1 = 'node-1' as NodeId;

describe.each(storeKinds)('a certificate on $kind', { timeout: 120_000 }, ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  async function start(copies: number, options: FleetOptions = {}): Promise<FakeFleet> {
    const fleet = new FakeFleet(await open.open(), options);
    await fleet.build({ nodes: 4, policy: { copies } });
    return fleet;
  }

  const standing = async (fleet: FakeFleet, datasetId: string) =>
    (
      await fleet.store.db
        .select()
        .from(replica)
        .where(eq(replica.datasetId, datasetId as DatasetId))
    ).filter((copy) => copy.state === 'verified');
  const atRest = async (fleet: FakeFleet) => (await fleet.store.db.select().from(job).where(eq(job.active, true))).length === 0;

  async function condemn(fleet: FakeFleet, targetId: string): Promise<void> {
    await fleet.store.db
      .update(device)
      .set({ level: 'failing', levelSinceMs: fleet.clock.nowMs(), probability: 0.9, judge: { kind: 'rule', name: 'five', version: '1' } })
      .where(eq(device.serial, targetId));
  }

  async function certified(fleet: FakeFleet): Promise<CertificateBody> {
    const [row] = await fleet.store.db.select().from(certificate);
    const text = JSON.stringify({ ...row, publicKeyPem: fleet.key.publicKeyPem });
    const verdict = verifyCertificate(text, row!.keyId);
    expect(verdict.checks.filter((check) => !check.holds)).toEqual([]);
    return certificateBody.parse(JSON.parse(row!.body));
  }
  const isComplete = async (fleet: FakeFleet) => (await fleet.store.db.select().from(certificate))[0]?.state === 'complete';

  test('names the read-back of the move, however often the new copy is read later', async () => {
    // Copies are read again every few seconds here, also between the departure of one dataset and that of the other.
    const fleet = await start(1, { settings: { scrubEveryMs: 3_000 } });
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(async () => (await atRest(fleet)) && (await standing(fleet, 'photos')).length === 1);
    const [before] = await standing(fleet, 'photos');
    await condemn(fleet, before!.targetId);
    await fleet.runUntil(() => isComplete(fleet), 120);
    const [moved] = (await fleet.store.db.select().from(job).where(eq(job.purpose, 'move'))).filter((row) => row.fromReplicaId === before!.replicaId);
    await fleet.runUntil(async () => (await standing(fleet, 'photos'))[0]!.verifiedAtMs! > moved!.trashedAtMs!, 120);
    await fleet.store.db.update(certificate).set({ state: 'open' });
    await fleet.keeper.pass();
    const body = await certified(fleet);
    expect(body.replicas).toMatchObject([{ from: { replicaId: before!.replicaId }, verifiedAtMs: moved!.recheckedAtMs, retiredAtMs: moved!.trashedAtMs }]);
    await fleet.dispatch.stop();
  });

  test('takes a silent drive for failed when that is concluded of it, and not at its first missing answer', async () => {
    const fleet = await start(1);
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(async () => (await atRest(fleet)) && (await standing(fleet, 'photos')).length === 1);
    const [before] = await standing(fleet, 'photos');
    await condemn(fleet, before!.targetId);
    await fleet.runUntil(() => isComplete(fleet), 120);
    const ours = eq(device.serial, before!.targetId);
    const atMs = fleet.clock.nowMs();
    // Once it answered, empty; then it does not.
    await fleet.store.db
      .update(device)
      .set({ lastStatus: 'read', lastReadingAtMs: atMs + 1 })
      .where(ours);
    await fleet.passAndWork(1);
    expect((await certified(fleet)).outcome).toMatchObject({ state: 'alive' });
    await fleet.store.db.update(device).set({ lastStatus: 'unreadable' }).where(ours);
    await fleet.passAndWork(2);
    expect((await certified(fleet)).outcome).toMatchObject({ state: 'alive' });
    const died = { deviceId: `drive-${before!.targetId}` as never, outcome: 'failed', how: 'died', atMs, text: 'It is taken for dead.' } as const;
    await fleet.store.transaction((tx) => storeDriveOutcome(tx, fleet.clock.nowMs(), died));
    await fleet.passAndWork(1);
    expect((await certified(fleet)).outcome).toMatchObject({ state: 'failed', text: expect.stringContaining('stopped answering') });
    await fleet.dispatch.stop();
  });

  test('tells what became of the drive as a person reported it', async () => {
    const fleet = await start(1);
    await fleet.addDataset('photos', n1);
    await fleet.runUntil(async () => (await atRest(fleet)) && (await standing(fleet, 'photos')).length === 1);
    const [before] = await standing(fleet, 'photos');
    await condemn(fleet, before!.targetId);
    await fleet.runUntil(() => isComplete(fleet), 120);
    for (const [outcome, state] of [
      ['removed', 'replaced'],
      ['failed', 'failed'],
    ] as const) {
      await fleet.store.transaction((tx) =>
        reportDriveOutcome(tx, fleet.clock.nowMs(), { deviceId: `drive-${before!.targetId}` as never, outcome, by: 'anna', note: 'seen' }),
      );
      await fleet.keeper.pass();
      expect((await certified(fleet)).outcome).toMatchObject({ state, text: expect.stringContaining('anna said so: seen') });
    }
    await fleet.dispatch.stop();
  });

  test('tells a copy that left because enough others exist, with those that stayed, and a move that began before the alarm', async () => {
    const fleet = await start(2);
    await fleet.addDataset('photos', n1);
    await fleet.addDataset('genomes', n1);
    await fleet.runUntil(
      async () => (await atRest(fleet)) && (await standing(fleet, 'photos')).length === 2 && (await standing(fleet, 'genomes')).length === 2,
    );
    const [held] = await fleet.store.db
      .select()
      .from(pointer)
      .where(eq(pointer.datasetId, 'photos' as DatasetId));
    const photos = await standing(fleet, 'photos');
    const surplus = photos.find((copy) => copy.replicaId !== held!.replicaId)!;
    const [policy] = await fleet.store.db.select().from(globalPolicy);

    // A move of the other dataset off the same target is under way when the drive is condemned.
    const genomes = (await standing(fleet, 'genomes')).find((copy) => copy.targetId === surplus.targetId);
    await condemn(fleet, surplus.targetId);
    await fleet.runUntil(async () => (await fleet.store.db.select().from(job).where(eq(job.purpose, 'move'))).some((row) => row.switchedAtMs !== null), 60);
    await fleet.store.db.delete(certificate);
    await fleet.store.db.update(device).set({ levelSinceMs: fleet.clock.nowMs() }).where(eq(device.serial, surplus.targetId));

    await fleet.store.db.update(globalPolicy).set({ policy: { ...policy!.policy, copies: 1 } });
    const jobs = await fleet.store.db.select().from(job).where(eq(job.fromReplicaId, surplus.replicaId));
    for (const row of jobs) await fleet.store.db.update(job).set({ active: false, state: 'cancelled' }).where(eq(job.jobId, row.jobId));
    await fleet.store.transaction((tx) =>
      insertRetireJob(tx, {
        datasetId: 'photos' as DatasetId,
        versionId: surplus.versionId!,
        sizeBytes,
        need: 'drop-copy',
        reason: 'one copy more than wanted',
        planId: null,
        deviceId: null,
        priority: 1,
        nowMs: fleet.clock.nowMs(),
        replicaId: surplus.replicaId,
      }),
    );
    await fleet.runUntil(() => isComplete(fleet), 120);
    const body = await certified(fleet);
    const left = body.replicas.find((one) => one.datasetId === 'photos')!;
    expect(left).toMatchObject({ from: { replicaId: surplus.replicaId }, leftBecause: 'one copy more than wanted', keptBecause: null });
    expect(left.others!.map((place) => place.replicaId)).toContain(held!.replicaId);
    expect(left.retiredAtMs).not.toBeNull();
    expect(body.replicas.some((one) => one.datasetId === 'genomes')).toBe(genomes !== undefined);
    await fleet.dispatch.stop();
  });
});
