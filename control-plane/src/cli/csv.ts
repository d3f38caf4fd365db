/**
 * Rows as comma-separated values (RFC 4180): a header, CRLF between lines, cells in quotes where they need them.
 * Numbers are written as they are, so that a sum of them is the sum. A text that a spreadsheet would take for a formula gets an apostrophe in front:
 * names come from outside.
 */
export function csv(header: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  return [header, ...rows].map((row) => row.map(cell).join(',')).join('\r\n');
}

function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
