import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeId } from '@data-in-motion/shared/domain/ids';
import { newPrivateKeyPem, signBody, signingKey } from '@data-in-motion/shared/signature';
import { eq } from 'drizzle-orm';
import { afterEach, describe, expect, test } from 'vitest';
import { openStore, type Store } from '../../src/store/database.ts';
import { distrustedSinceMs } from '../../src/store/leader.ts';
import { applySwitchCertificate } from '../../src/store/lost-switches.ts';
import { datasetVersion, event, job, permit, pointer, replica, switchLog } from '../../src/store/schema.ts';
import { freshDirectory } from '../empty-database.ts';
import { FakeFleet } from './fake-fleet.ts';

const n1 = 'node-1' as NodeId;

describe('a switch that the store lost', { timeout: 120_000 }, () => {
  const directories: string[] = [];
  const stores: Store[] = [];
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  });
  const openIn = async (directory: string): Promise<Store> => {
    const store = await openStore({ databaseUrl: null, directory });
    stores.push(store);
    return store;
  };

  /** A second version is imported and switched to after the export that the store is set back to. */
  async function setBack() {
    const directory = await freshDirectory();
    directories.push(directory);
    const first = await openIn(directory);
    const before = new FakeFleet(first);
    await before.build({ nodes: 3, policy: { copies: 1 } });
    await before.addDataset('photos', n1);
    await before.runUntil(
      async () => (await first.db.select().from(job).where(eq(job.active, true))).length === 0 && (await first.db.select().from(pointer)).length === 1,
    );
    await before.keeper.pass();
    await first.makeDurable();
    cpSync(join(directory, 'export.tar'), join(directory, 'kept.tar'));
    await before.import('photos', n1, '/src/photos/2');
    await before.runUntil(
      async () =>
        (await first.db.select().from(pointer))[0]!.rev === 2 &&
        (await first.db.select().from(job)).every((row) => row.purpose !== 'import' || row.state === 'done'),
    );
    const [lost] = await first.db.select().from(pointer);
    await before.dispatch.stop();
    stores.splice(0);
    await first.close();
    cpSync(join(directory, 'kept.tar'), join(directory, 'export.tar'));
    rmSync(join(directory, 'data'), { recursive: true });
    const store = await openIn(directory);
    const fleet = new FakeFleet(store, { like: before });
    return { fleet, store, lost: lost!, epoch: first.storeEpoch };
  }

  const show = async (fleet: FakeFleet, publicKeyPem = fleet.key.publicKeyPem): Promise<void> => {
    for (const agent of fleet.agents.values())
      for (const one of agent.certificates)
        await fleet.store.transaction((tx) =>
          applySwitchCertificate(tx, agent.nodeId, { type: 'switch-certificate', atMs: 0, ...one }, publicKeyPem, fleet.clock.nowMs()),
        );
  };

  test('is learned again from the agents that kept its certificate, and its copy counts once it is read back', async () => {
    const { fleet, store, lost, epoch } = await setBack();
    expect(store.storeEpoch).not.toBe(epoch);
    expect((await store.db.select().from(pointer))[0]).toMatchObject({ rev: 1 });
    expect((await store.db.select().from(datasetVersion)).length).toBe(1);
    await show(fleet);
    await show(fleet);
    expect((await store.db.select().from(pointer))[0]).toEqual(lost);
    expect((await store.db.select().from(switchLog).orderBy(switchLog.toRev)).map((row) => [row.fromRev, row.toRev])).toEqual([
      [0, 1],
      [1, 2],
    ]);
    const copy = async () => (await store.db.select().from(replica).where(eq(replica.replicaId, lost.replicaId)))[0]!;
    expect(await copy()).toMatchObject({ state: 'suspect', versionId: lost.versionId });
    expect((await store.db.select().from(job).where(eq(job.jobId, lost.changedByJob)))[0]).toMatchObject({ active: false, activatedAtMs: expect.any(Number) });
    await fleet.runUntil(async () => (await copy()).state === 'verified');
    // The first version is stale; it may not leave while commits may be lost.
    for (let pass = 0; pass < 5; pass++) await fleet.keeper.pass();
    expect(await store.transaction((tx) => distrustedSinceMs(tx, store.storeEpoch, fleet.clock.nowMs()))).not.toBeNull();
    expect(await store.db.select().from(permit)).toEqual([]);
    expect((await store.db.select().from(event).where(eq(event.type, 'dataset.switch-learned'))).length).toBe(1);
    await fleet.dispatch.stop();
  });

  test('is not believed from a certificate that another key signed, or that somebody wrote into', async () => {
    const { fleet, store } = await setBack();
    const other = signingKey(newPrivateKeyPem());
    await show(fleet, other.publicKeyPem);
    for (const agent of fleet.agents.values())
      for (const one of agent.certificates) {
        const { body, signature } = JSON.parse(one.certificate) as { body: string; signature: string };
        one.certificate = JSON.stringify({
          ...signBody(body, other),
          signature: agent.nodeId === n1 ? signature : 'x',
          body: body.replace('"toRev":2', '"toRev":9'),
        });
      }
    const revBefore = (await store.db.select().from(pointer))[0]!.rev;
    await show(fleet);
    expect((await store.db.select().from(pointer))[0]!.rev).toBe(revBefore);
    expect((await store.db.select().from(event).where(eq(event.type, 'switch.certificate-refused'))).length).toBeGreaterThan(1);
    await fleet.dispatch.stop();
  });
});
