import { createHash } from 'node:crypto';

/** What stands before the first batch of every incarnation. */
export const chainStart = '0'.repeat(64);

/**
 * The chain after a batch: SHA-256 over the chain before it (hex) followed by the text of its records.
 * Two outboxes that differ in any batch differ in every chain after it, so one number in an acknowledgement shows a forked history.
 */
export function chainAfter(prevChain: string, records: string): string {
  return createHash('sha256').update(prevChain).update(records).digest('hex');
}
