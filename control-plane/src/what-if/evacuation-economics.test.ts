import { seededRandom } from '@data-in-motion/shared/random';
import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import { evacuationEconomics, plainStake, type ScoredDecision } from './evacuation-economics.ts';

const tb = 1e12;
const bytesOn = (): number => tb;
const settings = defaultDecisionSettings.evacuation;
const look = (driveId: string, day: number, p30: number, failedDay: number | null, anyOfFive = false): ScoredDecision => ({
  driveId,
  day,
  p30,
  anyOfFive,
  failedDay,
});

describe('one drive', () => {
  test('that dies full costs what its stake says, and nothing else', () => {
    const { of } = evacuationEconomics([look('a', 0, 0, 20)], { copies: 1, bytesOn });
    expect(of.priced).toMatchObject({ failures: 1, emptyBefore: 0, evacuations: 0, movingDollars: 0 });
    expect(of.priced.totalDollars).toBeCloseTo(
      1000 * settings.dollarsPerGbLost + settings.dollarsPerUnplannedRepair + settings.dollarsPerDegradedHour * (1 + tb / 50e6 / 3600),
      6,
    );
  });

  test('that was emptied in time costs the move', () => {
    const { of } = evacuationEconomics([look('a', 0, 0.5, 20, true)], { copies: 1, bytesOn });
    for (const each of [of.priced, of['any-of-five']]) expect(each).toMatchObject({ emptyBefore: 1, evacuations: 1, falseEvacuations: 0, deathsDollars: 0 });
    expect(of.never.deathsDollars).toBeGreaterThan(1000);
  });

  test('that dies before its last byte moved costs both', () => {
    const { of } = evacuationEconomics([look('a', 0, 0.5, 0.1)], { copies: 1, bytesOn });
    expect(of.priced).toMatchObject({ emptyBefore: 0, evacuations: 1 });
    expect(of.priced.deathsDollars).toBeGreaterThan(1000);
  });

  test('that stays under suspicion is emptied once, and one whose sign goes is filled again', () => {
    const months = (p30s: readonly number[]) => p30s.map((p30, month) => look('a', month * 30, p30, null));
    const evacuations = (p30s: readonly number[]) => evacuationEconomics(months(p30s), { copies: 1, bytesOn }).of.priced.evacuations;
    expect(evacuations([0.1, 0.1, 0.1])).toBe(1);
    expect(evacuations([0.1, 0.005, 0.1])).toBe(1);
    expect(evacuations([0.1, 0, 0.1])).toBe(2);
  });

  test('that the model calls failing is emptied whatever it costs, and stays empty until it is called healthy', () => {
    const levels = { watch: 0.01, failing: 0.2 };
    const priced = (p30s: readonly number[], copies: 1 | 3) =>
      evacuationEconomics(
        p30s.map((p30, month) => look('a', month * 30, p30, null)),
        { copies, bytesOn, levels },
      ).of.priced;
    expect(priced([0.2], 3)).toMatchObject({ evacuations: 1, falseEvacuations: 1 });
    expect(priced([0.2, 0.01, 0.2], 3).evacuations).toBe(1);
    expect(priced([0.2, 0.009, 0.2], 3).evacuations).toBe(2);
    expect(priced([0.009], 1).evacuations).toBe(0);
  });
});

test('with no drives there is nothing to say', () => {
  expect(evacuationEconomics([], { copies: 2, bytesOn }).of.priced).toMatchObject({ failures: 0, totalDollars: 0, falsePer1000DriveMonths: 0 });
});

test('the more copies there are elsewhere, the less there is to lose', () => {
  const [one, two, three] = [1, 2, 3].map((copies) => plainStake(tb, copies, settings).datasets[0]!.lossDollars) as [number, number, number];
  expect(one).toBeGreaterThan(1000 * two);
  expect(two).toBeGreaterThan(1000 * three);
});

/** Drives whose probability means what it says: most as any drive, some with signs, a few near their end; the five attributes see half of those. */
function calibratedFleet(seed: number): ScoredDecision[] {
  const random = seededRandom(seed);
  return Array.from({ length: 3_000 }, (_, place) => {
    const kind = random.next();
    const p30 = kind < 0.9 ? 0.0015 : kind < 0.98 ? 0.02 * random.next() : 0.05 + 0.6 * random.next();
    const anyOfFive = random.next() < (p30 > 0.005 ? 0.5 : 0.05);
    const looks: ScoredDecision[] = [];
    for (let month = 0; month < 6; month++) {
      const failedDay = random.next() < p30 ? month * 30 + 30 * random.next() : null;
      looks.push(look(`d${place}`, month * 30, p30, null, anyOfFive));
      if (failedDay !== null) return looks.map((one) => ({ ...one, failedDay }));
    }
    return looks;
  }).flat();
}

test.each([1, 2, 3] as const)(
  'with %i copies and a model that means what it says, the priced policy is not dearer than the better of never and any-of-five',
  (copies) => {
    for (const seed of [1, 2, 3]) {
      const { of } = evacuationEconomics(calibratedFleet(seed), { copies, bytesOn });
      expect(of.priced.totalDollars).toBeLessThanOrEqual(Math.min(of.never.totalDollars, of['any-of-five'].totalDollars));
      if (copies === 1) expect(of.priced.totalDollars).toBeLessThan(0.7 * of.never.totalDollars);
      expect(of.priced.emptyBefore).toBeGreaterThan(0);
    }
  },
);
