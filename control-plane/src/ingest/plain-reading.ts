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

type Checks = Readonly<Record<string, (value: unknown) => boolean>>;

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isCountOrNull = (value: unknown): boolean => value === null || isCount(value);
const isAmount = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isAmountOrNull = (value: unknown): boolean => value === null || isAmount(value);
const isTextOrNull = (least: number, most: number) => (value: unknown) =>
  value === null || (typeof value === 'string' && value.length >= least && value.length <= most);

const interval: Checks = {
  overMs: (value) => isAmount(value) && value !== 0,
  ioErrors: isCountOrNull,
  timeouts: isCountOrNull,
  reads: isCount,
  writes: isCount,
  readBytes: isCount,
  writtenBytes: isCount,
  msPerRead: isAmountOrNull,
  msPerWrite: isAmountOrNull,
  msPerDiscard: isAmountOrNull,
  msPerFlush: isAmountOrNull,
  inFlight: isAmount,
  busy: (value) => isAmount(value) && (value as number) <= 1,
};
const kernelCounts: Checks = {
  block: isTextOrNull(1, 200),
  ioErrors: isCountOrNull,
  timeouts: isCountOrNull,
  commands: isCountOrNull,
  since: (value) => value === null || hasExactly(value, interval),
  unknownBecause: isTextOrNull(0, 2_000),
};

function hasExactly(value: unknown, checks: Checks): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  let count = 0;
  for (const key in checks) {
    if (!Object.hasOwn(value, key) || !checks[key]!((value as Record<string, unknown>)[key])) return false;
    count++;
  }
  return Object.keys(value).length === count;
}

/** Whether a value fresh from JSON.parse is a reading without NVMe figures and exactly of the schema's shape. */
export function isPlainReading(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const given = value as Record<string, unknown>;
  let count = 0;
  for (const key in given) {
    if (key === 'kernel') continue;
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
    isAttributes(given.smart) &&
    (!Object.hasOwn(given, 'kernel') || hasExactly(given.kernel, kernelCounts))
  );
}
