import { createHash } from 'node:crypto';
import { Failure } from '@data-in-motion/shared/failure';
import { and, eq, lt } from 'drizzle-orm';
import { createMiddleware } from 'hono/factory';
import type { Db, Store } from '../store/database.ts';
import { idempotency } from '../store/schema.ts';
import type { ApiVariables } from './endpoint.ts';

/** Longer than any request takes: one that is still not answered was cut off, and its key is free again. */
const cutOffMs = 5 * 60_000;
const running = 0;

/**
 * A POST that is sent again with the same Idempotency-Key by the same caller gets the first answer again, for a day, also when both come at once:
 * the later is told that the first is still running. A request that was refused frees its key.
 */
export function answerOnce(store: Store) {
  return createMiddleware<ApiVariables>(async (c, next) => {
    const given = c.req.header('Idempotency-Key');
    const caller = c.get('caller');
    if (c.req.method !== 'POST' || given === undefined || caller === undefined) return next();
    const key = hashOf(`${caller.who}\n${c.req.path}\n${given}`);
    const asked = hashOf(await c.req.text());
    if (!(await begin(store.db, key, asked, await store.nowMs()))) {
      c.res = await firstAnswer(store.db, key, asked);
      return;
    }
    await next();
    const mine = and(eq(idempotency.key, key), eq(idempotency.asked, asked));
    if (c.res.status >= 300) await store.db.delete(idempotency).where(mine);
    else {
      const body = c.get('secret') ? '' : await c.res.clone().text();
      await store.db.update(idempotency).set({ status: c.res.status, body }).where(mine);
    }
  });
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Take the key for this request; false when another has it. */
async function begin(db: Db, key: string, asked: string, nowMs: number): Promise<boolean> {
  const row = { asked, status: running, body: '', atMs: nowMs };
  const taken = await db
    .insert(idempotency)
    .values({ key, ...row })
    .onConflictDoUpdate({ target: idempotency.key, set: row, setWhere: and(eq(idempotency.status, running), lt(idempotency.atMs, nowMs - cutOffMs)) })
    .returning({ key: idempotency.key });
  return taken.length > 0;
}

async function firstAnswer(db: Db, key: string, asked: string): Promise<Response> {
  const [before] = await db.select().from(idempotency).where(eq(idempotency.key, key));
  if (before === undefined || before.status === running)
    throw refusal('running', 'The first request with this Idempotency-Key is still being worked on.', 'Send it again in a moment.');
  if (before.asked !== asked) throw refusal('invalid', 'This Idempotency-Key was used for another request.', 'Take a new key for each new request.');
  if (before.body === '')
    throw refusal('spent', 'This was done already; its answer held a secret, which is kept nowhere.', 'If the answer was lost, ask anew with a new key.');
  return new Response(before.body, { status: before.status, headers: { 'Content-Type': 'application/json', 'Idempotent-Replay': 'true' } });
}

function refusal(reason: string, message: string, hint: string): Failure {
  return new Failure('refused', { code: `idempotency-key.${reason}`, message, hint });
}
