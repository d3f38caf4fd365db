/** Numbers for people, the same in every reason, finding and event. */

/** Dollars to the cent, and below a cent with two digits that say something: only nothing is "$0.00". */
export function dollarsText(dollars: number): string {
  const amount = Math.abs(dollars);
  const sign = dollars < 0 ? '-' : '';
  if (amount === 0) return '$0.00';
  if (amount < 1e-6) return `${sign}$0.000001 at most`;
  return `${sign}$${amount >= 0.01 ? amount.toFixed(2) : amount.toPrecision(2)}`;
}

/** A price as it stands in the price book, without the dust of binary fractions. */
export function priceText(dollars: number): string {
  return `$${Number(dollars.toPrecision(6))}`;
}

/** Bytes in the decimal units that prices use. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A measured time: two digits are all that a measurement says. */
export function msText(ms: number): string {
  return `${ms >= 10 ? Math.round(ms) : Number(ms.toPrecision(2))} ms`;
}
