const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A span in one or two units, the larger first: `840 ms`, `42 s`, `4 min`, `2 h 10 min`, `3 d 4 h`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  const span = Math.abs(ms);
  if (span < secondMs) return `${Math.round(span)} ms`;
  if (span < minuteMs) return `${span < 10 * secondMs ? trim((span / secondMs).toFixed(1)) : Math.floor(span / secondMs)} s`;
  if (span < hourMs) return `${Math.floor(span / minuteMs)} min`;
  if (span < dayMs) return pair(span, hourMs, 'h', minuteMs, 'min');
  if (span < 100 * dayMs) return pair(span, dayMs, 'd', hourMs, 'h');
  return `${Math.round(span / dayMs)} d`;
}

/** How long ago a moment is, or how soon it comes: `now`, `12 s ago`, `in 4 min`. */
export function age(atMs: number | null | undefined, nowMs: number): string {
  if (atMs === null || atMs === undefined || !Number.isFinite(atMs)) return 'never';
  const span = nowMs - atMs;
  if (Math.abs(span) < 1500) return 'now';
  const words = duration(Math.round(Math.abs(span) / secondMs) * secondMs);
  return span < 0 ? `in ${words}` : `${words} ago`;
}

/** Hours, minutes and seconds in the reader's own zone. */
export function clockTime(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

/** Day and time in the reader's own zone: `2026-03-14 09:26:53`. */
export function dayTime(atMs: number | null | undefined): string {
  if (atMs === null || atMs === undefined || !Number.isFinite(atMs)) return 'never';
  return new Date(atMs).toLocaleString('sv-SE');
}

/** Milliseconds as latency is read: `0.42 ms`, `12 ms`, `1.2 s`. */
export function latency(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  if (ms < 10) return `${trim(ms.toFixed(2))} ms`;
  if (ms < secondMs) return `${Math.round(ms)} ms`;
  return `${trim((ms / secondMs).toFixed(1))} s`;
}

function pair(span: number, bigMs: number, bigUnit: string, smallMs: number, smallUnit: string): string {
  const big = Math.floor(span / bigMs);
  const small = Math.floor((span - big * bigMs) / smallMs);
  return small === 0 || big >= 30 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

function trim(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
