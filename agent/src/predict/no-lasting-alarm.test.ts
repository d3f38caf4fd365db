import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isRisky } from '@data-in-motion/shared/domain/assessment';
import type { Reading } from '@data-in-motion/shared/domain/device';
import { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import { describe, expect, test } from 'vitest';
import { assessDevice } from './assess-device.ts';
import { type Day, days, life, nowMs, seagate } from './testdata/lives.ts';
import { smallModel } from './testdata/small-model.ts';

const shippedFile = path.resolve(import.meta.dirname, '../../../control-plane/models/drive-failure.json');
const shipped = existsSync(shippedFile) ? new FailureJudge(JSON.parse(readFileSync(shippedFile, 'utf8'))) : null;
if (shipped === null) console.log(`skipped: no model is shipped at ${shippedFile}`);

const hours = (powerOnHours: number): Day => ({ powerOnHours });
/** One time-out as Seagate packs it: one of all, one over 5 s, one over 7.5 s. */
const packedTimeout = 4_295_032_833;
/** Operations below errors: a healthy drive's raw read error rate and seek error rate. */
const packedRates = { 1: 117_440_512, 7: 34_359_869_493 };

/** What people complain of in monitors that alarm on any raw value: harmless, and none of it may end in an alarm. */
const shapes: readonly (readonly [string, readonly Reading[]])[] = [
  ['a constant count of old media errors', life(days(120, { smart: { 187: 12 } }))],
  ['old replaced sectors', life(days(120, { smart: { 5: 16 } }))],
  ['one command time-out', life([...days(60), ...days(40, { smart: { 188: 1 } })])],
  [
    'one command time-out a month, packed',
    life([...days(30), ...days(30, { smart: { 188: packedTimeout } }), ...days(40, { smart: { 188: 2 * packedTimeout } })]),
  ],
  ['packed error rates that rise with every read', life(days(60).map((_, i) => ({ smart: { 1: packedRates[1] + i * 9e6, 7: packedRates[7] + i * 5e5 } })))],
  ['a hot afternoon', life([...days(60), ...days(2, { temperatureCelsius: 61 }), ...days(3)])],
  [
    'a drive in the slot of a dead one, under its name',
    life(
      [...days(30), { smart: { 5: 900, 197: 300 } }, ...days(5).map((_, i) => hours(40 + i * 24))].map((day, i) =>
        i < 31 ? { ...hours(30_000 + i * 24), ...day } : day,
      ),
    ),
  ],
  ['counters that its firmware forgot', life([...days(40, { smart: { 5: 700, 187: 60 } }), ...days(20)])],
  ['pending sectors that were rewritten', life([...days(60), ...days(2, { smart: { 197: 8, 198: 8 } }), ...days(60)])],
];

const judges: [string, FailureJudge | null][] = [
  ['the rule', null],
  ['a small model', new FailureJudge(smallModel)],
];
if (shipped !== null) judges.push(['the shipped model', shipped]);

describe.each(judges)('%s raises no lasting alarm for', (_, model) => {
  test.each(shapes)('%s', (_, readings) => {
    const assessment = assessDevice(readings, nowMs, { device: seagate, model });
    expect(isRisky(assessment.level), JSON.stringify(assessment)).toBe(false);
  });
});
