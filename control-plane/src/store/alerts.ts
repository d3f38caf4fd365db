import { systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { and, eq, isNull, type SQL, sql } from 'drizzle-orm';
import type { Db, Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { alert, node } from './schema.ts';

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
    .values({ alertId: ulid(nowMs, systemRandom), key, rule, severity, text, ids, sinceMs: nowMs, lastAtMs: nowMs })
    .onConflictDoUpdate({
      target: alert.key,
      targetWhere: sql`ended_at_ms is null`,
      set: { times: sql`${alert.times} + 1`, severity, text, ids, lastAtMs: nowMs },
    });
  if (before?.severity !== severity)
    await appendEvents(tx, nowMs, [{ type: 'alert.raised', severity, text, ids: { ...ids, rule, subject }, by: 'control-plane' }]);
}

export async function isAlertOpen(db: Db, rule: string, subject: string): Promise<boolean> {
  const [open] = await db
    .select({ key: alert.key })
    .from(alert)
    .where(and(eq(alert.key, `${rule}:${subject}`), isNull(alert.endedAtMs)));
  return open !== undefined;
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

const minuteMs = 60_000;
/** Alerts of something that happened, and not of how something is: nobody says that it is over, so each ends when it did not happen again for so long. */
const overAfterMs: Readonly<Record<string, number>> = {
  'agent-flapping': 5 * minuteMs,
  'stream-forked': 60 * minuteMs,
  'telemetry-gap': 24 * 60 * minuteMs,
  'model.rolled-back': 7 * 24 * 60 * minuteMs,
};

/** End the alerts whose cause is gone without anybody saying so. */
export async function endSettledAlerts(tx: Tx, nowMs: number): Promise<void> {
  const over = Object.entries(overAfterMs).map(
    ([rule, afterMs]): SQL => sql`(${alert.rule} = ${rule} and coalesce(${alert.lastAtMs}, ${alert.sinceMs}) <= ${nowMs - afterMs})`,
  );
  const isClaimantGone = sql`(${alert.rule} = 'target-claimed-twice' and exists (select 1 from ${node} where ${node.nodeId} = ${alert.ids}->>'nodeId' and ${node.agentState} = 'revoked'))`;
  const rows = await tx
    .select({ key: alert.key, rule: alert.rule })
    .from(alert)
    .where(and(isNull(alert.endedAtMs), sql.join([sql`(`, sql.join([...over, isClaimantGone], sql` or `), sql`)`])));
  for (const { key, rule } of rows) await endAlert(tx, nowMs, rule, key.slice(rule.length + 1));
}
