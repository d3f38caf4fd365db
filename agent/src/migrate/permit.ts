import { Failure } from '@data-in-motion/shared/failure';
import type { OrderOf } from '@data-in-motion/shared/protocol/messages';
import type { StepParts } from './step-parts.ts';

/** The leave to remove one copy once. */
export interface Permit {
  readonly order: OrderOf<'retire'> | OrderOf<'purge'>;
  /** On this process's own monotonic clock; a permit that waited here for too long is no permit. */
  readonly validUntilMs: number;
}

/** Part of the time is kept back for what the message took on its way, which this clock can not see. */
const usableShare = 0.8;

export function permitOf(order: Permit['order'], firstSeenMs: number): Permit {
  return { order, validUntilMs: firstSeenMs + order.validForMs * usableShare };
}

/** Remember what it is used for. @throws Failure `refused` (`permit.expired`, `permit.reused`) when the permit does not cover this copy now */
export function usePermit(permit: Permit, parts: StepParts): void {
  const { permitId, target, kind } = permit.order;
  const used = parts.journal.permit(permitId);
  if (used !== undefined && (used.kind !== kind || used.targetId !== target.targetId || used.replicaId !== target.replicaId)) {
    throw new Failure('refused', { code: 'permit.reused', message: 'this permit was used for another copy', ids: { permitId } });
  }
  if (parts.clock.monotonicMs() > permit.validUntilMs) {
    throw new Failure('refused', { code: 'permit.expired', message: 'the permit was given too long ago', ids: { permitId } });
  }
  parts.journal.usePermit({ permitId, kind, targetId: target.targetId, replicaId: target.replicaId });
}
