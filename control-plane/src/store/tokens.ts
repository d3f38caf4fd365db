import { createHash, randomBytes } from 'node:crypto';
import type { Role } from '@data-in-motion/shared/api/operations';
import { Failure } from '@data-in-motion/shared/failure';
import { and, asc, eq, gt, isNull, lt, sql } from 'drizzle-orm';
import type { Db, Tx } from './database.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { apiKey, token } from './schema.ts';

/** Who is calling. */
export interface Caller {
  readonly who: string;
  readonly role: Role;
}

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');
const newSecret = (): string => randomBytes(32).toString('base64url');

/** Make an API key; the secret is shown once, only its hash is stored. */
export async function createApiKey(db: Db, name: string, role: Role, nowMs: number): Promise<{ keyId: string; secret: string }> {
  const secret = `dim_${newSecret()}`;
  const keyId = hashOf(secret).slice(0, 16);
  await db.insert(apiKey).values({ keyId, name, role, hash: hashOf(secret), createdAtMs: nowMs });
  return { keyId, secret };
}

/** Who holds this key; undefined when it is unknown or was revoked. Last use is noted to the minute. */
export async function callerOfKey(db: Db, secret: string): Promise<Caller | undefined> {
  const { keyId, name, role, lastUsedAtMs } = apiKey;
  // The database's clock with the row: every request waits for this.
  const now = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
  const [row] = await db
    .select({ keyId, name, role, lastUsedAtMs, now })
    .from(apiKey)
    .where(and(eq(apiKey.hash, hashOf(secret)), isNull(apiKey.revokedAtMs)));
  if (row === undefined) return undefined;
  const nowMs = Number(row.now);
  if (nowMs - (row.lastUsedAtMs ?? 0) > 60_000) await db.update(apiKey).set({ lastUsedAtMs: nowMs }).where(eq(apiKey.keyId, row.keyId));
  return { who: row.name, role: row.role };
}

/** The keys that open, oldest first. */
export async function readApiKeys(db: Db) {
  const { keyId, name, role, createdAtMs, lastUsedAtMs } = apiKey;
  return db.select({ keyId, name, role, createdAtMs, lastUsedAtMs }).from(apiKey).where(isNull(apiKey.revokedAtMs)).orderBy(asc(createdAtMs), asc(keyId));
}

/** Make a key under a name that no other key has: the name stands in the audit trail. @throws refused `key.exists` */
export async function addApiKey(tx: Tx, name: string, role: Role, nowMs: number): Promise<{ keyId: string; secret: string }> {
  await oneAtATime(tx, 'keys');
  if ((await readApiKeys(tx)).some((key) => key.name === name))
    throw new Failure('refused', {
      code: 'key.exists',
      message: `There is already a key "${name}".`,
      hint: 'Choose another name, or revoke that key first: dim keys revoke.',
    });
  return createApiKey(tx, name, role, nowMs);
}

/** The key that a start writes down: `admin`, or `admin-2` and so on while one whose secret was lost still opens. Names are what sessions and the audit go by. */
export async function addFirstKey(tx: Tx, nowMs: number): Promise<{ keyId: string; secret: string }> {
  await oneAtATime(tx, 'keys');
  const taken = new Set((await readApiKeys(tx)).map((key) => key.name));
  let name = 'admin';
  for (let n = 2; taken.has(name); n++) name = `admin-${n}`;
  return createApiKey(tx, name, 'admin', nowMs);
}

/**
 * From now on a key opens nothing, and neither do the console sessions and tokens that were made with it.
 * @throws refused `key.not-found`, or `key.last-admin` because nobody could make a key any more
 */
export async function revokeApiKey(tx: Tx, keyId: string, nowMs: number): Promise<void> {
  await oneAtATime(tx, 'keys');
  const keys = await readApiKeys(tx);
  const key = keys.find((one) => one.keyId === keyId);
  if (key === undefined) throw new Failure('refused', { code: 'key.not-found', message: `There is no key "${keyId}".`, hint: 'dim keys list names them.' });
  if (key.role === 'admin' && keys.filter((one) => one.role === 'admin').length === 1)
    throw new Failure('refused', {
      code: 'key.last-admin',
      message: `"${key.name}" is the last key with the role admin; without it nobody could make another.`,
      hint: 'Make another one first: dim keys add NAME --role admin.',
    });
  await tx.update(apiKey).set({ revokedAtMs: nowMs }).where(eq(apiKey.keyId, keyId));
  await tx
    .update(token)
    .set({ usedAtMs: nowMs })
    .where(and(eq(token.who, key.name), isNull(token.usedAtMs)));
}

export type TokenKind = 'login' | 'session' | 'join';

/** Make a token of limited life; `boundTo` restricts a join token to one node name. */
export async function createToken(
  db: Db,
  kind: TokenKind,
  caller: { who: string; role: string },
  lifeMs: number,
  nowMs: number,
  boundTo: string | null = null,
): Promise<{ secret: string; expiresAtMs: number }> {
  const secret = newSecret();
  const expiresAtMs = nowMs + lifeMs;
  await db.delete(token).where(lt(token.expiresAtMs, nowMs - 86_400_000));
  await db.insert(token).values({ hash: hashOf(secret), kind, who: caller.who, role: caller.role, boundTo, createdAtMs: nowMs, expiresAtMs });
  return { secret, expiresAtMs };
}

/** Use a token that is good once: of two at the same moment exactly one wins, because the database decides. */
export async function useToken(
  db: Db,
  kind: TokenKind,
  secret: string,
  nowMs: number,
): Promise<{ who: string; role: string; boundTo: string | null } | undefined> {
  const [row] = await db
    .update(token)
    .set({ usedAtMs: nowMs })
    .where(and(eq(token.hash, hashOf(secret)), eq(token.kind, kind), isNull(token.usedAtMs), gt(token.expiresAtMs, nowMs)))
    .returning({ who: token.who, role: token.role, boundTo: token.boundTo });
  return row;
}

/** Who holds this console session; undefined when it ended. */
export async function callerOfSession(db: Db, secret: string, nowMs: number): Promise<(Caller & { expiresAtMs: number }) | undefined> {
  const [row] = await db
    .select()
    .from(token)
    .where(and(eq(token.hash, hashOf(secret)), eq(token.kind, 'session'), isNull(token.usedAtMs), gt(token.expiresAtMs, nowMs)));
  return row === undefined ? undefined : { who: row.who, role: row.role as Role, expiresAtMs: row.expiresAtMs };
}

/** End a session for good. */
export async function endSession(db: Db, secret: string, nowMs: number): Promise<void> {
  await db
    .update(token)
    .set({ usedAtMs: nowMs })
    .where(eq(token.hash, hashOf(secret)));
}
