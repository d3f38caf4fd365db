import { countsToAcknowledge } from '@data-in-motion/shared/domain/acknowledgement';
import type { DeviceId, NodeId } from '@data-in-motion/shared/domain/ids';
import { smartName } from '@data-in-motion/shared/domain/smart-attributes';
import { Failure } from '@data-in-motion/shared/failure';
import { and, desc, eq, inArray } from 'drizzle-orm';
import type { Db, Tx } from './database.ts';
import { appendEvents } from './events.ts';
import { device, deviceAcknowledgement, reading } from './schema.ts';

/** What an agent is told of its drives. */
export interface AcknowledgedDevice {
  readonly deviceId: DeviceId;
  readonly counts: Record<string, number>;
  readonly atMs: number;
}

/**
 * Take the counters of a drive, as it reported them last, for seen: its agent judges what comes on top of them. Stands in place of an earlier
 * acknowledgement, also when all counters are back at zero.
 *
 * @throws Failure refused `device.not-found`; `device.nothing-to-acknowledge` when it never reported a value, or has nothing to take back or acknowledge
 */
export async function acknowledgeDevice(
  tx: Tx,
  nowMs: number,
  { deviceId, by, note }: { deviceId: DeviceId; by: string; note: string | null },
): Promise<Record<string, number>> {
  const [row] = await tx.select({ nodeId: device.nodeId }).from(device).where(eq(device.deviceId, deviceId)).for('update');
  if (row === undefined)
    throw new Failure('refused', { code: 'device.not-found', message: `There is no device "${deviceId}".`, hint: 'dim devices lists them.' });
  const [newest] = await tx
    .select({ atMs: reading.atMs, smart: reading.smart, nvme: reading.nvme })
    .from(reading)
    .where(and(eq(reading.deviceId, deviceId), eq(reading.status, 'read')))
    .orderBy(desc(reading.atMs))
    .limit(1);
  const counts = newest === undefined ? {} : countsToAcknowledge(newest);
  const [before] = await tx.select({ by: deviceAcknowledgement.by }).from(deviceAcknowledgement).where(eq(deviceAcknowledgement.deviceId, deviceId));
  if (newest === undefined || (before === undefined && Object.keys(counts).length === 0))
    throw new Failure('refused', {
      code: 'device.nothing-to-acknowledge',
      message:
        newest === undefined ? `The device "${deviceId}" has reported no values yet.` : `No counter of damage of the device "${deviceId}" is above zero.`,
      hint: 'dim devices DEVICE shows what it reported.',
      ids: { deviceId },
    });

  const facts = { counts, readAtMs: newest.atMs, atMs: nowMs, by, note };
  await tx
    .insert(deviceAcknowledgement)
    .values({ deviceId, ...facts })
    .onConflictDoUpdate({ target: deviceAcknowledgement.deviceId, set: facts });
  const text = `${by} acknowledged ${inWords(counts)} of the device ${deviceId}${note === null ? '' : `: ${note}`}`;
  await appendEvents(tx, nowMs, [{ type: 'device.acknowledged', severity: 'info', text, ids: { deviceId, nodeId: row.nodeId }, by }]);
  return counts;
}

/** `24 pending sectors, 1 command timeouts`; counters without damage are said to be at zero. */
function inWords(counts: Readonly<Record<string, number>>): string {
  const words = Object.entries(counts).map(([name, count]) => {
    const attribute = /^smart\.(\d+)$/.exec(name)?.[1];
    return `${count.toLocaleString('en-GB')} ${attribute === undefined ? 'media errors' : smartName(attribute)}`;
  });
  return words.length === 0 ? 'that the counters are back at zero' : words.join(', ');
}

/** The acknowledged devices of each of these nodes, sorted. */
export async function acknowledgedOn(db: Db, nodeIds: readonly NodeId[]): Promise<Map<NodeId, AcknowledgedDevice[]>> {
  const rows = await db
    .select({ nodeId: device.nodeId, deviceId: device.deviceId, counts: deviceAcknowledgement.counts, atMs: deviceAcknowledgement.readAtMs })
    .from(deviceAcknowledgement)
    .innerJoin(device, eq(device.deviceId, deviceAcknowledgement.deviceId))
    .where(inArray(device.nodeId, [...nodeIds]))
    .orderBy(device.deviceId);
  const byNode = new Map<NodeId, AcknowledgedDevice[]>();
  for (const { nodeId, ...one } of rows) byNode.set(nodeId, [...(byNode.get(nodeId) ?? []), one]);
  return byNode;
}
