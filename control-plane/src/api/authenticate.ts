import { Failure } from '@data-in-motion/shared/failure';
import { getCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import type { Store } from '../store/database.ts';
import { callerOfKey, callerOfSession } from '../store/tokens.ts';
import type { ApiVariables } from './endpoint.ts';

export const sessionCookie = 'dim_session';

/**
 * Find out who calls, by API key or by the console's cookie; nobody is refused here, an endpoint says whom it needs.
 * A change that comes with the cookie must come from our own page: a page elsewhere can not read the cookie, but it could send it along.
 */
export function authenticate(store: Store) {
  return createMiddleware<ApiVariables>(async (c, next) => {
    const key = c.req.header('X-Api-Key') ?? /^Bearer (dim_.+)$/.exec(c.req.header('Authorization') ?? '')?.[1];
    const session = getCookie(c, sessionCookie);
    if (key !== undefined) {
      const caller = await callerOfKey(store.db, key);
      if (caller === undefined)
        throw new Failure('refused', {
          code: 'key.unauthenticated',
          message: 'This API key is not known, or it was revoked.',
          hint: 'The first key is in the file admin.key of DIM_HOME.',
        });
      c.set('caller', caller);
    } else if (session !== undefined) {
      const caller = await callerOfSession(store.db, session, await store.nowMs());
      if (caller !== undefined) {
        if (c.req.method !== 'GET' && c.req.method !== 'HEAD') refuseForeignOrigin(c.req.header('Origin'), c.req.header('Host'));
        c.set('caller', caller);
      }
    }
    await next();
  });
}

function refuseForeignOrigin(origin: string | undefined, host: string | undefined): void {
  if (origin === undefined || host === undefined) return;
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw new Failure('refused', { code: 'origin.forbidden', message: `A page of ${origin} may not change anything here.` });
}
