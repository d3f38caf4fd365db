import { defaultPolicy, type Policy } from '@data-in-motion/shared/domain/policy';
import { and, eq } from 'drizzle-orm';
import type { Db } from './database.ts';
import { globalPolicy } from './schema.ts';

/** The policy that every dataset has unless it says otherwise; made with our defaults at first use. */
export async function readGlobalPolicy(db: Db): Promise<{ rev: number; policy: Policy }> {
  const [row] = await db.select().from(globalPolicy);
  if (row !== undefined) return { rev: row.rev, policy: { ...defaultPolicy, ...row.policy } };
  await db.insert(globalPolicy).values({ policy: defaultPolicy }).onConflictDoNothing();
  return { rev: 1, policy: defaultPolicy };
}

/** Compare-and-set: undefined when somebody else was faster. */
export async function writeGlobalPolicy(db: Db, expectedRev: number, policy: Policy): Promise<number | undefined> {
  const [row] = await db
    .update(globalPolicy)
    .set({ policy, rev: expectedRev + 1 })
    .where(and(eq(globalPolicy.id, 1), eq(globalPolicy.rev, expectedRev)))
    .returning({ rev: globalPolicy.rev });
  return row?.rev;
}
