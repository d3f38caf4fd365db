import type { Clock } from '@data-in-motion/shared/clock';
import type { DeviceIdentity, KernelCounts, Reading } from '@data-in-motion/shared/domain/device';
import { atMostAtOnce } from '../at-most.ts';
import { type DeviceProbe, type Note, silentReading } from '../device-probe.ts';
import { KernelWatch } from '../kernel-watch.ts';
import { type ParsedSmartctl, parseSmartctl } from '../parse-smartctl.ts';
import { scanOutput } from '../smartctl-output.ts';
import { ToolShells } from '../tool-shells.ts';

export interface SmartctlProbeParts {
  readonly clock: Clock;
  readonly note: Note;
  /** The program; found on the system's own path when it is a bare name. */
  readonly command: string;
  /** For the scan and for each identification. */
  readonly timeoutMs: number;
  /** Where the kernel's own counters are: `/sys`, or where it is mounted. */
  readonly sysfs: string;
}

/** The answer by which a device was identified is its reading as well, when it is read so soon after: a pass lists its devices, then reads them. */
const freshMs = 120_000;

/** Devices that are asked at once while they are identified; a shelf of disks behind one controller answers no faster to more. */
const atOnce = 4;

interface Found {
  readonly device: DeviceIdentity;
  /** How smartctl reaches it: `sat`, `nvme`, `megaraid,3`. */
  readonly type: string;
}

type Answer = ParsedSmartctl | { readonly problem: string };

/** What a device said, or that it said nothing, and when it was asked. */
interface Asked {
  readonly answer: Answer;
  readonly atMs: number;
  readonly monotonicMs: number;
}

interface Scanned {
  readonly name: string;
  readonly type: string;
}

/**
 * Devices by smartmontools (7.0 or later). `-n standby` stands in every call, so a sleeping disk is never woken; one that has slept since the
 * agent started is listed as soon as it is awake. Needs the right to send commands to drives (root or CAP_SYS_RAWIO).
 */
export class SmartctlProbe implements DeviceProbe {
  readonly source = 'smartctl';
  readonly readEveryMs = null;
  readonly #parts: SmartctlProbeParts;
  readonly #found = new Map<string, Found>();
  /** Of the devices that were identified and not read since. */
  readonly #fresh = new Map<string, Asked>();
  /** Last thing told about a subject: each is said once until it changes. */
  readonly #told = new Map<string, string>();
  readonly #kernel: KernelWatch;
  readonly #tools = new ToolShells();

  constructor(parts: SmartctlProbeParts) {
    this.#parts = parts;
    this.#kernel = new KernelWatch(parts.sysfs, parts.clock);
  }

  async discover(): Promise<DeviceIdentity[]> {
    const scanned = await this.#scan();
    const identified = await atMostAtOnce(atOnce, scanned, (entry) => this.#identify(entry));
    // Two paths of one drive (multipath, a controller's own and the kernel's) are one device; the first path stays.
    this.#found.clear();
    this.#fresh.clear();
    for (const one of identified) {
      if (one === null || this.#found.has(one.found.device.deviceId)) continue;
      this.#found.set(one.found.device.deviceId, one.found);
      this.#fresh.set(one.found.device.deviceId, one.asked);
    }
    return [...this.#found.values()].map(({ device }) => device);
  }

  async read(device: DeviceIdentity, signal: AbortSignal): Promise<Reading> {
    const found = this.#found.get(device.deviceId);
    if (found === undefined) return silentReading(device, 'smartctl', 'unreadable', 'it is not connected any more', this.#parts.clock.nowMs());
    const fresh = this.#fresh.get(device.deviceId);
    this.#fresh.delete(device.deviceId);
    const isFresh = fresh !== undefined && this.#parts.clock.monotonicMs() - fresh.monotonicMs < freshMs;
    const { answer, atMs } = isFresh ? fresh : await this.#ask({ name: device.path, type: found.type }, signal);
    if ('problem' in answer) return silentReading(device, 'smartctl', 'unreadable', answer.problem, atMs);
    const { identity, values, remarks } = answer;
    if (values.status !== 'read') return silentReading(device, 'smartctl', values.status, values.unreadableBecause ?? 'no reason given', atMs);
    if (identity?.deviceId !== device.deviceId) {
      return silentReading(
        device,
        'smartctl',
        'unreadable',
        `at ${device.path} now answers ${identity === null ? 'a drive without a name' : `${identity.model} ${identity.serial}`}`,
        atMs,
      );
    }
    this.#tell(device.deviceId, 'info', 'device.remarks', remarks.join('; '), { deviceId: device.deviceId });
    return { deviceId: device.deviceId, atMs, recordedDay: null, source: 'smartctl', ...values };
  }

  kernel(device: DeviceIdentity): KernelCounts {
    return this.#kernel.look(device, this.#found.get(device.deviceId)?.type ?? 'unknown');
  }

  async #scan(): Promise<Scanned[]> {
    const result = await this.#tools.run(this.#parts.command, ['--scan-open', '--json=c'], AbortSignal.timeout(this.#parts.timeoutMs));
    if (result.outcome !== 'ended') {
      this.#tell('scan', 'warning', 'smartctl.away', `No device is read: ${result.because}`);
      return [];
    }
    let listed: { name: string; type: string; open_error?: string | undefined }[] = [];
    try {
      listed = scanOutput.parse(JSON.parse(result.output)).devices ?? [];
    } catch {
      this.#tell('scan', 'warning', 'smartctl.away', 'No device is read: smartctl gave no JSON; version 7.0 or later is needed');
      return [];
    }
    const closed = listed.filter((entry) => entry.open_error !== undefined);
    const problem = closed.map((entry) => `${entry.name}: ${entry.open_error}`).join('; ');
    this.#tell('scan', 'warning', 'smartctl.open-failed', problem === '' ? '' : `Some devices can not be read: ${problem.slice(0, 1_000)}`);
    return listed.filter((entry) => entry.open_error === undefined);
  }

  async #identify(entry: Scanned): Promise<{ readonly found: Found; readonly asked: Asked } | null> {
    const subject = `${entry.name} (${entry.type})`;
    const asked = await this.#ask(entry, AbortSignal.timeout(this.#parts.timeoutMs));
    const { answer } = asked;
    const known = [...this.#found.values()].find((found) => found.device.path === entry.name && found.type === entry.type);
    if ('problem' in answer) {
      this.#tell(subject, 'warning', 'device.unreadable', `${subject}: ${answer.problem}`);
      return known === undefined ? null : { found: known, asked };
    }
    // A sleeping disk tells no name; at this path it is still the one that was seen before.
    if (answer.values.status === 'asleep' && known !== undefined) return { found: known, asked };
    if (answer.identity === null) {
      this.#tell(subject, 'warning', 'device.unreadable', `${subject}: ${answer.values.unreadableBecause ?? 'it tells neither model nor serial number'}`);
      return null;
    }
    this.#tell(subject, 'warning', 'device.unreadable', '');
    return { found: { device: { ...answer.identity, path: entry.name }, type: entry.type }, asked };
  }

  async #ask(entry: Scanned, signal: AbortSignal): Promise<Asked> {
    const { clock } = this.#parts;
    const [atMs, monotonicMs] = [clock.nowMs(), clock.monotonicMs()];
    const result = await this.#tools.run(
      this.#parts.command,
      ['--json=c', '-n', 'standby', '-i', '-H', '-A', '-l', 'error', '-l', 'selftest', '-d', entry.type, entry.name],
      signal,
    );
    const answer = result.outcome === 'ended' ? parseSmartctl(result.output, result.exitStatus, entry.name) : { problem: result.because };
    return { answer, atMs, monotonicMs };
  }

  #tell(subject: string, severity: 'info' | 'warning', code: string, message: string, ids: Record<string, string> = {}): void {
    if ((this.#told.get(subject) ?? '') === message) return;
    this.#told.set(subject, message);
    if (message !== '') this.#parts.note(severity, code, message, ids);
  }
}
