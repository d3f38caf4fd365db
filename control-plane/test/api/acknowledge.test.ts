import type { DeviceView } from '@data-in-motion/shared/api/fleet';
import type { DeviceId, NodeId } from '@data-in-motion/shared/domain/ids';
import { desc, eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contentFor, hashOf } from '../../src/dispatch/desired-document.ts';
import { storeAssessments, storeDevices } from '../../src/store/devices.ts';
import { workOf } from '../../src/store/order-facts.ts';
import { storeReadings } from '../../src/store/readings.ts';
import { audit, event } from '../../src/store/schema.ts';
import { type Interface, openInterface } from './interface.ts';

let api: Interface;
beforeAll(async () => {
  api = await openInterface();
});
afterAll(() => api.close());

const nodeId = 'berlin-1' as NodeId;
const deviceId = 'st4000dm000-z300abcd' as DeviceId;
const readAtMs = 1_767_225_600_000;
const told = <Record>(record: Record) => [{ nodeId, batchUid: '01KDVN8Q00ABCDEFGHJKMNPQRS', isLate: false, record }];
const path = `/v1/devices/${deviceId}/acknowledge`;

/** As an agent reports it. */
async function report(smart: Record<string, number> | null, atMs: number): Promise<void> {
  const facts = { serial: 'Z300ABCD', model: 'ST4000DM000', kind: 'hdd', transport: 'ata', capacityBytes: 4e12, firmware: null, path: '/dev/sda' } as const;
  const noValues = { recordedDay: null, source: 'smartctl', selfAssessmentPassed: null, temperatureCelsius: null, powerOnHours: null, nvme: null } as const;
  await api.store.transaction(async (tx) => {
    const nowMs = await api.store.nowMs(tx);
    await storeDevices(tx, nowMs, told({ type: 'device-seen', deviceId, ...facts }));
    const status =
      smart === null ? ({ status: 'unreadable', unreadableBecause: 'no answer' } as const) : ({ status: 'read', unreadableBecause: null } as const);
    await storeReadings(tx, nowMs, told({ type: 'reading', deviceId, atMs, ...noValues, ...status, smart: smart ?? {} }));
  });
  api.forgetLook();
}

const content = async () => contentFor(nodeId, await workOf(api.store.db, nodeId, await api.store.nowMs()));

test('a drive that is not there, or has nothing to acknowledge, is refused', async () => {
  const unknown = await api.call('POST', path, { role: 'operator', body: {} });
  expect([unknown.status, ((await unknown.json()) as { code: string }).code]).toEqual([404, 'device.not-found']);
  await report({ 5: 0, 194: 31 }, readAtMs);
  const nothing = await api.call('POST', path, { role: 'operator', body: {} });
  expect([nothing.status, ((await nothing.json()) as { code: string }).code]).toEqual([409, 'device.nothing-to-acknowledge']);
});

test('an operator acknowledges what the drive reported last; its agent is told, and who did it stays known', async () => {
  await report({ 5: 16, 188: 1, 197: 0, 194: 31 }, readAtMs + 1);
  await report(null, readAtMs + 2);
  const before = hashOf(await content());
  expect((await api.call('POST', path, { role: 'viewer', body: {} })).status).toBe(403);

  const answer = await api.call('POST', path, { role: 'operator', body: { note: 'old, cable replaced' } });
  expect(answer.status).toBe(200);
  const counts = { 'smart.5': 16, 'smart.188': 1 };
  expect(((await answer.json()) as DeviceView).acknowledged).toMatchObject({ counts, by: 'operator', note: 'old, cable replaced' });

  const after = await content();
  expect(after.acknowledged).toEqual([{ deviceId, counts, atMs: readAtMs + 1 }]);
  expect(hashOf(after)).not.toBe(before);
  const [newest] = await api.store.db.select().from(event).where(eq(event.type, 'device.acknowledged')).orderBy(desc(event.seq));
  expect(newest).toMatchObject({
    by: 'operator',
    text: `operator acknowledged 16 reallocated sectors, 1 command timeouts of the device ${deviceId}: old, cable replaced`,
    ids: { deviceId, nodeId },
  });
  const [row] = await api.store.db.select().from(audit).orderBy(desc(audit.seq));
  expect(row).toMatchObject({ who: 'operator', action: `POST ${path}`, outcome: '200' });
});

test('a later acknowledgement stands in place of the earlier one, also when the counters are back at zero', async () => {
  await report({ 5: 0, 197: 0 }, readAtMs + 3);
  const answer = await api.call('POST', path, { role: 'operator', body: {} });
  expect(((await answer.json()) as DeviceView).acknowledged).toMatchObject({ counts: {}, note: null });
  expect((await content()).acknowledged).toEqual([{ deviceId, counts: {}, atMs: readAtMs + 3 }]);
});

test('a model tells the probability of failing within 7 days beside that within 30', async () => {
  const judge = { kind: 'model', name: 'drive-failure', version: '0a1b2c3d4e5f' } as const;
  await api.store.transaction(async (tx) => {
    await storeAssessments(
      tx,
      await api.store.nowMs(tx),
      told({
        type: 'assessment',
        deviceId,
        atMs: readAtMs + 4,
        recordedDay: null,
        level: 'at-risk',
        probability: 0.11,
        probability7: 0.06,
        horizonDays: 30,
        judge,
        reasons: [],
      }),
    );
  });
  api.forgetLook();
  const answer = await api.call('GET', `/v1/devices/${deviceId}`, { role: 'viewer' });
  expect(((await answer.json()) as { device: DeviceView }).device).toMatchObject({ level: 'at-risk', probability: 0.11, probability7: 0.06, judge });
});
