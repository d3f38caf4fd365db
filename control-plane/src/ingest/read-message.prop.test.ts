import { readingRecord } from '@data-in-motion/shared/protocol/records';
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
});

it('the short way takes no reading that the schema refuses, and changes none', () => {
  const change = fc.record({ field: fc.oneof(fc.constantFrom(...Object.keys(plain)), fc.string()), value: odd, drop: fc.boolean() });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 3 }), (changes) => {
      let record: Record<string, unknown> = { ...plain };
      for (const { field, value, drop } of changes) {
        if (drop) delete record[field];
        else record[field] = value;
      }
      record = JSON.parse(JSON.stringify(record)) as Record<string, unknown>;
      if (isPlainReading(record)) expect(readingRecord.parse(record)).toEqual(record);
    }),
    { numRuns: 3_000 },
  );
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
