import { smartName } from '@data-in-motion/shared/domain/smart-attributes';

const plainWords: Readonly<Record<string, string>> = {
  powerOnHours: 'hours of operation',
  capacityTb: 'capacity in TB',
  'damage.kinds': 'kinds of damage',
  'damage.rising30': 'kinds of damage that grew in 30 days',
  'damage.size': 'damage of all kinds',
  'damage.daysSinceRise': 'days since any damage grew',
  'damage.largestStep30': 'largest step of damage in 30 days',
  daysSinceChange: 'days since anything changed',
};

/** A feature of a failure model as people say it: `change of pending sectors over 30 days`. */
export function featureInWords(feature: string): string {
  const plain = plainWords[feature];
  if (plain !== undefined) return plain;
  const maker = /^maker\.(\w+)$/.exec(feature)?.[1];
  if (maker !== undefined) return `drives made by ${maker.toUpperCase()}`;
  const changes = /^changes(\d+)$/.exec(feature)?.[1];
  if (changes !== undefined) return `days with changes in ${changes}`;
  const [, attribute, part = ''] = /^smart(\d+)\.?(\w*)$/.exec(feature) ?? [];
  if (attribute === undefined) return feature;
  const name = smartName(attribute);
  const days = /^change(\d+)$/.exec(part)?.[1];
  if (days !== undefined) return `change of ${name} over ${days} days`;
  return ofCounter[part]?.(name) ?? name;
}

const ofCounter: Readonly<Record<string, (name: string) => string>> = {
  daysSinceRise: (name) => `days since ${name} grew`,
  rises90: (name) => `rises of ${name} in 90 days`,
  perHour: (name) => `${name} per hour of operation`,
  acceleration: (name) => `${name} growing faster`,
  most90: (name) => `most ${name} in 90 days`,
};
