import type { EventView } from '@data-in-motion/shared/api/decisions';
import { z } from '@hono/zod-openapi';
import { and, desc, eq, gt, lt, max, sql } from 'drizzle-orm';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Store } from '../store/database.ts';
import { type EventRow, followEvents, lastEventSeq } from '../store/events.ts';
import { event } from '../store/schema.ts';
import { type Api, type ApiVariables, checkRole, parse } from './endpoint.ts';

/** Keeps proxies and browsers from giving up on a quiet stream. */
const pingEveryMs = 15_000;

const seq = z.coerce.number().int().min(0).optional();
export const eventsQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  before: seq,
  after: seq,
  type: z.string().optional(),
  dataset: z.string().optional(),
});

/** GET /v1/events: a list, newest first, or with `Accept: text/event-stream` a stream that goes on from Last-Event-ID without a hole. */
export function serveEvents(app: Api, store: Store): void {
  app.get('/v1/events', async (c) => {
    checkRole(c.get('caller'), 'viewer');
    if (c.req.header('Accept')?.includes('text/event-stream')) return stream(c, store);
    const { limit, before, after, type, dataset } = parse('query', eventsQuery, c.req.query());
    const rows = await store.db
      .select()
      .from(event)
      .where(
        and(
          before === undefined ? undefined : lt(event.seq, before),
          after === undefined ? undefined : gt(event.seq, after),
          type === undefined ? undefined : eq(event.type, type),
          dataset === undefined ? undefined : sql`${event.ids}->>'datasetId' = ${dataset}`,
        ),
      )
      .orderBy(desc(event.seq))
      .limit(limit);
    return c.json({ items: rows.map(eventView), next: rows.length === limit ? String(rows.at(-1)!.seq) : null, asOfMs: await store.nowMs() });
  });
}

function eventView({ seq, atMs, type, severity, text, ids, by }: EventRow): EventView {
  return { seq, atMs, type, severity, text, ids, by };
}

function stream(c: Context<ApiVariables>, store: Store) {
  const from = c.req.header('Last-Event-ID') ?? c.req.query('after');
  return streamSSE(c, async (sse) => {
    const ended = new AbortController();
    sse.onAbort(() => ended.abort());
    const seq = await startOf(store, from);
    // Tells the client at once that it is connected, and from where.
    await sse.writeSSE({ event: 'hello', id: String(seq), data: JSON.stringify({ seq }) });
    const ping = setInterval(() => void sse.writeSSE({ event: 'ping', data: '{}' }), pingEveryMs);
    try {
      for await (const rows of followEvents(store, seq, ended.signal)) {
        for (const row of rows) await sse.writeSSE({ event: 'event', id: String(row.seq), data: JSON.stringify(eventView(row)) });
      }
    } finally {
      clearInterval(ping);
    }
  });
}

/** After the number that a client had last; from now on when it says none, or one that this store has not reached: it was set back since, and would give it again. */
async function startOf({ db }: Store, from: string | undefined): Promise<number> {
  const seq = Number(from);
  const [reached] = await db.select({ seq: max(event.seq) }).from(event);
  return from !== undefined && Number.isSafeInteger(seq) && seq <= (reached?.seq ?? 0) ? seq : lastEventSeq(db);
}
