/** Numbers as people read them; a missing one is a dash, never a zero. */
const none = '–';

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return none;
  const steps = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let step = 0;
  let rest = value;
  while (Math.abs(rest) >= 999.5 && step < steps.length - 1) {
    rest /= 1000;
    step++;
  }
  return `${step === 0 ? Math.round(rest) : rest.toPrecision(3)} ${steps[step]}`;
}

export function rate(bytesPerSec: number | null): string {
  return bytesPerSec === null ? none : `${bytes(bytesPerSec)}/s`;
}

/** US dollars; below one four figures that count, so that small datasets do not all cost nothing and a change of little is seen. */
export function money(value: number | null | undefined): string {
  if (value === null || value === undefined) return none;
  const size = Math.abs(value);
  // More zeros tell nobody anything.
  if (size > 0 && size < 1e-6) return `${value < 0 ? '-' : ''}<$0.000001`;
  const text = size === 0 ? '0.00' : size < 1 ? atLeastCents(trimZeros(size.toFixed(3 - Math.floor(Math.log10(size))))) : size.toFixed(2);
  return `${value < 0 ? '-' : ''}$${text}`;
}

/** A price of one unit: three figures that count, because 0.011 and 0.014 are not the same. */
export function unitPrice(value: number | null | undefined): string {
  return value === null || value === undefined ? none : `$${Number(value.toPrecision(3))}`;
}

export function change(value: number): string {
  return value > 0 ? `+${money(value)}` : money(value);
}

export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return none;
  if (ms < 1_000) return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 2_880 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${Math.round(minutes / 1_440)} d`;
}

/** How long ago, by the server's clock. */
export function age(atMs: number | null | undefined, asOfMs: number): string {
  if (atMs === null || atMs === undefined) return none;
  const ms = asOfMs - atMs;
  return ms < 1_000 ? 'now' : `${duration(ms)} ago`;
}

export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? none : `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}

/** With a capital and a full stop, whoever wrote it. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  return `${trimmed.slice(0, 1).toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}`;
}

/** `1 copy`, `2 copies`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}

export function whole(value: number): string {
  return value.toLocaleString('en-US');
}

/** Local time to the second, with the day only when it is not today. */
export function moment(atMs: number, nowMs: number): string {
  const text = (ms: number): string => {
    const date = new Date(ms);
    const two = (n: number): string => String(n).padStart(2, '0');
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  };
  const whole = text(atMs);
  return whole.slice(0, 10) === text(nowMs).slice(0, 10) ? whole.slice(11) : whole;
}

/** Text from outside on one line, without the characters that would steer a terminal. */
export function plain(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return value.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '?');
}

function atLeastCents(text: string): string {
  return text.length < '0.00'.length ? Number(text).toFixed(2) : text;
}

function trimZeros(text: string): string {
  return text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
}
