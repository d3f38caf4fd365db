/**
 * A number as people write it: 1,975; at most three places behind the point.
 *
 * Not by `toLocaleString`: its first call loads the data of all languages, 8 MB in a process that is to stay small.
 */
export function amount(value: number): string {
  const [whole = '', ...fraction] = String(Math.round(value * 1_000) / 1_000).split('.');
  return [whole.replace(/\B(?=(\d{3})+$)/g, ','), ...fraction].join('.');
}
