import type { RiskLevel } from '@data-in-motion/shared/domain/assessment';
import { expect, test } from 'vitest';
import { agreementOf, byDisagreement } from './disagreement.ts';

const drive = (name: string, p30: number, level: RiskLevel, otherP30: number, otherLevel: RiskLevel) => ({ name, p30, level, otherP30, otherLevel });
const drives = [
  drive('quiet', 0.001, 'healthy', 0.001, 'healthy'),
  drive('odds apart', 0.0001, 'healthy', 0.007, 'healthy'),
  drive('only the other alarms', 0.02, 'watch', 0.04, 'at-risk'),
  drive('both alarm', 0.3, 'failing', 0.05, 'at-risk'),
  drive('only this alarms', 0.6, 'failing', 0.001, 'healthy'),
];

test('where one alarms and the other does not stands first, then what is far apart in odds', () => {
  expect(byDisagreement(drives).map(({ name }) => name)).toEqual(['only this alarms', 'only the other alarms', 'odds apart', 'both alarm', 'quiet']);
});

test('who alarms is counted, each drive once', () => {
  expect(agreementOf(drives)).toEqual({ both: 1, onlyThis: 1, onlyOther: 1, neither: 2 });
  expect(agreementOf([])).toEqual({ both: 0, onlyThis: 0, onlyOther: 0, neither: 0 });
});

test('a probability of nothing or all is no number that breaks the order', () => {
  const certain = [drive('a', 0, 'healthy', 1e-6, 'healthy'), drive('b', 0.5, 'failing', 0.4, 'failing'), drive('c', 1, 'failing', 0.2, 'failing')];
  expect(byDisagreement(certain).map(({ name }) => name)).toEqual(['c', 'b', 'a']);
});
