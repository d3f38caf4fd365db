import { agentRecord, readingRecord } from '@data-in-motion/shared/protocol/records';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isPlainReading } from './plain-reading.ts';
import { readMessage } from './read-message.ts';

const plain = {
  type: 'reading',
  deviceId: 'd1',
  atMs: 5,
  recordedDay: null,
  source: 'replay',
  status: 'read',
  unreadableBecause: null,
  selfAssessmentPassed: null,
  temperatureCelsius: 31.5,
  powerOnHours: null,
  smart: { '5': 0, '197': 8 },
  nvme: null,
};
const since = {
  overMs: 600_000,
  ioErrors: 2,
  timeouts: null,
  reads: 40,
  writes: 0,
  readBytes: 4_096,
  writtenBytes: 0,
  msPerRead: 4.2,
  msPerWrite: null,
  msPerDiscard: null,
  msPerFlush: 0,
  inFlight: 0.5,
  busy: 1,
};
const kernel = { block: 'sda', ioErrors: 18, timeouts: 0, commands: 4_096, since, unknownBecause: null };
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    'x',
    'smartctl',
    'asleep',
    '2026-01-01',
    0,
    -1,
    1.5,
    1e300,
    7_258_118_400_001,
    [],
    {},
    { '1000': 1 },
    { '007': 1 },
    { '5': null },
    { '5': '1' },
    { a: 1 },
    { '-1': 1 },
    { '1e1': 1 },
    { ' 5': 1 },
    { '5': 1e308 },
  ),
  fc.jsonValue(),
);

it('the short way takes plain readings', () => {
  expect(isPlainReading(plain)).toBe(true);
  expect(isPlainReading({ ...plain, kernel })).toBe(true);
  expect(isPlainReading({ ...plain, kernel: { ...kernel, block: null, since: null, unknownBecause: 'a controller hides it' } })).toBe(true);
});

it('the short way takes no reading that the schema refuses, and changes none', () => {
  const change = fc.record({
    of: fc.constantFrom('reading' as const, 'kernel' as const, 'since' as const),
    field: fc.oneof(fc.constantFrom(...Object.keys({ ...plain, ...kernel, ...since })), fc.string()),
    value: odd,
    drop: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 3 }), (changes) => {
      const parts: Record<'reading' | 'kernel' | 'since', Record<string, unknown>> = { reading: { ...plain }, kernel: { ...kernel }, since: { ...since } };
      parts.kernel.since = parts.since;
      parts.reading.kernel = parts.kernel;
      for (const { of, field, value, drop } of changes) {
        if (drop) delete parts[of][field];
        else parts[of][field] = value;
      }
      const record = JSON.parse(JSON.stringify(parts.reading)) as Record<string, unknown>;
      if (isPlainReading(record)) expect(readingRecord.parse(record)).toEqual(record);
    }),
    { numRuns: 3_000 },
  );
});

it('what an agent of before tells of its disks is taken, so that the batch it stands in is', () => {
  const told = {
    type: 'disk-stats',
    deviceId: 'd1',
    atMs: 5,
    overMs: 15_000,
    reads: 1,
    writes: 0,
    readBytes: 4_096,
    writtenBytes: 0,
    meanLatencyMs: 1,
    busy: 0,
  };
  expect(agentRecord.parse(told)).toEqual({ type: 'disk-stats' });
});

it('no bytes whatever break the door', () => {
  const names = fc.constantFrom('batch' as const, 'boot' as const, 'state' as const, 'ask' as const, 'access' as const);
  fc.assert(
    fc.property(
      names,
      fc.oneof(
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.json().map((text) => Buffer.from(text)),
        fc.object().map((value) => Buffer.from(JSON.stringify({ v: 1, ...value }))),
      ),
      (name, payload) => {
        expect(readMessage(name, 'n1', payload).kind).toBe('bad');
      },
    ),
  );
});
