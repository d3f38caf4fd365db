import { readFileSync } from 'node:fs';

/** A process that can be told from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Of the machine's boot; empty where the system does not tell. */
  readonly bootId: string;
  /** Start of the process in ticks since boot; empty where the system does not tell. */
  readonly startTicks: string;
}

export function identify(pid: number): ProcessIdentity {
  return { pid, bootId: bootId(), startTicks: startTicks(pid) ?? '' };
}

/**
 * True while the very process that was recorded is alive: the number alone is not enough, it is given out again after a reboot or a wrap.
 * Without /proc only the number can be compared.
 */
export function isAlive(recorded: ProcessIdentity): boolean {
  if (recorded.bootId !== '' && recorded.bootId !== bootId()) return false;
  if (recorded.startTicks !== '') return startTicks(recorded.pid) === recorded.startTicks;
  try {
    process.kill(recorded.pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Signal exactly the process that was recorded; false when it is gone already. */
export function signalProcess(recorded: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(recorded)) return false;
  try {
    return process.kill(recorded.pid, signal);
  } catch {
    return false;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** Field 22 of /proc/<pid>/stat, proc(5); the name in field 2 may hold spaces and brackets, so counting begins behind the last one. A zombie counts as gone. */
function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
