import { amount } from '@data-in-motion/shared/domain/amount';
import type { SmartctlOutput } from './smartctl-output.ts';

/** A self-test that came to an end; one that was aborted, or still runs, says nothing about the drive. */
interface SelfTest {
  readonly passed: boolean;
  readonly says: string;
  readonly atHours: number | undefined;
}

/**
 * What the logs of a drive say, in words that stay the same until there is something new: how many errors an ATA drive has logged, and that the
 * newest self-test failed. Entries of an NVMe error log are left out: most drives fill it with commands that they do not know.
 */
export function logRemarks(said: SmartctlOutput): string[] {
  const remarks: string[] = [];
  const errors = said.ata_smart_error_log?.extended?.count ?? said.ata_smart_error_log?.summary?.count ?? 0;
  if (errors > 0) remarks.push(`errors that the drive has logged in its life: ${amount(errors)}`);
  const newest = newestSelfTest(said);
  if (newest?.passed === false) {
    const at = newest.atHours === undefined ? '' : `, at ${amount(newest.atHours)} hours of operation`;
    remarks.push(`the newest self-test failed: ${newest.says}${at}`);
  }
  return remarks;
}

function newestSelfTest(said: SmartctlOutput): SelfTest | undefined {
  return [...ataSelfTests(said), ...nvmeSelfTests(said), ...scsiSelfTests(said)][0];
}

function ataSelfTests({ ata_smart_self_test_log: log }: SmartctlOutput): SelfTest[] {
  return (log?.extended?.table ?? log?.standard?.table ?? []).flatMap(({ status, lifetime_hours }): SelfTest[] => {
    if (status?.passed === undefined) return [];
    return [{ passed: status.passed, says: status.string ?? 'without a word', atHours: lifetime_hours }];
  });
}

/** Result codes of log page 06h: 0 passed, 5 to 7 failed; the others were aborted (NVM Express Base Specification, Device Self-test log). */
function nvmeSelfTests({ nvme_self_test_log: log }: SmartctlOutput): SelfTest[] {
  return (log?.table ?? []).flatMap(({ self_test_result: result, power_on_hours }) => endedWith(result, [5, 6, 7], power_on_hours));
}

/** Result codes of log page 10h: 0 passed, 3 to 7 failed; 1 and 2 were aborted, 15 runs (SPC-4, Self-Test Results log). */
function scsiSelfTests(said: SmartctlOutput): SelfTest[] {
  return [said.scsi_self_test_0, said.scsi_self_test_1].flatMap((test) => endedWith(test?.result, [3, 4, 5, 6, 7], test?.power_on_time?.hours));
}

function endedWith(
  result: { value?: number | undefined; string?: string | undefined } | undefined,
  failures: readonly number[],
  atHours: number | undefined,
): SelfTest[] {
  if (result?.value === undefined || (result.value !== 0 && !failures.includes(result.value))) return [];
  return [{ passed: result.value === 0, says: result.string ?? `code ${result.value}`, atHours }];
}
