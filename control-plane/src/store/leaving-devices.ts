import { isRisky } from '@data-in-motion/shared/domain/assessment';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { eq } from 'drizzle-orm';
import type { Tx } from './database.ts';
import { device } from './schema.ts';

type Judged = Pick<typeof device.$inferSelect, 'level' | 'judge' | 'evacuatingSinceMs'>;

/**
 * Whether a device is not to be relied on: its copies are leaving, or its level says so. One that a model holds for at risk, and whose evacuation
 * was weighed and does not pay, is relied on like any other: no drive is safe.
 */
export function isLeft({ level, judge, evacuatingSinceMs }: Judged): boolean {
  if (evacuatingSinceMs !== null || level === 'failing') return true;
  return isRisky(level) && judge?.kind !== 'model';
}

/** Write down since when the copies of a device are leaving; null: they are not. */
export async function keepEvacuation(tx: Tx, deviceId: DeviceId, sinceMs: number | null): Promise<void> {
  await tx.update(device).set({ evacuatingSinceMs: sinceMs }).where(eq(device.deviceId, deviceId));
}
