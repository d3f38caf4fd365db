import type { FaultKind } from '@data-in-motion/shared/domain/fault-hooks';
import { clockSkew } from './clock-skew.ts';
import { degradeDrive } from './degrade-drive.ts';
import type { Fault } from './fault.ts';
import { flipByte } from './flip-byte.ts';
import { killAgent } from './kill-agent.ts';
import { linkCut } from './link-cut.ts';
import { linkDelay } from './link-delay.ts';
import { linkDuplicate } from './link-duplicate.ts';
import { linkReorder } from './link-reorder.ts';
import { targetErrors } from './target-errors.ts';
import { targetFull } from './target-full.ts';
import { targetLatency } from './target-latency.ts';

/** The file that makes each fault of the published list. */
export const catalogue: Readonly<Record<FaultKind, Fault>> = {
  'target-latency': targetLatency,
  'target-errors': targetErrors,
  'target-full': targetFull,
  'flip-byte': flipByte,
  'link-cut': linkCut,
  'link-delay': linkDelay,
  'link-duplicate': linkDuplicate,
  'link-reorder': linkReorder,
  'kill-agent': killAgent,
  'clock-skew': clockSkew,
  'degrade-drive': degradeDrive,
};
