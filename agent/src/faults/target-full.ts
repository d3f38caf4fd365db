import { z } from 'zod';
import { conditionFault, systemError, targetNamed } from './fault.ts';

export const targetFull = conditionFault(
  z.object({ targetId: z.string() }),
  (order, world) => ({ targetId: targetNamed(order, world).targetId }),
  ({ targetId }) => ({
    before: async (operation, onTargetId) => {
      if (onTargetId === targetId && operation === 'write') throw systemError('ENOSPC', operation, targetId);
    },
  }),
);
