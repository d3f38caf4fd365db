import { z } from 'zod';

/** A part that is absent or of another shape than expected is left out; the rest of the output still counts. */
const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined);
const number = maybe(z.number().finite());
const text = maybe(z.string().max(10_000));
const flag = maybe(z.boolean());

/** The rows that can be understood; others are skipped one by one. */
const rows = <Schema extends z.ZodType>(row: Schema) =>
  maybe(
    z.array(z.unknown()).transform((list) =>
      list.slice(0, 1_000).flatMap((entry): z.infer<Schema>[] => {
        const parsed = row.safeParse(entry);
        return parsed.success ? [parsed.data] : [];
      }),
    ),
  );

const coded = maybe(z.object({ value: number, string: text }));
const ataSelfTests = maybe(z.object({ table: rows(z.object({ status: maybe(z.object({ string: text, passed: flag })), lifetime_hours: number })) }));

const errorCounter = maybe(z.object({ total_uncorrected_errors: number }));

/** What we read of `smartctl --json` (7.0 and later); older and newer versions differ in what they leave out. */
export const smartctlOutput = z.object({
  smartctl: maybe(z.object({ exit_status: number, messages: rows(z.object({ string: z.string(), severity: text })) })),
  device: maybe(z.object({ name: text, info_name: text, type: text, protocol: text })),
  model_name: text,
  scsi_model_name: text,
  product: text,
  scsi_product: text,
  serial_number: text,
  firmware_version: text,
  revision: text,
  scsi_revision: text,
  user_capacity: maybe(z.object({ bytes: number })),
  nvme_total_capacity: number,
  nvme_namespaces: rows(z.object({ size: maybe(z.object({ bytes: number })) })),
  rotation_rate: number,
  trim: maybe(z.object({ supported: flag })),
  smart_support: maybe(z.object({ available: flag, enabled: flag })),
  smart_status: maybe(z.object({ passed: flag })),
  temperature: maybe(z.object({ current: number, drive_trip: number })),
  power_on_time: maybe(z.object({ hours: number })),
  ata_smart_attributes: maybe(
    z.object({
      table: rows(z.object({ id: z.number().int().min(1).max(255), raw: z.object({ value: number, string: text }) })),
    }),
  ),
  nvme_smart_health_information_log: maybe(
    z.object({
      critical_warning: number,
      available_spare: number,
      available_spare_threshold: number,
      percentage_used: number,
      media_errors: number,
      unsafe_shutdowns: number,
      temperature: number,
      power_on_hours: number,
    }),
  ),
  ata_smart_error_log: maybe(z.object({ summary: maybe(z.object({ count: number })), extended: maybe(z.object({ count: number })) })),
  ata_smart_self_test_log: maybe(z.object({ standard: ataSelfTests, extended: ataSelfTests })),
  nvme_self_test_log: maybe(z.object({ table: rows(z.object({ self_test_result: coded, power_on_hours: number })) })),
  /** SAS drives number theirs, the newest first (smartmontools 7.4). */
  scsi_self_test_0: maybe(z.object({ result: coded, power_on_time: maybe(z.object({ hours: number })) })),
  scsi_self_test_1: maybe(z.object({ result: coded, power_on_time: maybe(z.object({ hours: number })) })),
  scsi_grown_defect_list: number,
  scsi_error_counter_log: maybe(z.object({ read: errorCounter, write: errorCounter, verify: errorCounter })),
});
export type SmartctlOutput = z.infer<typeof smartctlOutput>;

/** One entry of `smartctl --scan-open --json`. */
export const scanOutput = z.object({
  devices: rows(z.object({ name: z.string().min(1).max(500), type: z.string().min(1).max(100), open_error: text })),
});

/** The eight bits of smartctl's exit status (manual page smartctl(8), "EXIT STATUS"); several can be set at once. */
export const exitStatusBits: readonly { readonly bit: number; readonly says: string; readonly level: 'call' | 'health' | 'history' }[] = [
  { bit: 0, says: 'smartctl did not understand its command line', level: 'call' },
  { bit: 1, says: 'the device could not be opened, did not identify itself, or sleeps', level: 'call' },
  { bit: 2, says: 'a command to the device failed, or a checksum in its answer was wrong', level: 'call' },
  { bit: 3, says: 'the drive says that it is failing', level: 'health' },
  { bit: 4, says: 'a pre-failure attribute is at or below its threshold now', level: 'health' },
  { bit: 5, says: 'an attribute was at or below its threshold at some time in the past', level: 'history' },
  { bit: 6, says: 'the error log holds errors', level: 'history' },
  { bit: 7, says: 'the self-test log holds errors', level: 'history' },
];

/** Whether a bit of an exit status is set. */
export function exitBit(status: number, bit: number): boolean {
  return Math.floor(status / 2 ** bit) % 2 === 1;
}
