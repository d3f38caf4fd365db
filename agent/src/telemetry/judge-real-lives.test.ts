import { existsSync } from 'node:fs';
import path from 'node:path';
import { isRisky } from '@data-in-motion/shared/domain/assessment';
import { dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import type { Reading } from '@data-in-motion/shared/domain/device';
import { describe, expect, test } from 'vitest';
import { assessDevice } from '../predict/assess-device.ts';
import { readLives } from './read-lives.ts';
import { answerOn, type RecordedLife } from './recorded-life.ts';

const history = path.resolve(import.meta.dirname, '../../../../shared/data/hdd-backblaze-2013-2016');
const present = existsSync(history);
if (!present) console.log(`skipped: recorded lives of real drives are not at ${history}`);

const dayMs = 86_400_000;
const horizonDays = 30;
/** The collector reported all five attributes from spring 2014 on; the recording is cut at the end of 2015. */
const [from, to] = [dayOfDate('2014-05-05'), dayOfDate('2016-01-01')];

describe.skipIf(!present)('the rule on real drives', () => {
  test('warns of the failures it was measured to warn of, at the false alarms it was measured to make', async () => {
    const source = {
      kind: 'change-points',
      drivesFile: path.join(history, 'dev_drives.csv.gz'),
      eventsFile: path.join(history, 'dev_events.csv.gz'),
      firstDate: '2013-04-10',
    } as const;
    // Chosen by number, before anything is known of them.
    const some = Array.from({ length: 1_990 }, (_, i) => String(i * 29 + 1));
    const lives = await readLives(source, some);
    const counts = { failing: 0, foundFailing: 0, surviving: 0, falseAlarms: 0 };
    for (const [i, life] of lives.entries()) {
      for (let day = from + (i % horizonDays); day + horizonDays <= to; day += horizonDays) count(counts, life, day);
    }
    const found = counts.foundFailing / counts.failing;
    const falseAlarms = counts.falseAlarms / counts.surviving;
    console.log(
      `${lives.length} drives, base rate ${share(counts.failing / (counts.failing + counts.surviving))}: found ${share(found)} of ${counts.failing} failures, false alarms ${share(falseAlarms)}`,
    );
    // Of all drives: 43 % found at 0.94 % false alarms. The sample is small, so the bounds are wide; what they catch is a rule that broke.
    expect(found).toBeGreaterThan(0.25);
    expect(falseAlarms).toBeLessThan(0.02);
  });
});

/** One decision about one drive: only what was known on the day, every drive that was alive, failure within the horizon afterwards as the truth. */
function count(counts: { failing: number; foundFailing: number; surviving: number; falseAlarms: number }, life: RecordedLife, day: number): void {
  if (day < life.firstDay || day >= life.lastDay || (!life.failed && life.lastDay < day + horizonDays)) return;
  const readings: Reading[] = [];
  for (let seen = Math.max(life.firstDay, day - 45); seen <= day; seen++) {
    const point = answerOn(life, seen);
    if (typeof point === 'string') continue;
    const values = { selfAssessmentPassed: null, temperatureCelsius: null, powerOnHours: point.powerOnHours, smart: point.smart, nvme: null };
    readings.push({
      deviceId: life.device.deviceId,
      atMs: seen * dayMs,
      recordedDay: null,
      source: 'replay',
      status: 'read',
      unreadableBecause: null,
      ...values,
    });
  }
  const warned = isRisky(assessDevice(readings, day * dayMs).level);
  const fails = life.failed && life.lastDay <= day + horizonDays;
  if (fails) {
    counts.failing += 1;
    if (warned) counts.foundFailing += 1;
  } else {
    counts.surviving += 1;
    if (warned) counts.falseAlarms += 1;
  }
}

function share(value: number): string {
  return `${(value * 100).toFixed(2)} %`;
}
