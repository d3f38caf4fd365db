const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const;

/** Bytes in decimal units, as drives and clouds bill them: `1.24 TB`. A value that is no number reads `–`. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  let scaled = Math.abs(value);
  let unit = 0;
  // 999.6 would print as 1000: the next unit reads better.
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
  return `${value < 0 ? '−' : ''}${scaled.toFixed(digits)} ${units[unit]}`;
}

/** Bytes per second: `84.2 MB/s`. */
export function rate(bytesPerSec: number | null | undefined): string {
  const text = bytes(bytesPerSec);
  return text === '–' ? text : `${text}/s`;
}
