import { namePattern } from '@data-in-motion/shared/domain/ids';

/**
 * Nearly everything that agents tell is readings, and the general schema spends most of the door's time on their attribute tables.
 * This accepts the plain ones and nothing that the schema would not accept, which `read-message.prop.test.ts` proves; whatever it
 * does not accept goes through the schema.
 */
const fields = [
  'type',
  'deviceId',
  'atMs',
  'recordedDay',
  'source',
  'status',
  'unreadableBecause',
  'selfAssessmentPassed',
  'temperatureCelsius',
  'powerOnHours',
  'smart',
  'nvme',
];
const latestMs = 7_258_118_400_000;

const isNumberOrNull = (value: unknown): boolean => value === null || (typeof value === 'number' && Number.isFinite(value));

/** Attribute numbers are one to three digits: whole numbers that read back as themselves are; `007` goes through the schema. */
function isAttributes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  for (const key in value) {
    const number = Number(key);
    if (!(number >= 0 && number <= 999 && String(number) === key && Number.isInteger(number))) return false;
    if (!Number.isFinite((value as Record<string, unknown>)[key])) return false;
  }
  return true;
}

/** Whether a value fresh from JSON.parse is a reading without NVMe figures and exactly of the schema's shape. */
export function isPlainReading(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const given = value as Record<string, unknown>;
  let count = 0;
  for (const key in given) {
    if (!fields.includes(key)) return false;
    count++;
  }
  const { atMs } = given;
  return (
    count === fields.length &&
    given.type === 'reading' &&
    given.status === 'read' &&
    typeof given.deviceId === 'string' &&
    namePattern.test(given.deviceId) &&
    typeof atMs === 'number' &&
    Number.isInteger(atMs) &&
    atMs >= 0 &&
    atMs <= latestMs &&
    given.recordedDay === null &&
    (given.source === 'smartctl' || given.source === 'replay' || given.source === 'simulated') &&
    given.unreadableBecause === null &&
    (given.selfAssessmentPassed === null || typeof given.selfAssessmentPassed === 'boolean') &&
    isNumberOrNull(given.temperatureCelsius) &&
    isNumberOrNull(given.powerOnHours) &&
    given.nvme === null &&
    isAttributes(given.smart)
  );
}
