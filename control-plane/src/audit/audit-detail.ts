const longestText = 300;
const longestList = 20;
const secret = /token|secret|password/i;

/** What a request asked for, as the audit keeps it: no secrets, long lists as their count, long texts cut. */
export function auditDetail(asked: unknown): Record<string, unknown> {
  return typeof asked === 'object' && asked !== null && !Array.isArray(asked) ? (kept(asked) as Record<string, unknown>) : {};
}

function kept(value: unknown): unknown {
  if (typeof value === 'string') return value.length > longestText ? `${value.slice(0, longestText).toWellFormed()}…` : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.length > longestList ? `${value.length} of them` : value.map(kept);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, secret.test(name) ? 'not kept' : kept(inner)]));
}
