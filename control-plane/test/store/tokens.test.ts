import { afterAll, describe, expect, test } from 'vitest';
import { addFirstKey, callerOfKey, callerOfSession, createToken, revokeApiKey } from '../../src/store/tokens.ts';
import { storeKinds } from '../stores.ts';

describe.each(storeKinds)('the key of a start on $kind', ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  test('has a name of its own, so that taking the lost one away ends no session of the new one', async () => {
    const store = await open.open();
    const add = () => store.transaction((tx) => addFirstKey(tx, 1));
    const [lost, present] = [await add(), await add()];
    expect(await callerOfKey(store.db, present.secret)).toEqual({ who: 'admin-2', role: 'admin' });
    const { secret } = await createToken(store.db, 'session', { who: 'admin-2', role: 'admin' }, 1_000, 1);
    await store.transaction((tx) => revokeApiKey(tx, lost.keyId, 1));
    expect(await callerOfSession(store.db, secret, 1)).toMatchObject({ who: 'admin-2' });
    expect(await callerOfKey(store.db, (await add()).secret)).toMatchObject({ who: 'admin' });
  });
});
