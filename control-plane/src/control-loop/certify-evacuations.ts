import { inArray, isNotNull, or } from 'drizzle-orm';
import { certificatesWithNews, openCertificate, refreshCertificate } from '../store/certificates.ts';
import { isLeft } from '../store/leaving-devices.ts';
import { certificate, device } from '../store/schema.ts';
import { type LeaderWrite, type LoopParts, tolerate } from './parts.ts';

/** Certificates of devices that were emptied follow the drive's fate this long. */
const followMs = 90 * 86_400_000;

/** Open a certificate for each device that is evacuated with copies on it, and keep the others true. */
export async function certifyEvacuations(parts: LoopParts, write: LeaderWrite): Promise<void> {
  const { store, signingKey } = parts;
  const known = await store.db
    .select({ certificateId: certificate.certificateId, deviceId: certificate.deviceId, state: certificate.state, openedAtMs: certificate.openedAtMs })
    .from(certificate);
  const left = await store.db
    .select()
    .from(device)
    .where(or(inArray(device.level, ['at-risk', 'failing']), isNotNull(device.evacuatingSinceMs)));
  for (const row of left.filter(isLeft)) {
    if (known.some((one) => one.deviceId === row.deviceId && (one.state === 'open' || one.openedAtMs >= (row.levelSinceMs ?? 0)))) continue;
    await tolerate(parts, () => write((tx, nowMs) => openCertificate(tx, row.deviceId, signingKey, nowMs)));
  }
  const nowMs = await store.nowMs();
  const followed = known.filter((one) => one.state === 'open' || one.openedAtMs > nowMs - followMs).map((one) => one.certificateId);
  for (const certificateId of await certificatesWithNews(store.db, followed, nowMs)) {
    await tolerate(parts, () => write((tx, atMs) => refreshCertificate(tx, certificateId, signingKey, atMs)));
  }
}
