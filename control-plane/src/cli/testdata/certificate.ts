import type { CertificateBody } from '@data-in-motion/shared/api/operations';

/** A drive that was emptied in order: what the tests then spoil. */
export const aCertificate: CertificateBody = {
  v: 1,
  kind: 'evacuation',
  certificateId: '01JD0000000000000000000009',
  issuedAtMs: 9_000,
  device: { deviceId: 'st4000dm000-w300dy1n', serial: 'W300DY1N', model: 'ST4000DM000', nodeId: 'berlin', siteId: 'berlin', targetIds: ['berlin-disk'] },
  judge: { kind: 'rule', name: 'five-attributes', version: '1' },
  alarm: { atMs: 1_000, recordedDay: '2026-02-03', level: 'at-risk', probability: 0.2, reasons: ['16 sectors wait to be reallocated (197), 8 more than a week ago'] },
  readings: [{ atMs: 900, recordedDay: '2026-02-02', smart: { '197': 8 } }, { atMs: 1_000, recordedDay: '2026-02-03', smart: { '197': 16 } }],
  replicas: [
    {
      datasetId: 'photos', versionId: '01JD0000000000000000000001', root: 'ab'.repeat(32), objects: 10, bytes: 100e6,
      from: { replicaId: '01JD0000000000000000000002', targetId: 'berlin-disk', nodeId: 'berlin' }, to: { replicaId: '01JD0000000000000000000003', targetId: 'frankfurt-disk', nodeId: 'frankfurt' },
      verifiedRoot: 'ab'.repeat(32), verifiedAtMs: 2_000, switchedAtMs: 3_000, retiredAtMs: 4_000, keptBecause: null,
    },
  ],
  emptyAtMs: 5_000,
  outcome: null,
};
