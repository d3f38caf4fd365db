/** A count with thin groups: `12,480`. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value) ? '–' : Math.round(value).toLocaleString('en-US');
}

/** A count with its noun in the right number: `1 dataset`, `12 datasets`, `2 copies`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A share of 0 to 1 in percent; what is not quite nothing or all is not rounded to it. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return '–';
  const value = share * 100;
  if (value > 0 && value < 0.1) return '<0.1 %';
  if (value > 99.9 && value < 100) return '>99.9 %';
  return `${value < 10 || value > 99 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} %`;
}

/** A share of two amounts, 0 when there is nothing to share, never outside 0 to 1. */
export function share(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0;
}

/** What a person typed as a size: `200MB`, `1.5 GB`, `4096`. Undefined when it is none. */
export function parseBytes(text: string): number | undefined {
  const found = /^\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)i?b?\s*$/i.exec(text);
  if (found === null) return undefined;
  const power = ['', 'k', 'm', 'g', 't', 'p'].indexOf((found[2] ?? '').toLowerCase());
  return Math.round(Number(found[1]) * 1000 ** power);
}
