import { systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { alert } from './schema.ts';

export interface NewAlert {
  /** What is watched: `device-risk`, `target-unreachable` … */
  readonly rule: string;
  /** What it is about; one open alert for each rule and subject. */
  readonly subject: string;
  readonly severity: 'info' | 'warning' | 'error';
  readonly text: string;
  readonly ids: Readonly<Record<string, string | number>>;
}

/** Open an alert, or count and refresh the one that is open; only the opening, and a change of severity, is an event. */
export async function raiseAlert(tx: Tx, nowMs: number, raised: NewAlert): Promise<void> {
  const { rule, subject, severity, text, ids } = raised;
  const key = `${rule}:${subject}`;
  const [before] = await tx
    .select({ severity: alert.severity })
    .from(alert)
    .where(and(eq(alert.key, key), isNull(alert.endedAtMs)));
  await tx
    .insert(alert)
    .values({ alertId: ulid(nowMs, systemRandom), key, rule, severity, text, ids, sinceMs: nowMs })
    .onConflictDoUpdate({ target: alert.key, targetWhere: sql`ended_at_ms is null`, set: { times: sql`${alert.times} + 1`, severity, text, ids } });
  if (before?.severity !== severity)
    await appendEvents(tx, nowMs, [{ type: 'alert.raised', severity, text, ids: { ...ids, rule, subject }, by: 'control-plane' }]);
}

/** End the alert of a rule and subject; nothing happens when none is open. */
export async function endAlert(tx: Tx, nowMs: number, rule: string, subject: string): Promise<void> {
  const ended = await tx
    .update(alert)
    .set({ endedAtMs: nowMs })
    .where(and(eq(alert.key, `${rule}:${subject}`), isNull(alert.endedAtMs)))
    .returning();
  for (const { text, ids } of ended)
    await appendEvents(tx, nowMs, [{ type: 'alert.ended', severity: 'info', text: `No longer: ${text}`, ids: { ...ids, rule, subject }, by: 'control-plane' }]);
}
