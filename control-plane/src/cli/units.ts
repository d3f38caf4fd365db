import { dayOfDate } from '@data-in-motion/shared/domain/calendar-days';
import { InvalidArgumentError } from 'commander';

const sizes: Readonly<Record<string, number>> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 };
const durations: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** `200MB`, `1.5 GiB` in bytes; a bare number is refused, because a hundred of what? */
export function parseSize(text: string): number {
  return Math.round(inUnits(text, sizes, 'a size such as 200MB or 1.5GiB'));
}

/** `50ms`, `2s`, `10m`, `1h`, `7d` in milliseconds. */
export function parseDuration(text: string): number {
  return inUnits(text, durations, 'a duration such as 50ms, 2s, 10m, 1h or 7d');
}

/** `0.02` or `$0.02` in US dollars. */
export function parseMoney(text: string): number {
  const match = /^\$?(\d+(?:\.\d+)?)$/.exec(text.trim());
  if (match === null) throw new InvalidArgumentError(`"${text}" is not an amount of money: write US dollars, such as 0.02 or $0.02.`);
  return Number(match[1]);
}

/** `0.6` or `60%` as a share of one. */
export function parseShare(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text.trim());
  const value = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError(`"${text}" is not a share: write 0 to 1, or 0% to 100%.`);
  return value;
}

/** `2027-01-01` as the moment at which that day begins, UTC. */
export function parseDate(text: string): number {
  const day = dayOfDate(text.trim());
  if (!(day >= 0)) throw new InvalidArgumentError(`"${text}" is not a date: write YYYY-MM-DD.`);
  return day * durations['d']!;
}

export function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a whole number.`);
  return Number(text);
}

/** For commander: one of a list, with the list in the error. */
export function oneOf<Name extends string>(names: readonly Name[]): (text: string) => Name {
  return (text) => {
    if (!(names as readonly string[]).includes(text)) throw new InvalidArgumentError(`"${text}" is none of ${names.join(', ')}.`);
    return text as Name;
  };
}

/** For commander: an option that may be given several times. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

function inUnits(text: string, units: Readonly<Record<string, number>>, expected: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)?$/i.exec(text.trim());
  if (match === null) throw new InvalidArgumentError(`"${text}" is not ${expected}.`);
  const unit = match[2] === undefined ? undefined : units[match[2].toLowerCase()];
  if (unit === undefined)
    throw new InvalidArgumentError(
      `"${text}" ${match[2] === undefined ? 'has no unit' : `has the unit "${match[2]}", which is none of ${Object.keys(units).join(', ')}`}: write ${expected}.`,
    );
  return Number(match[1]) * unit;
}
