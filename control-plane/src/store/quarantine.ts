import { systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { sql } from 'drizzle-orm';
import type { Db } from './database.ts';
import { quarantine } from './schema.ts';
import { storableText } from './storable-text.ts';

/** Kept of each message, and messages kept: the table is bounded at some 128 MB whatever comes. */
const keptBytes = 65_536;
const keptMessages = 1_000;

export interface BadMessage {
  readonly topic: string;
  readonly nodeId: string | null;
  readonly because: string;
  readonly payload: Buffer;
}

/** Keep messages that could not be read, for a person to look at; the oldest give way. */
export async function storeQuarantine(tx: Db, nowMs: number, messages: readonly BadMessage[]): Promise<void> {
  const kept = messages.slice(-keptMessages);
  if (kept.length === 0) return;
  await tx.insert(quarantine).values(
    kept.map(({ topic, nodeId, because, payload }) => ({
      id: ulid(nowMs, systemRandom),
      atMs: nowMs,
      topic: storableText(topic, 300),
      nodeId,
      because: storableText(because, 2_000),
      bytes: payload.length,
      hex: payload.subarray(0, keptBytes).toString('hex'),
    })),
  );
  await tx.execute(sql`delete from quarantine where id in (select id from quarantine order by at_ms desc, id desc offset ${keptMessages})`);
}
