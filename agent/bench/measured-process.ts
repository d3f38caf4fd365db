import fs from 'node:fs';

/** What a process holds, in bytes (Linux, /proc/PID/smaps_rollup). */
export interface Memory {
  /** All pages that it maps and that are in memory: also Node's own program, which other Node processes map too. */
  readonly rssBytes: number;
  /** Each shared page by its share of the processes that map it. */
  readonly pssBytes: number;
  /** Pages that no other process has. */
  readonly privateBytes: number;
}

export function memoryOf(pid: number): Memory {
  const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1_024;
  return { rssBytes: of('Rss'), pssBytes: of('Pss'), privateBytes: of('Private_Clean') + of('Private_Dirty') };
}

/** The most that it ever mapped at once. */
export function peakRssBytesOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
}

/** Processor time of all threads that it has now, to the nanosecond, without that of its children (Linux, /proc/PID/task/TID/schedstat). */
export function cpuMsOf(pid: number): number {
  const threads = fs.readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => sum + Number(fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]), 0) / 1e6;
}
