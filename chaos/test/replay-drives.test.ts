import { dateOfDay, dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import { deviceIdOf } from '@data-in-motion/shared/domain/ids';
import { smallModel } from '@data-in-motion/shared/testdata/small-model';
import { afterAll, describe, expect, test } from 'vitest';
import type { RecordedLife } from '../../agent/src/telemetry/recorded-life.ts';
import { storeKinds } from '../../control-plane/test/stores.ts';
import { drivesWithSigns, letAgentsTell, replayFleet } from '../bench/replay-drives.ts';
import { replayFigures } from '../bench/replay-figures.ts';

const fromDay = dayOfDate('2014-10-01');
const span = { fromDay, untilDay: fromDay + 60 };

/** A drive with pending sectors from one day to before another, that may die. */
function life(serial: string, pending: { readonly fromDay: number; readonly untilDay: number } | null, diesOn: number | null): RecordedLife {
  const counts = (count: number): Record<string, number> => ({ 5: 0, 187: 0, 188: 0, 197: count, 198: 0 });
  const point = (day: number, count: number) => ({ day, powerOnHours: 24 * (day - fromDay + 1_000), temperatureCelsius: null, smart: counts(count) });
  const points = [point(fromDay - 100, 0), ...(pending === null ? [] : [point(pending.fromDay, 64), point(pending.untilDay, 0)])];
  const device = {
    deviceId: deviceIdOf('ST4000DM000', serial),
    serial,
    model: 'ST4000DM000',
    kind: 'hdd' as const,
    transport: 'ata' as const,
    capacityBytes: 4e12,
    firmware: null,
    path: 'testdata',
  };
  return { device, points, firstDay: fromDay - 100, lastDay: diesOn ?? fromDay + 400, failed: diesOn !== null };
}

const lives = [
  life('warned', { fromDay: fromDay + 7, untilDay: fromDay + 40 }, fromDay + 21),
  life('hasty', { fromDay: fromDay + 13, untilDay: fromDay + 40 }, fromDay + 13),
  life('silent', null, fromDay + 30),
  life('frightened', { fromDay: fromDay + 10, untilDay: fromDay + 17 }, null),
  ...Array.from({ length: 20 }, (_, i) => life(`well-${i}`, null, null)),
];
/** Sure of a drive whose pending sectors grew in 30 days, calm about all others. */
const { trees } = smallModel();
const judge = new FailureJudge(smallModel({ base: -5.4, trees: { ...trees, feature: [1, -1, -1], value: [0, -0.5, 8] } }));
const judges = [{ fromDay, judge }];

describe.each(storeKinds)('a fleet whose drives live recorded lives, on $kind', ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  test.each([1, 2] as const)(
    'empties those that give a sign in time, and no dataset has fewer copies for it (%i wanted)',
    async (copies) => {
      const telling = await letAgentsTell(lives, judges, span);
      expect([...drivesWithSigns(telling)].map((one) => one.device.serial).sort()).toEqual(['frightened', 'hasty', 'silent', 'warned']);
      const fleet = await replayFleet(await open.open(), lives, telling, { copies, fill: 0.5, standsFor: 1, ...span });
      const days = Object.fromEntries(
        fleet.evacuations.map((one) => [one.driveId, [dateOfDay(Math.floor(one.openedDay)), one.emptyDay !== null, one.outcome]]),
      );
      expect(days).toMatchObject({ warned: ['2014-10-08', true, expect.anything()], frightened: ['2014-10-11', true, expect.anything()] });
      expect(fleet.deaths.map((one) => [one.driveId, one.day - fromDay, one.copies, one.lost])).toEqual([
        // Copied and switched to within the day that its alarm left, and not empty yet.
        ['hasty', 14, 1, 0],
        ['warned', 22, 0, 0],
        ['silent', 31, 1, copies === 1 ? 1 : 0],
      ]);
      const figures = replayFigures([fleet], 48, span.untilDay);
      expect(figures).toMatchObject({ failures: 3, emptyBefore: 1, safeBefore: 2, falseEvacuations: 1, broken: [] });
      expect(figures.falsePer1000DriveMonths).toBeCloseTo(1_000 / 48, 6);
    },
    240_000,
  );
});
