import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busAuthenticator, putBusIdentity, revokeBusIdentity } from '../../src/store/bus-identities.ts';
import type { Store } from '../../src/store/database.ts';
import { busIdentity } from '../../src/store/schema.ts';
import { storeKinds, type TestStores } from '../stores.ts';

describe.each(storeKinds)('identities of the bus on $kind', ({ stores }) => {
  let all: TestStores;
  let store: Store;
  beforeAll(async () => {
    all = stores();
    store = await all.open();
  });
  afterAll(() => all.stop());

  it('come in with their password, again and again, until they are revoked or get another', async () => {
    const who = busAuthenticator(store.db);
    await putBusIdentity(store.db, 1, { identity: 'n1', role: 'agent', password: 'first' });
    await putBusIdentity(store.db, 1, { identity: 'app', role: 'client', password: 'other' });
    expect([
      await who('n1', 'first'),
      await who('n1', 'first'),
      await who('n1', 'other'),
      await who('n1', ''),
      await who('app', 'other'),
      await who('n2', 'first'),
    ]).toEqual(['agent', 'agent', undefined, undefined, 'client', undefined]);
    await putBusIdentity(store.db, 2, { identity: 'n1', role: 'agent', password: 'second' });
    expect([await who('n1', 'first'), await who('n1', 'second')]).toEqual([undefined, 'agent']);
    expect(await revokeBusIdentity(store.db, 3, 'n1')).toBe(true);
    expect(await revokeBusIdentity(store.db, 3, 'n1')).toBe(false);
    expect(await who('n1', 'second')).toBeUndefined();
  });

  it('are kept without their passwords', async () => {
    await putBusIdentity(store.db, 1, { identity: 'n3', role: 'agent', password: 'a secret of n3' });
    expect(JSON.stringify(await store.db.select().from(busIdentity))).not.toContain('a secret of n3');
  });
});
