import { driveFeatureNames } from '@data-in-motion/shared/domain/drive-features';
import type { Decisions } from './decisions.ts';

/** What others go by, to be measured beside a model. Each answers a number per decision: above 0 is an alarm, more of it a louder one. */
export interface Rule {
  readonly name: string;
  readonly says: string;
  readonly score: (counted: (attribute: number) => number) => number;
}

const five = [5, 187, 188, 197, 198];
const positives = (counted: (attribute: number) => number): number => five.filter((attribute) => counted(attribute) > 0).length;

/**
 * Scrutiny (github.com/AnalogJ/scrutiny, ata_attribute_metadata.go): an attribute that counts as critical has failed where drives with its value failed
 * at 10 % a year or more in its table, any other at 20 %. Of its attributes only those that the histories hold are looked at.
 */
const scrutinyFails: readonly (readonly [attribute: number, fails: (value: number) => boolean])[] = [
  [5, (value) => value > 16],
  [10, (value) => value > 1],
  [187, (value) => value >= 1],
  [188, (value) => value > 100],
  [189, (value) => value > 30 && value <= 150],
  [196, (value) => (value > 11 && value <= 17) || (value > 27 && value <= 45)],
  [197, (value) => value > 1],
  [198, (value) => value > 1],
];

export const rules: readonly Rule[] = [
  { name: 'any-of-five', says: 'any of SMART 5, 187, 188, 197, 198 above zero (Backblaze 2016)', score: (counted) => (positives(counted) >= 1 ? 1 : 0) },
  { name: 'two-of-five', says: 'two or more of the five above zero', score: (counted) => (positives(counted) >= 2 ? 1 : 0) },
  {
    name: 'scrutiny',
    says: 'any attribute that Scrutiny calls failed by its table of failure rates',
    score: (counted) => (scrutinyFails.some(([attribute, fails]) => fails(counted(attribute))) ? 1 : 0),
  },
];

/** What a rule says of every decision. */
export function scoreByRule(rule: Rule, { values, days }: Decisions): Float64Array {
  const width = driveFeatureNames.length;
  const place = new Map(driveFeatureNames.map((name, i) => [name, i]));
  return Float64Array.from(days, (_, row) => rule.score((attribute) => values[row * width + place.get(`smart${attribute}`)!]!));
}
