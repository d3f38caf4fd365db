import { type DeviceHistory, deviceHistory } from '@data-in-motion/shared/api/fleet';
import type { RiskLevel } from '@data-in-motion/shared/domain/assessment';
import type { DeviceId, NodeId } from '@data-in-motion/shared/domain/ids';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aCertificate } from '../../src/cli/testdata/certificate.ts';
import { storeDevices } from '../../src/store/devices.ts';
import { assessment, certificate, reading } from '../../src/store/schema.ts';
import { type Interface, openInterface } from './interface.ts';

let api: Interface;
beforeAll(async () => {
  api = await openInterface();
  const facts = { serial: 'Z300ABCD', model: 'ST4000DM000', kind: 'hdd', transport: 'ata', capacityBytes: 4e12, firmware: null, path: '/dev/sda' } as const;
  await api.store.transaction(async (tx) =>
    storeDevices(tx, await api.store.nowMs(tx), [{ nodeId, batchUid, isLate: false, record: { type: 'device-seen', deviceId, ...facts } }]),
  );
  await api.store.db.insert(reading).values(
    Array.from({ length: days }, (_, day) => ({
      ...common,
      atMs: day,
      receivedAtMs: day,
      source: 'smartctl',
      status: 'read' as const,
      smart: { '197': day },
      nvme: day === 0 ? null : { ...noHealth, percentageUsed: day },
      kernel: day < 600 || day === days - 1 ? null : { ...counted, ioErrors: day, since: { ...quiet, msPerRead: day / 100 } },
      batchUid,
    })),
  );
  await api.store.db.insert(assessment).values(
    Array.from({ length: days }, (_, day) => ({
      ...common,
      atMs: day,
      level: levelOn(day),
      probability: day / 1000,
      horizonDays: 30,
      judge: { kind: 'model' as const, name: 'drive-failure', version: '0123456789ab' },
      reasons: [{ text: `${day} pending sectors`, attribute: 'smart.197', value: day }],
    })),
  );
  api.forgetLook();
});
afterAll(() => api.close());

const nodeId = 'berlin-1' as NodeId;
const deviceId = 'st4000dm000-z300abcd' as DeviceId;
const batchUid = '01KDVN8Q00ABCDEFGHJKMNPQRS';
const days = 700;
const common = { deviceId, nodeId, recordedDay: null };
const noHealth = {
  criticalWarning: 0,
  availableSparePercent: null,
  availableSpareThresholdPercent: null,
  percentageUsed: null,
  mediaErrors: null,
  unsafeShutdowns: null,
};
const quiet = {
  ...{ overMs: 600_000, ioErrors: 0, timeouts: null, reads: 0, writes: 0, readBytes: 0, writtenBytes: 0, inFlight: 0, busy: 0 },
  ...{ msPerRead: null, msPerWrite: null, msPerDiscard: null, msPerFlush: null },
};
const counted = { block: 'sda', ioErrors: 0, timeouts: null, commands: 9, since: null, unknownBecause: 'this kernel has no iotmo_cnt' };
const levelOn = (day: number): RiskLevel => (day === 333 ? 'watch' : day < 666 ? 'healthy' : 'failing');

async function history(query = ''): Promise<DeviceHistory> {
  const answer = await api.call('GET', `/v1/devices/${deviceId}${query}`, { role: 'viewer' });
  expect(answer.status).toBe(200);
  return (await answer.json()) as DeviceHistory;
}

test('a long life is thinned to five hundred points, oldest first, the newest kept, and how many there are is told', async () => {
  const { readings, stored } = await history();
  expect(stored).toEqual({ readings: days, assessments: days });
  expect(readings).toHaveLength(500);
  expect(readings.map(({ atMs }) => atMs)).toEqual(readings.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
  expect(readings.at(-1)).toMatchObject({ atMs: 699, smart: { '197': 699 }, nvme: { percentageUsed: 699, mediaErrors: null } });
  expect((await history('?points=2000')).readings).toHaveLength(days);
});

test('the newest counts of the kernel stand beside its readings, which tell errors and times; one without tells none', async () => {
  const { kernel, readings } = await history('?points=2000');
  expect(kernel).toEqual({ ...counted, atMs: 698, ioErrors: 698, since: { ...quiet, msPerRead: 6.98 } });
  expect(readings[599]!.kernel).toBeNull();
  expect(readings[600]!.kernel).toEqual({ ioErrors: 600, timeouts: null, msPerRead: 6, msPerWrite: null });
});

test('however few points are asked for, each change of level is among them with what judged and why', async () => {
  const { assessments } = await history('?points=12');
  expect(assessments.length).toBeLessThanOrEqual(12);
  expect(assessments.map(({ atMs }) => atMs)).toEqual(expect.arrayContaining([0, 333, 334, 666, 699]));
  expect(assessments.find(({ atMs }) => atMs === 666)).toMatchObject({
    level: 'failing',
    probability: 0.666,
    judge: { kind: 'model', version: '0123456789ab' },
    reasons: ['666 pending sectors'],
  });
});

test('a number of points that is none is refused', async () => {
  expect((await api.call('GET', `/v1/devices/${deviceId}?points=many`, { role: 'viewer' })).status).toBe(422);
});

test('how the drive was emptied is told from its certificates, oldest first, and what became of it then', async () => {
  expect((await history()).evacuations).toEqual([]);
  const body = { ...aCertificate, emptyAtMs: 5_000 };
  const row = { deviceId, nodeId, issuedAtMs: 5_000, signature: '', keyId: 'k' };
  await api.store.db.insert(certificate).values([
    { ...row, certificateId: 'second', state: 'open', openedAtMs: 9_000, body: JSON.stringify({ ...body, emptyAtMs: null, outcome: null }) },
    { ...row, certificateId: 'first', state: 'complete', openedAtMs: 1_000, body: JSON.stringify(body) },
  ]);
  const { evacuations } = deviceHistory.parse(await history());
  const bytes = body.replicas.reduce((sum, one) => sum + one.bytes, 0);
  expect(evacuations).toMatchObject([
    { certificateId: 'first', state: 'complete', alarm: body.alarm, emptyAtMs: 5_000, replicas: body.replicas.length, bytes, outcome: body.outcome },
    { certificateId: 'second', state: 'open', emptyAtMs: null, outcome: null },
  ]);
});
