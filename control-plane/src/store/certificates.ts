import type { CertificateBody } from '@data-in-motion/shared/api/operations';
import type { DeviceId, TargetId } from '@data-in-motion/shared/domain/ids';
import { systemRandom } from '@data-in-motion/shared/random';
import { type SigningKey, signBody } from '@data-in-motion/shared/signature';
import { ulid } from '@data-in-motion/shared/ulid';
import { and, desc, eq, gte, inArray, lte, notInArray } from 'drizzle-orm';
import type { Db, Tx } from './database.ts';
import { departures } from './departures.ts';
import { type DriveOutcomeRow, driveOutcomeOf } from './drive-outcomes.ts';
import { appendEvents } from './events.ts';
import { isLeft } from './leaving-devices.ts';
import { assessment, certificate, device, driveOutcome, node, reading, replica, target } from './schema.ts';

type CertificateRow = typeof certificate.$inferSelect;
type DeviceRow = typeof device.$inferSelect;

/** How much of the drive's last words the certificate repeats. */
const readingsShown = 14;

/** Open a certificate for a device that is evacuated while copies lie on it; one open certificate for each device. */
export async function openCertificate(tx: Tx, deviceId: DeviceId, key: SigningKey, nowMs: number): Promise<boolean> {
  const [found] = await tx.select().from(device).where(eq(device.deviceId, deviceId)).for('update');
  if (found === undefined || !isLeft(found)) return false;
  const [last] = await tx.select().from(certificate).where(eq(certificate.deviceId, deviceId)).orderBy(desc(certificate.openedAtMs)).limit(1);
  // A device that stays risky after it was emptied needs no second certificate.
  if (last !== undefined && (last.state === 'open' || last.openedAtMs >= (found.levelSinceMs ?? 0))) return false;
  const targetIds = await targetsOf(tx, deviceId);
  if ((await copiesLeft(tx, targetIds)) === 0) return false;
  const certificateId = ulid(nowMs, systemRandom);
  const body = await firstBody(tx, certificateId, found, targetIds, nowMs);
  await tx
    .insert(certificate)
    .values({ certificateId, deviceId, nodeId: found.nodeId, state: 'open', openedAtMs: nowMs, issuedAtMs: nowMs, ...signed(body, key) });
  await tell(tx, found, certificateId, 'certificate.opened', `The copies on ${deviceId} are leaving; what happens is certified`, nowMs);
  return true;
}

/** Bring a certificate up to date: the copies that have left, whether the device is empty, what became of it. Signed anew only when it says something new. */
export async function refreshCertificate(tx: Tx, certificateId: string, key: SigningKey, nowMs: number): Promise<boolean> {
  const [row] = await tx.select().from(certificate).where(eq(certificate.certificateId, certificateId)).for('update');
  if (row === undefined) return false;
  const [found] = await tx.select().from(device).where(eq(device.deviceId, row.deviceId));
  if (found === undefined) return false;
  const before = JSON.parse(row.body) as CertificateBody;
  const replicas =
    row.state === 'open' ? await departures(tx, before.device.targetIds as TargetId[], Math.min(row.openedAtMs, before.alarm.atMs)) : before.replicas;
  const left = await copiesLeft(tx, before.device.targetIds as TargetId[]);
  const emptyAtMs = before.emptyAtMs ?? (left === 0 ? nowMs : null);
  const outcome = outcomeOf(found, await driveOutcomeOf(tx, row.deviceId), before, emptyAtMs, nowMs);
  const isComplete =
    row.state === 'complete' ||
    emptyAtMs !== null ||
    (outcome?.state === 'recovered' && replicas.every((copy) => copy.retiredAtMs !== null || copy.keptBecause !== null));
  const after: CertificateBody = { ...before, replicas, emptyAtMs, outcome };
  if (JSON.stringify(after) === JSON.stringify(before) && isComplete === (row.state === 'complete')) return false;
  await tx
    .update(certificate)
    .set({ state: isComplete ? 'complete' : 'open', issuedAtMs: nowMs, ...signed({ ...after, issuedAtMs: nowMs }, key) })
    .where(eq(certificate.certificateId, certificateId));
  if (emptyAtMs !== null && before.emptyAtMs === null)
    await tell(
      tx,
      found,
      certificateId,
      'certificate.completed',
      `${row.deviceId} holds no copy any more; ${replicas.length} were verified elsewhere first`,
      nowMs,
    );
  if (outcome !== null && outcome.state !== before.outcome?.state) await tell(tx, found, certificateId, 'certificate.outcome', outcome.text, nowMs);
  return true;
}

function signed(body: CertificateBody, key: SigningKey): Pick<CertificateRow, 'body' | 'signature' | 'keyId'> {
  return signBody(JSON.stringify(body), key);
}

async function tell(tx: Tx, found: DeviceRow, certificateId: string, type: string, text: string, nowMs: number): Promise<void> {
  await appendEvents(tx, nowMs, [
    { type, severity: 'info', text, ids: { certificateId, deviceId: found.deviceId, nodeId: found.nodeId }, by: 'control-plane' },
  ]);
}

async function firstBody(tx: Tx, certificateId: string, found: DeviceRow, targetIds: readonly TargetId[], nowMs: number): Promise<CertificateBody> {
  const [at] = await tx.select({ siteId: node.siteId }).from(node).where(eq(node.nodeId, found.nodeId));
  const alarmAtMs = found.levelSinceMs ?? nowMs;
  const [alarm] = await tx
    .select()
    .from(assessment)
    .where(and(eq(assessment.deviceId, found.deviceId), gte(assessment.atMs, alarmAtMs)))
    .orderBy(assessment.atMs)
    .limit(1);
  const readings = await tx
    .select()
    .from(reading)
    .where(and(eq(reading.deviceId, found.deviceId), eq(reading.status, 'read'), lte(reading.atMs, alarm?.atMs ?? nowMs)))
    .orderBy(desc(reading.atMs))
    .limit(readingsShown);
  return {
    v: 1,
    kind: 'evacuation',
    certificateId,
    issuedAtMs: nowMs,
    device: { deviceId: found.deviceId, serial: found.serial, model: found.model, nodeId: found.nodeId, siteId: at?.siteId ?? '', targetIds: [...targetIds] },
    judge: found.judge ?? { kind: 'rule', name: 'unknown', version: '0' },
    alarm: {
      atMs: alarm?.atMs ?? alarmAtMs,
      recordedDay: alarm?.recordedDay ?? found.recordedDay,
      level: found.level,
      probability: found.probability,
      reasons: found.reasons.map((reason) => reason.text),
    },
    readings: readings.reverse().map(({ atMs, recordedDay, smart }) => ({ atMs, recordedDay, smart })),
    replicas: [],
    emptyAtMs: null,
    outcome: null,
  };
}

async function targetsOf(tx: Tx, deviceId: DeviceId): Promise<TargetId[]> {
  const rows = await tx.select({ targetId: target.targetId, description: target.description }).from(target).orderBy(target.targetId);
  return rows.filter((row) => row.description.deviceIds.includes(deviceId)).map((row) => row.targetId);
}

/** Copies whose bytes still have to leave: what lies in the trash has left, what is missing was never there. */
async function copiesLeft(tx: Tx, targetIds: readonly TargetId[]): Promise<number> {
  if (targetIds.length === 0) return 0;
  const rows = await tx
    .select({ replicaId: replica.replicaId })
    .from(replica)
    .where(and(inArray(replica.targetId, [...targetIds]), notInArray(replica.state, ['trashed', 'purged', 'abandoned', 'missing'])));
  return rows.length;
}

/**
 * Of certificates of emptied drives, those that have something new to say: only what became of the drive can change any more. Looked at for all at once,
 * since they are followed for months and nothing changes for most of that time.
 */
export async function certificatesWithNews(db: Db, certificateIds: readonly string[], nowMs: number): Promise<string[]> {
  if (certificateIds.length === 0) return [];
  const rows = await db
    .select({ certificateId: certificate.certificateId, state: certificate.state, body: certificate.body, device, outcome: driveOutcome })
    .from(certificate)
    .innerJoin(device, eq(device.deviceId, certificate.deviceId))
    .leftJoin(driveOutcome, eq(driveOutcome.deviceId, certificate.deviceId))
    .where(inArray(certificate.certificateId, [...certificateIds]));
  return rows.flatMap((row) => {
    const body = JSON.parse(row.body) as CertificateBody;
    const isSettled = row.state === 'complete' && body.emptyAtMs !== null;
    return isSettled && outcomeOf(row.device, row.outcome ?? undefined, body, body.emptyAtMs, nowMs) === body.outcome ? [] : [row.certificateId];
  });
}

/**
 * What became of the drive: as it was reported or concluded, with the patience of that conclusion for a drive that does not answer; otherwise by its
 * latest readings. Told once the alarm has been answered, and again whenever that changes.
 */
function outcomeOf(
  found: DeviceRow,
  known: DriveOutcomeRow | undefined,
  before: CertificateBody,
  emptyAtMs: number | null,
  nowMs: number,
): CertificateBody['outcome'] {
  const { deviceId, recordedDay } = found;
  const is = (state: NonNullable<CertificateBody['outcome']>['state'], text: string): CertificateBody['outcome'] =>
    before.outcome?.state === state ? before.outcome : { atMs: nowMs, state, recordedDay, text };
  const said = known?.how === 'reported' ? `; ${known.by} said so${known.note === null ? '' : `: ${known.note}`}` : '';
  if (known?.outcome === 'failed') return is('failed', `${deviceId} ${said === '' ? 'stopped answering' : `failed${said}`}`);
  if (known?.outcome === 'removed') return is('replaced', `${deviceId} was removed while it worked${said}`);
  if (found.lastStatus === 'unreadable') return before.outcome;
  if (found.level === 'healthy') return is('recovered', `${deviceId} is judged healthy again`);
  if (emptyAtMs !== null && (found.lastReadingAtMs ?? 0) > emptyAtMs) return is('alive', `${deviceId} still answers, empty`);
  return before.outcome;
}
