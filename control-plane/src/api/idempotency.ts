import { createHash } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { createMiddleware } from 'hono/factory';
import type { Store } from '../store/database.ts';
import { idempotency } from '../store/schema.ts';
import type { ApiVariables } from './endpoint.ts';

/** A POST that is sent again with the same Idempotency-Key by the same caller gets the first answer again, for a day. */
export function answerOnce(store: Store) {
  return createMiddleware<ApiVariables>(async (c, next) => {
    const given = c.req.header('Idempotency-Key');
    const caller = c.get('caller');
    if (c.req.method !== 'POST' || given === undefined || caller === undefined) return next();
    const key = createHash('sha256').update(`${caller.who}\n${c.req.path}\n${given}`).digest('hex');
    const [before] = await store.db.select().from(idempotency).where(eq(idempotency.key, key));
    if (before !== undefined) {
      c.res = new Response(before.body, { status: before.status, headers: { 'Content-Type': 'application/json', 'Idempotent-Replay': 'true' } });
      return;
    }
    await next();
    if (c.res.status < 300) {
      const body = await c.res.clone().text();
      await store.db
        .insert(idempotency)
        .values({ key, status: c.res.status, body, atMs: await store.nowMs() })
        .onConflictDoNothing();
    }
  });
}
