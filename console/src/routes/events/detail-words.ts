/** What a change asked for, one `name value` for each field: `set.copies 3`. */
export function detailWords(detail: unknown, within = ''): string[] {
  if (typeof detail !== 'object' || detail === null) return [`${within} ${detail}`.trim()];
  if (Array.isArray(detail) && detail.every((item) => typeof item !== 'object')) return detail.length === 0 ? [] : [`${within} ${detail.join(', ')}`];
  return Object.entries(detail).flatMap(([name, inner]) => detailWords(inner, within === '' ? name : `${within}.${name}`));
}
