import { desc, lt } from 'drizzle-orm';
import type { Db } from '../store/database.ts';
import { audit } from '../store/schema.ts';
import type { Caller } from '../store/tokens.ts';

export interface AuditEntry {
  readonly caller: Caller;
  /** `POST /v1/datasets` */
  readonly action: string;
  readonly subject: string;
  readonly detail: Record<string, unknown>;
  /** HTTP status, or what a loop answered. */
  readonly outcome: string;
}

/** Append one row. Rows are never changed; only what callers without an identity got nothing by is ever deleted, see `store/retention.ts`. */
export async function recordAudit(db: Db, nowMs: number, entry: AuditEntry): Promise<void> {
  await db.insert(audit).values({
    atMs: nowMs,
    who: entry.caller.who,
    role: entry.caller.role,
    action: entry.action,
    subject: entry.subject,
    detail: entry.detail,
    outcome: entry.outcome,
  });
}

/** Newest first. */
export async function readAudit(db: Db, beforeSeq: number | null, limit: number) {
  const rows = db.select().from(audit).orderBy(desc(audit.seq)).limit(limit);
  return beforeSeq === null ? rows : rows.where(lt(audit.seq, beforeSeq));
}
