import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { and, eq, isNull } from 'drizzle-orm';
import type { Db } from './database.ts';
import { busIdentity } from './schema.ts';

const derive = promisify(scrypt) as (password: string, salt: Buffer, bytes: number) => Promise<Buffer>;
const derivedBytes = 32;

/** `salt:hash`, hexadecimal, with scrypt's default cost (N = 16384, r = 8, p = 1). */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `${salt.toString('hex')}:${(await derive(password, salt, derivedBytes)).toString('hex')}`;
}

async function isPassword(password: string, stored: string): Promise<boolean> {
  const [salt = '', hash = ''] = stored.split(':');
  const expected = Buffer.from(hash, 'hex');
  return expected.length === derivedBytes && timingSafeEqual(await derive(password, Buffer.from(salt, 'hex'), derivedBytes), expected);
}

export interface NewBusIdentity {
  readonly identity: string;
  readonly role: 'agent' | 'client';
  readonly password: string;
}

/** Let somebody new speak on the bus; false when there is such an identity already, also a revoked one. */
export async function addBusIdentity(tx: Db, nowMs: number, { identity, role, password }: NewBusIdentity): Promise<boolean> {
  const row = { identity, role, passwordHash: await hashPassword(password), createdAtMs: nowMs };
  return (await tx.insert(busIdentity).values(row).onConflictDoNothing().returning()).length > 0;
}

/**
 * Let somebody speak on the bus, or give an identity a new password; one that was revoked is allowed again.
 * False when the identity is there in the other role: who is an agent never becomes a client, nor a client an agent.
 */
export async function putBusIdentity(tx: Db, nowMs: number, { identity, role, password }: NewBusIdentity): Promise<boolean> {
  const passwordHash = await hashPassword(password);
  const written = await tx
    .insert(busIdentity)
    .values({ identity, role, passwordHash, createdAtMs: nowMs })
    .onConflictDoUpdate({ target: busIdentity.identity, set: { passwordHash, createdAtMs: nowMs, revokedAtMs: null }, setWhere: eq(busIdentity.role, role) })
    .returning();
  return written.length > 0;
}

/** Take an identity away; answers false when there was none to take. Disconnect it from the bus afterwards. */
export async function revokeBusIdentity(tx: Db, nowMs: number, identity: string): Promise<boolean> {
  const revoked = await tx
    .update(busIdentity)
    .set({ revokedAtMs: nowMs })
    .where(and(eq(busIdentity.identity, identity), isNull(busIdentity.revokedAtMs)))
    .returning();
  return revoked.length > 0;
}

/**
 * Who may connect, asked at every connect: the row is read each time, so a revocation holds at once; the costly hash is computed once
 * for each password that was right, or a fleet that lost its broker would queue for minutes.
 */
export function busAuthenticator(db: Db): (identity: string, password: string) => Promise<'agent' | 'client' | undefined> {
  /** Password hash of the row to a digest of the password that fits it. */
  const proven = new Map<string, string>();
  return async (identity, password) => {
    const [row] = await db
      .select()
      .from(busIdentity)
      .where(and(eq(busIdentity.identity, identity), isNull(busIdentity.revokedAtMs)));
    if (row === undefined) return undefined;
    const digest = createHash('sha256').update(row.passwordHash).update(password).digest('hex');
    if (proven.get(row.passwordHash) === digest) return row.role;
    if (!(await isPassword(password, row.passwordHash))) return undefined;
    if (proven.size > 20_000) proven.clear();
    proven.set(row.passwordHash, digest);
    return row.role;
  };
}
