/** Less than this is told as less: more zeros tell nobody anything. */
const smallestTold = 0.000001;

/** US dollars: two decimals, and below a cent four significant digits, so that a small price is never `$0.00`. */
export function money(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  const sign = value < 0 ? '−' : '';
  if (size === 0) return '$0';
  if (size < smallestTold) return `${sign}<$${smallestTold.toFixed(6)}`;
  if (size < 0.01) return `${sign}$${plainDecimal(size)}`;
  return `${sign}$${size.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

/** A price of one unit, which may differ in the third digit: at least three significant digits below a dollar. `$0.018`, `$0.085`. */
export function unitPrice(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value) || Math.abs(value) < smallestTold || Math.abs(value) >= 1) return money(value);
  return `${value < 0 ? '−' : ''}$${plainDecimal(Math.abs(value)).padEnd(4, '0')}`;
}

/** Dollars per month: `$4.10 / month`. */
export function moneyPerMonth(value: number | null | undefined): string {
  const text = money(value);
  return text === '–' ? text : `${text} / month`;
}

/** A difference with its sign, so that dearer and cheaper are told apart without colour: `+$0.40`, `−$1.20`. */
export function moneyChange(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  return value > 0 ? `+${money(value)}` : money(value);
}

/** Four significant digits without an exponent. */
function plainDecimal(size: number): string {
  return size.toFixed(3 - Math.floor(Math.log10(size))).replace(/0+$/, '');
}
