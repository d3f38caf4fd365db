import type { DeviceIdentity, NvmeHealth, Reading } from '@data-in-motion/shared/domain/device';
import { driveMaker } from '@data-in-motion/shared/domain/drive-makers';
import { deviceIdOf } from '@data-in-motion/shared/domain/ids';
import { unpackRaw } from '@data-in-motion/shared/domain/unpack-raw';
import { logRemarks } from './smartctl-logs.ts';
import { exitBit, exitStatusBits, type SmartctlOutput, smartctlOutput } from './smartctl-output.ts';

export type ReadingValues = Omit<Reading, 'deviceId' | 'atMs' | 'recordedDay' | 'source'>;

/** What one call of smartctl told. */
export interface ParsedSmartctl {
  /** Null when the output does not say whose it is. */
  readonly identity: DeviceIdentity | null;
  /** `unreadable` and `asleep` carry the reason and no values. */
  readonly values: ReadingValues;
  /** What exit status and logs say beside the values, in words: errors, failed self-tests, failed commands. */
  readonly remarks: readonly string[];
}

/**
 * Understand the output of `smartctl --json` for one device. Never throws: what can not be understood is `unreadable`, because.
 * SAS drives report no ATA attributes; their grown defects count as SMART 5 and their uncorrected errors as SMART 187, which they are by meaning.
 *
 * @param output what smartctl printed
 * @param exitStatus of the process; null: taken from the output
 * @param path where the device was seen, when the output does not say
 */
export function parseSmartctl(output: string, exitStatus: number | null = null, path = 'unknown'): ParsedSmartctl {
  let json: unknown;
  try {
    json = JSON.parse(output);
  } catch {
    return { identity: null, values: silent('unreadable', callProblem(exitStatus ?? 0) ?? 'smartctl gave no JSON'), remarks: [] };
  }
  const parsed = smartctlOutput.safeParse(json);
  // The first versions of the JSON output left out the part about smartctl itself.
  if (!parsed.success || (parsed.data.smartctl ?? parsed.data.device) === undefined) {
    return { identity: null, values: silent('unreadable', 'this is not the output of smartctl for a device'), remarks: [] };
  }
  const said = parsed.data;
  const status = exitStatus ?? said.smartctl?.exit_status ?? 0;
  return {
    identity: identityOf(said, path),
    values: valuesOf(said, status),
    remarks: [...exitStatusBits.filter(({ bit }) => bit > 1 && exitBit(status, bit)).map(({ says }) => says), ...logRemarks(said)],
  };
}

function valuesOf(said: SmartctlOutput, status: number): ReadingValues {
  const messages = (said.smartctl?.messages ?? []).map((message) => message.string);
  // Printed by `-n standby` instead of an answer; the exit status alone can not be told from a failed open.
  const sleeping = messages.find((message) => /\b(STANDBY|SLEEP|IDLE_[A-C])\b.*mode/i.test(message) || /low-power mode/i.test(message));
  if (sleeping !== undefined) return silent('asleep', sleeping);

  const smart = said.device?.protocol === 'SCSI' ? scsiCounts(said) : ataCounts(said);
  const nvme = nvmeHealth(said);
  const passed = selfAssessment(said, status);
  if (Object.keys(smart).length === 0 && nvme === null && passed === null) return silent('unreadable', whyNoValues(said, status, messages));
  return {
    status: 'read',
    unreadableBecause: null,
    selfAssessmentPassed: passed,
    temperatureCelsius: temperature(said),
    powerOnHours: countOrNull(said.power_on_time?.hours ?? said.nvme_smart_health_information_log?.power_on_hours ?? smart[9]),
    smart,
    nvme,
  };
}

function whyNoValues(said: SmartctlOutput, status: number, messages: readonly string[]): string {
  const denied = messages.find((message) => /permission denied|operation not permitted/i.test(message));
  if (denied !== undefined) return `no permission: ${denied}`;
  const behind = messages.find((message) => /-d (megaraid|sssraid|3ware|cciss|areca|aacraid|hpt)|raid controller/i.test(message));
  if (behind !== undefined) return `it is hidden behind a RAID controller: ${behind}`;
  const failed = messages.find((message) => /open failed|open device|unable to detect|unknown usb bridge|no such device/i.test(message));
  if (failed !== undefined) return failed;
  if (said.device === undefined) return callProblem(status) ?? 'this is not the output of smartctl for a device';
  const product = said.product ?? said.scsi_product ?? said.model_name ?? said.scsi_model_name ?? '';
  if (/raid|volume|virtual|logical|perc|array/i.test(product))
    return `"${product}" is a volume of a RAID controller or hypervisor: the drives behind it are hidden`;
  if (isBehindUsb(said)) return 'its USB bridge passes no SMART commands on';
  if (said.smart_support?.available === false) return 'the device has no SMART';
  if (said.smart_support?.enabled === false) return 'SMART is switched off on this device; "smartctl -s on" switches it on';
  return callProblem(status) ?? messages[0] ?? 'it tells who it is but no health values';
}

/** Bridges have types of their own (`usb…` for ATA behind them, `snt…` for NVMe), or show in the name: "/dev/sdb [USB JMicron]". */
function isBehindUsb({ device }: SmartctlOutput): boolean {
  return /^(usb|snt)/.test(device?.type ?? '') || /\[USB\b/.test(device?.info_name ?? '');
}

function callProblem(status: number): string | undefined {
  return exitStatusBits.find(({ bit, level }) => level === 'call' && exitBit(status, bit))?.says;
}

function identityOf(said: SmartctlOutput, path: string): DeviceIdentity | null {
  const model = bounded(said.model_name ?? said.scsi_model_name ?? said.product ?? said.scsi_product);
  const serial = bounded(said.serial_number);
  if (model === '' || serial === '') return null;
  const protocol = said.device?.protocol;
  const transport = protocol === 'ATA' ? 'ata' : protocol === 'NVMe' ? 'nvme' : protocol === 'SCSI' ? 'scsi' : 'unknown';
  const firmware = bounded(said.firmware_version ?? said.revision ?? said.scsi_revision);
  return {
    deviceId: deviceIdOf(model, serial),
    serial,
    model,
    kind: kindOf(said, model),
    transport,
    capacityBytes: capacity(said),
    firmware: firmware === '' ? null : firmware,
    path: bounded(said.device?.name) || path,
  };
}

function kindOf(said: SmartctlOutput, model: string): DeviceIdentity['kind'] {
  if (said.device?.protocol === 'NVMe') return 'nvme';
  if (said.rotation_rate !== undefined) return said.rotation_rate === 0 ? 'ssd' : 'hdd';
  return said.trim?.supported === true || /ssd/i.test(model) ? 'ssd' : 'hdd';
}

function capacity(said: SmartctlOutput): number {
  const candidates = [said.user_capacity?.bytes, said.nvme_total_capacity, said.nvme_namespaces?.[0]?.size?.bytes];
  return candidates.find((bytes) => bytes !== undefined && Number.isSafeInteger(bytes) && bytes > 0) ?? 0;
}

function ataCounts(said: SmartctlOutput): Record<string, number> {
  const smart: Record<string, number> = {};
  const maker = driveMaker(said.model_name ?? '');
  for (const { id, raw } of said.ata_smart_attributes?.table ?? []) {
    const value = unpackRaw(id, raw.value ?? Number.parseInt(raw.string ?? '', 10), maker);
    if (value !== undefined) smart[id] = value;
  }
  return smart;
}

function scsiCounts(said: SmartctlOutput): Record<string, number> {
  const smart: Record<string, number> = {};
  const defects = countOrNull(said.scsi_grown_defect_list);
  if (defects !== null) smart[5] = defects;
  const log = said.scsi_error_counter_log;
  const uncorrected = [log?.read, log?.write, log?.verify].flatMap((counter) => countOrNull(counter?.total_uncorrected_errors) ?? []);
  if (uncorrected.length > 0) smart[187] = uncorrected.reduce((sum, count) => sum + count, 0);
  return smart;
}

function nvmeHealth(said: SmartctlOutput): NvmeHealth | null {
  const log = said.nvme_smart_health_information_log;
  if (log === undefined) return null;
  return {
    criticalWarning: countOrNull(log.critical_warning),
    availableSparePercent: countOrNull(log.available_spare),
    availableSpareThresholdPercent: countOrNull(log.available_spare_threshold),
    percentageUsed: countOrNull(log.percentage_used),
    mediaErrors: countOrNull(log.media_errors),
    unsafeShutdowns: countOrNull(log.unsafe_shutdowns),
  };
}

/** Below a pre-failure threshold an ATA drive is expected to fail within a day (ATA-3), whatever its summary bit says. */
function selfAssessment(said: SmartctlOutput, status: number): boolean | null {
  if (exitBit(status, 3) || exitBit(status, 4)) return false;
  return said.smart_status?.passed ?? null;
}

function temperature(said: SmartctlOutput): number | null {
  const celsius = said.temperature?.current ?? said.nvme_smart_health_information_log?.temperature;
  // SCSI enclosures without a sensor say 0 with a trip point of 0.
  if (celsius === undefined || (celsius === 0 && said.temperature?.drive_trip === 0)) return null;
  return celsius > -60 && celsius < 200 ? celsius : null;
}

function countOrNull(value: number | undefined): number | null {
  return value !== undefined && value >= 0 ? value : null;
}

function silent(status: 'asleep' | 'unreadable', because: string): ReadingValues {
  return {
    status,
    unreadableBecause: because.slice(0, 2_000),
    selfAssessmentPassed: null,
    temperatureCelsius: null,
    powerOnHours: null,
    smart: {},
    nvme: null,
  };
}

function bounded(text: string | undefined): string {
  return (text ?? '').trim().slice(0, 200);
}
