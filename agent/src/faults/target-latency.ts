import { z } from 'zod';
import { conditionFault, numberParameter, targetNamed } from './fault.ts';

/** Longer than this and callers give up for their own reasons. */
const mostAddedMs = 60_000;

export const targetLatency = conditionFault(
  z.object({ targetId: z.string(), addedMs: z.number() }),
  (order, world) => ({ targetId: targetNamed(order, world).targetId, addedMs: numberParameter(order, 'addedMs', 0, mostAddedMs) }),
  ({ targetId, addedMs }, world) => ({
    before: async (_, onTargetId) => {
      if (onTargetId === targetId) await world.clock.sleep(addedMs);
    },
  }),
);
