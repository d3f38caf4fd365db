import { listOf } from '@data-in-motion/shared/api/fleet';
import { keyRequest, keyView, newKey, revoked } from '@data-in-motion/shared/api/operations';
import { addApiKey, readApiKeys, revokeApiKey } from '../../store/tokens.ts';
import type { ApiContext } from '../context.ts';
import { type Api, endpoint } from '../endpoint.ts';

/** Who may call this interface. */
export function keyRoutes(app: Api, { store }: ApiContext): void {
  endpoint(app, 'keys', {
    role: 'admin',
    says: 'The API keys that open, without their secrets',
    answer: listOf(keyView),
    async run() {
      return { body: { items: await readApiKeys(store.db), next: null, asOfMs: await store.nowMs() } };
    },
  });

  endpoint(app, 'addKey', {
    role: 'admin',
    says: 'Make an API key; its secret is shown this once and kept nowhere',
    body: keyRequest,
    answer: newKey,
    secret: true,
    status: 201,
    async run({ body }) {
      const { keyId, secret } = await store.transaction(async (tx) => addApiKey(tx, body.name, body.role, await store.nowMs(tx)));
      return { body: { keyId, name: body.name, role: body.role, secret } };
    },
  });

  endpoint(app, 'revokeKey', {
    role: 'admin',
    says: 'From now on an API key opens nothing, nor does a console session that was begun with it; the last admin key stays',
    answer: revoked,
    async run({ params }) {
      const keyId = params['keyId']!;
      await store.transaction(async (tx) => revokeApiKey(tx, keyId, await store.nowMs(tx)));
      return { body: { revoked: keyId } };
    },
  });
}
